package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/grafilab/grafi/testutil/localnet"
)

// grafid runs a command of the renter and returns its output.
func (d *demo) grafid(ctx context.Context, args ...string) ([]byte, error) {
	d.screen.command(append([]string{"grafid"}, args...)...)
	return localnet.Run(ctx, d.net.Program("grafid"), append(args, d.net.Signer("renter")...)...)
}

func (d *demo) rent(ctx context.Context) (string, error) {
	manifest, err := d.manifest()
	if err != nil {
		return "", err
	}
	out, err := d.grafid(ctx, "rent", d.listingID, manifest, "--gpus", "1", "--duration", rentalTime.String(),
		"--close-on-exit", "--wait", "--yes", "--output", "json")
	if err != nil {
		return "", err
	}
	var rented struct {
		RentalID json.Number `json:"rental_id"`
		Escrow   string      `json:"escrow"`
	}
	if err := json.Unmarshal(out, &rented); err != nil {
		return "", fmt.Errorf("grafid rent: %w in %s", err, out)
	}
	d.rentalID = rented.RentalID.String()
	return fmt.Sprintf("rental %s runs, %s in escrow", d.rentalID, rented.Escrow), nil
}

func (d *demo) followLogs(ctx context.Context) (string, error) {
	args := []string{"logs", d.rentalID, "--follow"}
	d.screen.command(append([]string{"grafid"}, args...)...)
	cmd := exec.CommandContext(ctx, d.net.Program("grafid"), append(args, d.net.Signer("renter")...)...)
	var stderr strings.Builder
	cmd.Stdout, cmd.Stderr = d.screen, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("grafid logs: %w: %s", err, stderr.String())
	}
	return "", nil
}

func (d *demo) fetchResult(ctx context.Context) (string, error) {
	dir := filepath.Join(d.dir, "results")
	if _, err := d.grafid(ctx, "results", d.rentalID, "--out", dir); err != nil {
		return "", err
	}
	picture := filepath.Join(dir, "picture.png")
	info, err := os.Stat(picture)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, %d kB: have a look", picture, info.Size()/1000), nil
}

// showUptime waits until the rental is closed and a slot of it was attested.
func (d *demo) showUptime(ctx context.Context) (string, error) {
	if err := localnet.Until(ctx, "the close of the rental", func() (bool, error) {
		r, err := d.net.Rental(ctx, d.rentalID)
		return r.State == "RENTAL_STATE_CLOSED", err
	}); err != nil {
		return "", err
	}
	var line string
	var first, last uint64
	err := localnet.Until(ctx, "an attested slot", func() (bool, error) {
		var err error
		if last, err = d.net.LastClosedSlot(ctx); err != nil {
			return false, err
		}
		first, line = max(d.firstSlot, last-min(last, 31)), ""
		for s := first; s <= last; s++ {
			attested, err := d.net.Attested(ctx, d.host.ID, s)
			if err != nil {
				return false, err
			}
			line += map[bool]string{true: "█", false: "·"}[attested]
		}
		return strings.Contains(line, "█"), nil
	})
	return fmt.Sprintf("slots %d to %d  %s", first, last, line), err
}

func (d *demo) showLedger(ctx context.Context) (string, error) {
	out, err := d.grafid(ctx, "ledger", d.rentalID)
	if err != nil {
		return "", err
	}
	d.screen.block(string(out))
	for _, module := range []string{"stakingext", "attestation", "gpumarket"} {
		var got struct {
			Broken []string `json:"broken"`
		}
		if err := d.net.Query(ctx, &got, module, "invariants"); err != nil {
			return "", err
		}
		if len(got.Broken) > 0 {
			return "", fmt.Errorf("invariants of %s: %s", module, strings.Join(got.Broken, "; "))
		}
	}
	return "the chain's own invariants hold", nil
}

// printNext says what to try while everything stays up.
func (d *demo) printNext() {
	grafid := d.net.Program("grafid")
	node := "--node " + d.net.Nodes[0].RPC
	fmt.Fprintf(d.screen.out, `
Everything stays up. In another terminal:

  the rental        %[1]s rental %[2]s %[3]s
  all listings      %[1]s query gpumarket listings %[3]s
  a quote           %[1]s query gpumarket quote %[4]s 1 3600 %[3]s
  the host          %[1]s query attestation host %[5]s %[3]s
  the agent         %[6]s status --home %[7]s
  rent again        %[1]s rent %[4]s %[8]s --gpus 1 --duration 3m --close-on-exit --wait %[9]s

Try to hurt it: kill -9 the node, the agent or the executor (pids %[10]s) and look again.
Logs are in %[11]s. Ctrl-C ends it.
`, grafid, d.rentalID, node, d.listingID, d.host.ID, d.net.Program("grafi-agent"), d.host.AgentHome,
		filepath.Join(d.dir, "manifest.json"), strings.Join(d.net.Signer("renter"), " "), d.pids(), filepath.Join(d.dir, "logs"))
}

func (d *demo) pids() string {
	var ids []string
	for _, p := range []*localnet.Process{d.net.Nodes[0].Process, d.host.Agent, d.host.Executor} {
		ids = append(ids, fmt.Sprintf("%s %d", p.Name, p.PID()))
	}
	return strings.Join(ids, ", ")
}
