package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/grafilab/grafi/testutil/localnet"
	market "github.com/grafilab/grafi/x/gpumarket/types"
)

// grafid runs a command of the renter and returns its output.
func (d *demo) grafid(ctx context.Context, args ...string) ([]byte, error) {
	d.screen.command(append([]string{"grafid"}, args...)...)
	return localnet.Run(ctx, d.net.Program("grafid"), append(args, d.net.Signer("renter")...)...)
}

// rented is what grafid rent prints as JSON.
type rented struct {
	RentalID string    `json:"rental_id"`
	Escrow   string    `json:"escrow"`
	Bond     string    `json:"bond"`
	StartAt  time.Time `json:"start_at"`
}

func parseRented(out []byte) (v rented, err error) {
	if err := json.Unmarshal(out, &v); err != nil {
		return v, fmt.Errorf("grafid rent: %w in %s", err, out)
	}
	return v, nil
}

// match shows the dry run of a request.
func (d *demo) match(ctx context.Context) (string, error) {
	var host struct {
		GPUs []struct{ Class string } `json:"gpus"`
	}
	if err := d.net.Query(ctx, &host, "attestation", "host", d.host.ID); err != nil {
		return "", err
	}
	if len(host.GPUs) == 0 {
		return "", fmt.Errorf("host %s has no GPU on chain", d.host.ID)
	}
	out, err := d.grafid(ctx, "rent", "request", "--class", host.GPUs[0].Class, "--gpus", "1", "--duration", rentalTime.String(),
		"--max-price", "3000000ugrafi", "--dry-run")
	if err != nil {
		return "", err
	}
	d.screen.block(string(out))
	return "the same search as grafid rent request makes for real", nil
}

func (d *demo) rent(ctx context.Context) (string, error) {
	manifest, err := d.manifest("manifest.json", "-samples", "160", "-pause", "120ms")
	if err != nil {
		return "", err
	}
	out, err := d.grafid(ctx, "rent", d.listingID, manifest, "--gpus", "1", "--duration", rentalTime.String(),
		"--close-on-exit", "--wait", "--yes", "--output", "json")
	if err != nil {
		return "", err
	}
	rented, err := parseRented(out)
	if err != nil {
		return "", err
	}
	d.rentalID = rented.RentalID
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
		return r.State == market.RENTAL_STATE_CLOSED, err
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
	return "", nil
}
