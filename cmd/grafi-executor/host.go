package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/chain"
	"github.com/grafilab/grafi/offchain/executor/gateway"
	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
)

// hostInfo answers what the host's inventory on chain says.
type hostInfo struct {
	reader *chain.Reader
	hostID uint64
	config config

	mu   sync.Mutex
	gpus []attestationtypes.Gpu // as last seen; used when the chain is away
}

func (h *hostInfo) inventory(ctx context.Context) ([]attestationtypes.Gpu, error) {
	_, gpus, err := h.reader.Host(ctx, h.hostID)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.gpus = gpus
		return gpus, nil
	}
	if len(h.gpus) > 0 {
		return h.gpus, nil
	}
	return nil, err
}

// devices implements reconcile.Devices. NVIDIA's device plugin for containers
// names a GPU by its UUID in the CDI specification that nvidia-ctk writes.
func (h *hostInfo) devices(ctx context.Context, ordinals []uint32, count uint32) ([]string, error) {
	if count == 0 {
		return nil, nil
	}
	if int(count) > len(ordinals) {
		return nil, fmt.Errorf("the manifest wants %d GPUs, the rental has %d", count, len(ordinals))
	}
	gpus, err := h.inventory(ctx)
	if err != nil {
		return nil, err
	}
	byOrdinal := make(map[uint32]attestationtypes.Gpu, len(gpus))
	for _, g := range gpus {
		byOrdinal[g.Ordinal] = g
	}
	names := make([]string, 0, count)
	for _, o := range ordinals[:count] {
		g, ok := byOrdinal[o]
		switch {
		case !ok:
			return nil, fmt.Errorf("GPU %d is not in the host's inventory on chain", o)
		case g.Class == simClass:
			names = append(names, fmt.Sprintf("%s=%d", simKind, o))
		default:
			names = append(names, "nvidia.com/gpu="+g.Inventory.Uuid)
		}
	}
	return names, nil
}

// share is what one GPU's renter may use of the rest of the machine.
func (h *hostInfo) share(ctx context.Context) (gateway.Share, error) {
	s := gateway.Share{CPUMillis: h.config.CPUMillisPerGPU, MemoryMiB: h.config.MemoryMiBPerGPU, DiskMiB: h.config.DiskMiBPerGPU}
	if s.CPUMillis > 0 && s.MemoryMiB > 0 && s.DiskMiB > 0 {
		return s, nil
	}
	gpus, err := h.inventory(ctx)
	if err != nil {
		return s, err
	}
	n := max(uint64(len(gpus)), 1)
	if s.CPUMillis == 0 {
		s.CPUMillis = uint64(runtime.NumCPU()) * 1000 / n
	}
	if s.MemoryMiB == 0 {
		total, err := memoryMiB()
		if err != nil {
			return s, err
		}
		s.MemoryMiB = total / n
	}
	if s.DiskMiB == 0 {
		free, err := freeMiB(h.config.Home)
		if err != nil {
			return s, err
		}
		s.DiskMiB = free / n
	}
	return s, nil
}

// memoryMiB is the machine's memory (MemTotal of proc(5)).
func memoryMiB() (uint64, error) {
	raw, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "MemTotal:" {
			kib, err := strconv.ParseUint(fields[1], 10, 64)
			return kib >> 10, err
		}
	}
	return 0, fmt.Errorf("/proc/meminfo has no MemTotal")
}

func freeMiB(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return st.Bavail * uint64(st.Bsize) >> 20, nil
}
