package gpu

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Options says which source is wanted.
type Options struct {
	// Source is "auto", "nvml", "amd" or "sim". "auto" takes NVML where its library
	// is there, and falls to simulated GPUs where it is not or sees no GPU. It never
	// takes AMD: no class of a chain has its cards yet, so they must be asked for.
	Source string
	// NVMLPath overrides the system's libnvidia-ml.so.1 or nvml.dll.
	NVMLPath string
	// Root is where AMD's tree begins; / when empty.
	Root    string
	SimGPUs int
	// SimSeed makes simulated UUIDs this machine's own.
	SimSeed []byte
}

// Open returns the source that opt asks for. With "nvml" the driver need not be
// there yet; with "auto" it decides once, so a driver that is away for a moment
// never turns a real host into a simulated one while it runs.
func Open(ctx context.Context, opt Options, log *slog.Logger) (Source, error) {
	switch opt.Source {
	case "nvml":
		return NewNVML(opt.NVMLPath, log), nil
	case "amd":
		return NewAMD(cmp.Or(opt.Root, "/"), log), nil
	case "sim":
		return NewSim(opt.SimGPUs, opt.SimSeed)
	case "auto":
	default:
		return nil, fmt.Errorf("gpu source %q: want auto, nvml, amd or sim", opt.Source)
	}
	src := NewNVML(opt.NVMLPath, log)
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	devices, err := src.Devices(ctx)
	switch {
	case err == nil && len(devices) > 0:
		return src, nil
	case errors.Is(err, ErrNoLibrary), err == nil: // nothing to wait for
	case IsTransient(err):
		return src, nil // away for now; it is read when it returns
	default:
		return nil, errors.Join(err, src.Close()) // there but unfit: no reason to simulate
	}
	_ = src.Close()
	if cards, amdErr := NewAMD(cmp.Or(opt.Root, "/"), log).Devices(ctx); amdErr == nil {
		log.Warn("AMD GPUs are here; gpu-source amd offers them instead of simulated ones, to be seen and not to earn", "gpus", len(cards))
	}
	log.Warn("SIM: no NVIDIA driver or no GPU found, offering simulated GPUs, which only local and test chains accept",
		"gpus", opt.SimGPUs, "reason", fmt.Sprint(err))
	return NewSim(opt.SimGPUs, opt.SimSeed)
}
