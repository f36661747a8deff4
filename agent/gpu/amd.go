package gpu

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AMD reads AMD GPUs from what the amdgpu kernel driver shows in sysfs, and writes
// nothing. It needs no library and no ROCm. Its cards can't prove their work or sign
// reports, so they earn no mining reward; they can be seen and watched. Construct it
// with NewAMD.
type AMD struct {
	root string
	log  *slog.Logger
	gate gate

	// Below: only touched by the holder of the gate's token.
	known []amdCard // those that were seen, with the lost ones
}

var _ Source = (*AMD)(nil)

// amdCard is a device and the folder where sysfs shows it.
type amdCard struct {
	Device
	dir string
}

// ErrNoAMD means that the amdgpu driver shows no GPU. It is an ErrDriverGone.
var ErrNoAMD = fmt.Errorf("%w: no AMD GPU in /sys/class/drm", ErrDriverGone)

// amdMinMiB leaves integrated graphics out: they show a slice of the machine's
// memory as their own, 4 GiB at the most that firmware offers.
const amdMinMiB = 4096

// amdVendor is AMD's PCI vendor id.
const amdVendor = "0x1002"

// NewAMD returns a source on the tree at root, which is / but for tests.
func NewAMD(root string, log *slog.Logger) *AMD {
	return &AMD{root: root, log: log.With("part", "gpu"), gate: newGate()}
}

// Kind implements Source.
func (s *AMD) Kind() Kind { return KindAMD }

// Devices implements Source.
func (s *AMD) Devices(ctx context.Context) ([]Device, error) {
	return locked(ctx, s.gate, func() ([]Device, error) {
		found, err := s.list()
		if err != nil {
			return nil, err
		}
		s.known = found
		devices := make([]Device, len(s.known))
		for i, c := range s.known {
			devices[i] = c.Device
		}
		return devices, nil
	})
}

// Sample implements Source. A card that was there and is not any more is lost.
func (s *AMD) Sample(ctx context.Context) (Sample, error) {
	return locked(ctx, s.gate, func() (Sample, error) {
		found, err := s.list()
		if err != nil && len(s.known) == 0 {
			return Sample{}, err
		}
		out := Sample{TakenAt: time.Now().UTC(), Kind: KindAMD}
		seen := map[string]bool{}
		for _, c := range found {
			seen[c.UUID] = true
			out.Readings = append(out.Readings, c.read())
		}
		for _, c := range s.known {
			if !seen[c.UUID] {
				out.Readings = append(out.Readings, Reading{UUID: c.UUID, Flags: FlagLost, Unsupported: noneRead})
				found = append(found, c) // still ours, until the cards are listed anew
			}
		}
		s.known = found
		return out, nil
	})
}

// Attest implements Source.
func (s *AMD) Attest(context.Context, int, [32]byte) (Report, error) {
	return Report{}, fmt.Errorf("%w: AMD's are for their confidential VMs, not for the card", ErrUnsupported)
}

// Close implements Source.
func (s *AMD) Close() error { return nil }

var amdCardName = regexp.MustCompile(`^card\d+$`) // card0-DP-1 is a connector

// list finds the cards that the amdgpu driver has now, in the order of their slots:
// card numbers change from boot to boot.
func (s *AMD) list() ([]amdCard, error) {
	drm := filepath.Join(s.root, "sys/class/drm")
	entries, err := os.ReadDir(drm)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrDriverGone, err)
	}
	driver := s.driver()
	var found []amdCard
	for _, e := range entries {
		dir := filepath.Join(drm, e.Name(), "device")
		if !amdCardName.MatchString(e.Name()) || line(dir, "vendor") != amdVendor {
			continue
		}
		total, ok := number(dir, "mem_info_vram_total")
		if !ok || total>>20 <= amdMinMiB {
			continue // integrated, not driven by amdgpu, or lost
		}
		slot, err := filepath.EvalSymlinks(dir)
		if err != nil {
			continue
		}
		address := strings.ToUpper(filepath.Base(slot)) // 0000:03:00.0
		found = append(found, amdCard{Device{
			Name: amdName(dir), UUID: s.uuid(dir, address), MemoryMiB: total >> 20, PCIBusID: "0000" + address, Driver: driver,
		}, dir})
	}
	if len(found) == 0 {
		return nil, ErrNoAMD
	}
	slices.SortFunc(found, func(a, b amdCard) int { return cmp.Compare(a.PCIBusID, b.PCIBusID) })
	for i := range found {
		found[i].Index = i
	}
	return found, nil
}

// driver names the driver: AMD's own package has a version, the kernel's has that of
// the kernel.
func (s *AMD) driver() string {
	if v := line(s.root, "sys/module/amdgpu/version"); v != "" {
		return "amdgpu " + v
	}
	return strings.TrimSpace("amdgpu, Linux " + line(s.root, "proc/sys/kernel/osrelease"))
}

// uuid is the number that is fused into the card, where it has one (Vega 20, Arcturus
// and later). Others get one from the machine and the slot: it changes with the slot.
func (s *AMD) uuid(dir, address string) string {
	if id := line(dir, "unique_id"); id != "" && strings.Trim(id, "0") != "" {
		return "AMD-" + id
	}
	h := sha256.Sum256(fmt.Appendf(nil, "grafi/amd/%s/%s/%s", line(s.root, "etc/machine-id"), address, line(dir, "device")))
	return fmt.Sprintf("AMD-%x", h[:16])
}

func amdName(dir string) string {
	if name := line(dir, "product_name"); name != "" {
		return "AMD " + strings.TrimPrefix(name, "AMD ")
	}
	return "AMD GPU " + line(dir, "device") // PCI device id
}

// read reads one card. sysfs answers an error for what a card does not have, and for
// everything once it fell off the bus.
func (c amdCard) read() Reading {
	r := Reading{UUID: c.UUID, Unsupported: NoXid | NoRemap}
	read := func(bit Unsupported, dir, name string, set func(uint64)) {
		if v, ok := number(dir, name); ok {
			set(v)
			return
		}
		r.Unsupported |= bit
	}
	read(NoMemory, c.dir, "mem_info_vram_total", func(v uint64) { r.MemoryTotalMiB = v >> 20 })
	read(NoMemory, c.dir, "mem_info_vram_used", func(v uint64) { r.MemoryUsedMiB = v >> 20 })
	read(NoUtilization, c.dir, "gpu_busy_percent", func(v uint64) { r.UtilizationPercent = uint32(min(v, 100)) })
	hwmon := c.dir
	if all, _ := filepath.Glob(filepath.Join(c.dir, "hwmon/hwmon*")); len(all) > 0 {
		hwmon = all[0]
	}
	read(NoTemperature, hwmon, "temp1_input", func(v uint64) { r.TemperatureC = uint32(min(v/1000, 1000)) }) // m°C, at the edge
	power := "power1_average"
	if _, ok := number(hwmon, power); !ok {
		power = "power1_input" // what newer cards have instead
	}
	read(NoPower, hwmon, power, func(v uint64) { r.PowerMilliwatt = uint32(min(v/1000, 1<<31)) }) // µW
	if ue, ce, ok := rasCounts(c.dir); ok {
		r.ECCUncorrected, r.ECCCorrected = ue, ce
		if ue > 0 {
			r.Flags |= FlagECC
		}
	} else {
		r.Unsupported |= NoECC
	}
	return r
}

// rasCounts reads the errors of the memory controller: "ue: 0\nce: 0".
func rasCounts(dir string) (ue, ce uint64, ok bool) {
	b, err := os.ReadFile(filepath.Join(dir, "ras/umc_err_count"))
	if err != nil {
		return 0, 0, false
	}
	if _, err := fmt.Sscanf(string(b), "ue: %d\nce: %d", &ue, &ce); err != nil {
		return 0, 0, false
	}
	return ue, ce, true
}

// line returns a file's first line, or "" when it can't be read.
func line(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(first)
}

// number returns a file's number. Cold cards show temperatures below zero: no number.
func number(dir, name string) (uint64, bool) {
	v, err := strconv.ParseUint(line(dir, name), 10, 64)
	return v, err == nil
}
