// Package gctarget sets the garbage collector's target from the memory that the
// process may use.
package gctarget

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"

	"github.com/shirou/gopsutil/v4/mem"
)

const (
	gib = 1 << 30
	// cgroupMemoryMax holds the limit of a container or a systemd unit.
	cgroupMemoryMax = "/sys/fs/cgroup/memory.max"
)

// Apply trades memory that the machine has for time in the collector:
// executing blocks allocates fast and keeps little, and a higher target is
// worth about 30 % of throughput. The soft limit brings the collector back to
// work long before the memory is full. GOGC and GOMEMLIMIT win over all this. It
// returns what was set, for the log.
func Apply() string {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return "from the environment"
	}
	percent, limit := target(availableMemory())
	if percent == 0 {
		return "Go's default"
	}
	debug.SetGCPercent(percent)
	debug.SetMemoryLimit(limit)
	return fmt.Sprintf("GOGC=%d GOMEMLIMIT=%dMiB", percent, limit>>20)
}

// target returns the percentage and the soft limit in bytes for a machine, or
// zeros where Go's default is best.
func target(memory uint64) (percent int, limit int64) {
	switch {
	case memory < 2*gib:
		return 0, 0
	case memory < 8*gib:
		return 200, int64(memory / 2)
	default:
		return 400, int64(memory / 2)
	}
}

// availableMemory is the smaller of the machine's memory and the control
// group's limit, or 0 when neither is known.
func availableMemory() uint64 {
	var total uint64
	if vm, err := mem.VirtualMemory(); err == nil {
		total = vm.Total
	}
	data, err := os.ReadFile(cgroupMemoryMax)
	if err != nil {
		return total
	}
	limit, err := strconv.ParseUint(string(bytes.TrimSpace(data)), 10, 64)
	if err != nil { // "max"
		return total
	}
	if total == 0 {
		return limit
	}
	return min(total, limit)
}
