// Package gpu reads the machine's GPUs behind one interface. What it reads is a
// label and a sign of life, never a proof.
package gpu

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind says where readings come from.
type Kind string

// The kinds of source.
const (
	KindNVML Kind = "nvml"
	KindAMD  Kind = "amd" // read only: nothing proves its work
	KindSim  Kind = "sim" // no hardware: only local and test chains know its class
	KindFake Kind = "fake"
)

// Source reads the GPUs of this machine. It is safe for concurrent use.
type Source interface {
	// Kind says what the readings are worth.
	Kind() Kind
	// Devices lists the GPUs in the driver's order.
	Devices(ctx context.Context) ([]Device, error)
	// Sample reads every GPU once. A GPU that can't be read is in the sample and
	// marked; an error means that nothing could be read at all.
	Sample(ctx context.Context) (Sample, error)
	// Attest asks the GPU of this index for a report that it signs over the nonce.
	// It answers ErrUnsupported, ErrNotHopper or ErrConfidentialComputingOff where
	// no report will come without other hardware or another setup; other errors
	// may mend themselves.
	Attest(ctx context.Context, index int, nonce [32]byte) (Report, error)
	// Close gives the driver back. The source is not used afterwards.
	Close() error
}

// ErrDriverGone means that the driver or its library is not there now. The
// source tries again at the next call, so that it comes back by itself.
var ErrDriverGone = errors.New("GPU driver is not available")

// ErrNoLibrary means that this machine has no NVIDIA driver library at all. It is
// an ErrDriverGone.
var ErrNoLibrary = fmt.Errorf("%w: library not found", ErrDriverGone)

// ErrDriverUpdated means that the kernel module is another version than the
// library that this process has loaded. The loader never lets go of a library, so
// only a new process gets the new one. It is an ErrDriverGone.
var ErrDriverUpdated = fmt.Errorf("%w: driver was updated, the agent must restart", ErrDriverGone)

// ErrDriverTooOld means that the library lacks a call without which nothing can be read.
var ErrDriverTooOld = errors.New("NVIDIA driver is too old")

// ErrBusy means that the driver has not answered an earlier call yet.
var ErrBusy = errors.New("GPU driver does not answer")

// Device is what a GPU says of itself.
type Device struct {
	Index     int    `json:"index"`
	Name      string `json:"name"`
	UUID      string `json:"uuid"`
	MemoryMiB uint64 `json:"memory_mib"`
	PCIBusID  string `json:"pci_bus_id"`
	Driver    string `json:"driver"`
}

// Unsupported is a set of readings that the card or its driver does not give.
// An unsupported reading is unknown, and its field is 0 without meaning zero.
type Unsupported uint32

// The bits of Unsupported.
const (
	NoUtilization Unsupported = 1 << iota
	NoMemory
	NoTemperature
	NoPower
	NoECC
	NoRemap
	NoXid
	NoPCI

	noneRead = NoUtilization | NoMemory | NoTemperature | NoPower | NoECC | NoRemap | NoXid | NoPCI
)

// Has reports whether all bits of b are in u.
func (u Unsupported) Has(b Unsupported) bool { return u&b == b }

// Flags are conditions of a GPU at a sample.
type Flags uint32

// The bits of Flags.
const (
	// FlagLost: the driver has lost the GPU, or it must be reset.
	FlagLost Flags = 1 << iota
	// FlagXidFatal: an Xid whose remedy is a reset or a restart.
	FlagXidFatal
	// FlagXid: another Xid, most often a fault of the application.
	FlagXid
	// FlagECC: uncorrectable memory errors since the driver was loaded.
	FlagECC
	// FlagRemapPending: rows wait for a reset to be remapped.
	FlagRemapPending
	// FlagRemapFailed: no spare row is left.
	FlagRemapFailed
)

// Has reports whether any bit of b is in f.
func (f Flags) Has(b Flags) bool { return f&b != 0 }

// Down reports whether the GPU can't do work.
func (f Flags) Down() bool { return f.Has(FlagLost | FlagXidFatal | FlagRemapFailed) }

// Reading is one GPU at one moment.
type Reading struct {
	UUID               string      `json:"uuid"`
	Flags              Flags       `json:"flags"`
	Unsupported        Unsupported `json:"unsupported"`
	UtilizationPercent uint32      `json:"utilization_percent"`
	MemoryUsedMiB      uint64      `json:"memory_used_mib"`
	MemoryTotalMiB     uint64      `json:"memory_total_mib"`
	TemperatureC       uint32      `json:"temperature_c"`
	PowerMilliwatt     uint32      `json:"power_mw"`
	ECCUncorrected     uint64      `json:"ecc_uncorrected"` // since the driver was loaded
	ECCCorrected       uint64      `json:"ecc_corrected"`
	Xids               []uint64    `json:"xids,omitempty"` // since the sample before
}

// Sample is all GPUs at one moment.
type Sample struct {
	TakenAt  time.Time `json:"taken_at"`
	Kind     Kind      `json:"kind"`
	Readings []Reading `json:"readings"`
}
