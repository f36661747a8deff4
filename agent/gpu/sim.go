package gpu

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"
)

// SimClass is the hardware class of simulated GPUs. Only the genesis of local
// and test chains has it.
const SimClass = "sim"

// SimName is what a simulated GPU calls itself, so that nobody can take it for a card.
const SimName = "Grafilab SIM GPU"

// SimMemoryMiB is what a simulated GPU declares.
const SimMemoryMiB = 1024

// MaxSim bounds the number of simulated GPUs on one machine.
const MaxSim = 64

// Sim offers GPUs that do not exist, for machines without an NVIDIA driver on
// local and test chains. It reads nothing, so every reading is unsupported.
type Sim struct{ devices []Device }

var _ Source = (*Sim)(nil)

// NewSim returns n simulated GPUs. The seed makes their UUIDs this machine's
// own and the same at every start.
func NewSim(n int, seed []byte) (*Sim, error) {
	if n < 1 || n > MaxSim {
		return nil, fmt.Errorf("sim gpus: got %d, want 1 to %d", n, MaxSim)
	}
	s := &Sim{}
	for i := range n {
		h := sha256.Sum256(fmt.Appendf(nil, "grafi/sim/%d/%x", i, seed))
		s.devices = append(s.devices, Device{
			Index: i, Name: SimName, UUID: fmt.Sprintf("SIM-%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16]),
			MemoryMiB: SimMemoryMiB, PCIBusID: fmt.Sprintf("SIM:%02X", i), Driver: "SIM",
		})
	}
	return s, nil
}

// Kind implements Source.
func (s *Sim) Kind() Kind { return KindSim }

// Devices implements Source.
func (s *Sim) Devices(context.Context) ([]Device, error) {
	return append([]Device(nil), s.devices...), nil
}

// Sample implements Source.
func (s *Sim) Sample(context.Context) (Sample, error) {
	out := Sample{TakenAt: time.Now().UTC(), Kind: KindSim}
	for _, d := range s.devices {
		out.Readings = append(out.Readings, Reading{UUID: d.UUID, Unsupported: noneRead})
	}
	return out, nil
}

// Close implements Source.
func (s *Sim) Close() error { return nil }
