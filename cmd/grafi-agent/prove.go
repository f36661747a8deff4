package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/grafilab/grafi/agent/prove"
)

// proveCmd tests the GPUs as provers. The agent also runs it with --worker, for
// the proofs of challenges: see prove.Worker.
func proveCmd() *cobra.Command {
	var selftest, worker bool
	var device string
	c := &cobra.Command{
		Use: "prove", Short: "Test that the GPUs can answer challenges, and how fast", Args: noArgs,
		Long: `prove --selftest holds every GPU, or the one of --device, against known answers and
against the CPU, and measures what it reaches. It needs 2.5 GiB of the GPU's memory
for about half a minute: don't run it on a rented GPU.`,
		Example: "  grafi-agent prove --selftest --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			output, err := outputOf(cmd)
			if err != nil {
				return err
			}
			switch {
			case worker:
				return prove.Serve(cmd.Context(), os.Stdin, cmd.OutOrStdout(), func() (prove.Local, error) { return prove.OpenCUDA("") })
			case selftest:
				return proveSelftest(cmd, output, device)
			}
			return usageError{fmt.Errorf("prove: want --selftest")}
		},
	}
	c.Flags().BoolVar(&selftest, "selftest", false, "test the GPUs")
	c.Flags().StringVar(&device, "device", "", "UUID or PCI bus id of one GPU; all of them if empty")
	c.Flags().BoolVar(&worker, "worker", false, "answer one request of the agent on standard input")
	_ = c.Flags().MarkHidden("worker") // fails only for a flag that isn't there
	addOutput(c)
	return c
}

// selftestReport is one GPU's result, as it is printed.
type selftestReport struct {
	UUID        string   `json:"uuid"`
	Name        string   `json:"name"`
	Checks      []string `json:"checks"`
	Error       string   `json:"error,omitempty"`
	N           uint32   `json:"n,omitempty"`
	ProductTOPS float64  `json:"product_tops,omitempty"`
	RoundTOPS   float64  `json:"round_tops,omitempty"`
	PeakTOPS    float64  `json:"peak_tops,omitempty"`
	WalkGBps    float64  `json:"walk_gbps,omitempty"`
}

func proveSelftest(cmd *cobra.Command, output, device string) error {
	cuda, err := prove.OpenCUDA("")
	if err != nil {
		return err
	}
	defer func() { _ = cuda.Close() }() // holds nothing
	devices := []string{device}
	if device == "" {
		devices = devices[:0]
		for _, d := range cuda.Devices() {
			devices = append(devices, d.UUID)
		}
	}
	var reports []selftestReport
	var failed error
	for _, uuid := range devices {
		r, err := cuda.Selftest(cmd.Context(), uuid)
		report := selftestReport{
			UUID: r.Device.UUID, Name: r.Device.Name, Checks: r.Checks, N: r.N,
			ProductTOPS: r.ProductTOPS, RoundTOPS: r.RoundTOPS, PeakTOPS: r.PeakTOPS, WalkGBps: r.WalkGBps,
		}
		if err != nil {
			report.Error = err.Error()
			failed = fmt.Errorf("%s: %w", uuid, err)
		}
		reports = append(reports, report)
	}
	if err := show(cmd, output, reports, func(w *strings.Builder) { writeSelftests(w, reports) }); err != nil {
		return err
	}
	return failed
}

func writeSelftests(w *strings.Builder, reports []selftestReport) {
	for _, r := range reports {
		fmt.Fprintf(w, "%s  %s\n", r.UUID, r.Name)
		for i, check := range r.Checks {
			result := "ok"
			if r.Error != "" && i == len(r.Checks)-1 {
				result = "FAILED: " + r.Error
			}
			fmt.Fprintf(w, "  %-24s %s\n", check, result)
		}
		if r.Error != "" || r.N == 0 {
			continue
		}
		fmt.Fprintf(w, "  products at n = %-7d %.1f TOPS", r.N, r.ProductTOPS)
		if r.PeakTOPS > 0 {
			fmt.Fprintf(w, ", %.0f%% of %.1f", 100*r.ProductTOPS/r.PeakTOPS, r.PeakTOPS)
		}
		fmt.Fprintf(w, "\n  %-24s %.1f TOPS\n  %-24s %.1f GB/s\n", "whole rounds", r.RoundTOPS, "walk", r.WalkGBps)
	}
}
