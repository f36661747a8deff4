// Command nvmlchild plays a script of calls to gpu.NVML and prints what came of each
// as a line of JSON. Tests run it as a process of its own, in three builds: the loader
// keeps a library for the life of a process, an unguarded call ends the process,
// and the Windows build runs under wine.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/grafilab/grafi/agent/gpu"
)

// Step is what one command did.
type Step struct {
	Devices []gpu.Device
	Sample  gpu.Sample
	Report  gpu.Report
	Kind    gpu.Kind
	Err     string
	Is      []string      // the sentinel errors that it is
	PerCall time.Duration // processor time of one sample
}

var sentinels = map[string]error{
	"gone": gpu.ErrDriverGone, "old": gpu.ErrDriverTooOld, "busy": gpu.ErrBusy, "updated": gpu.ErrDriverUpdated,
	"nolib": gpu.ErrNoLibrary, "unsupported": gpu.ErrUnsupported, "nothopper": gpu.ErrNotHopper,
	"ccoff": gpu.ErrConfidentialComputingOff, "nogpu": gpu.ErrNoGPU, "badreport": gpu.ErrBadReport,
}

func main() {
	path := os.Getenv("GRAFI_NVML_PATH")
	src := gpu.NewNVML(path, slog.New(slog.DiscardHandler))
	out := json.NewEncoder(os.Stdout)
	for _, cmd := range strings.Split(os.Getenv("GRAFI_NVML_SCRIPT"), "|") {
		var s Step
		err := s.do(src, path, cmd)
		if err != nil {
			s.Err = err.Error()
		}
		for name, is := range sentinels {
			if errors.Is(err, is) {
				s.Is = append(s.Is, name)
			}
		}
		_ = out.Encode(s)
	}
}

// do runs a command: devices, sample, "try" (a sample with little patience), "attest
// INDEX NONCE", auto, "set KEY=VALUE;..." for the stub's state, "bench N", unguarded.
func (s *Step) do(src *gpu.NVML, path, cmd string) (err error) {
	name, arg, _ := strings.Cut(cmd, " ")
	patience := 20 * time.Second
	if name == "try" {
		patience = 300 * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	switch name {
	case "devices":
		s.Devices, err = src.Devices(ctx)
	case "sample", "try":
		s.Sample, err = src.Sample(ctx)
	case "attest":
		index, nonce, _ := strings.Cut(arg, " ")
		i, err := strconv.Atoi(index)
		if err != nil {
			return err
		}
		var n [32]byte
		if _, err := hex.Decode(n[:], []byte(nonce)); err != nil {
			return err
		}
		s.Report, err = src.Attest(ctx, i, n)
		return err
	case "auto":
		var opened gpu.Source
		opened, err = gpu.Open(ctx, gpu.Options{Source: "auto", NVMLPath: path, SimGPUs: 1}, slog.New(slog.DiscardHandler))
		if err == nil {
			s.Kind = opened.Kind()
		}
	case "set":
		err = os.WriteFile(os.Getenv("NVML_STUB_STATE"), []byte(strings.ReplaceAll(arg, ";", "\n")+"\n"), 0o600)
	case "bench":
		n, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		start := cpuTime()
		for range n {
			if _, err := src.Sample(ctx); err != nil {
				return err
			}
		}
		s.PerCall = (cpuTime() - start) / time.Duration(n)
	case "unguarded":
		unguarded(path)
	default:
		err = fmt.Errorf("unknown command %q", cmd)
	}
	return err
}
