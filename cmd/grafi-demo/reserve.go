package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/grafilab/grafi/testutil/localnet"
	market "github.com/grafilab/grafi/x/gpumarket/types"
)

// Of the reserved rental: how far ahead it begins, how long it would last, and
// how many slots of it the agent lives to attest.
const (
	ahead       = 12 * time.Second
	reservedFor = 10 * time.Minute
	goodSlots   = 2
)

func (d *demo) reserve(ctx context.Context) (string, error) {
	// One picture row in ten seconds: it will not end by itself.
	manifest, err := d.manifest("long.json", "-samples", "8", "-pause", "10s")
	if err != nil {
		return "", err
	}
	out, err := d.grafid(ctx, "rent", d.listingID, manifest, "--gpus", "1", "--duration", reservedFor.String(),
		"--start", ahead.String(), "--wait", "--yes", "--output", "json")
	if err != nil {
		return "", err
	}
	v, err := parseRented(out)
	if err != nil {
		return "", err
	}
	d.reservedID = v.RentalID
	r, err := d.net.Rental(ctx, d.reservedID)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("rental %s, %s in escrow, %s of the operator's stake locked; reserved for %s, started %s",
		d.reservedID, v.Escrow, grafi(v.Bond), v.StartAt.Format(time.TimeOnly), r.StartedAt.Format(time.TimeOnly)), nil
}

// killAgent lets the host attest a few slots of the rental and kills its agent.
func (d *demo) killAgent(ctx context.Context) (string, error) {
	r, err := d.net.Rental(ctx, d.reservedID)
	if err != nil {
		return "", err
	}
	first := uint64(r.StartedAt.Unix())/uint64(slot.Seconds()) + 1
	for s := first; s < first+goodSlots; s++ {
		if err := localnet.Until(ctx, fmt.Sprintf("the attestation of slot %d", s), func() (bool, error) {
			return d.net.Attested(ctx, d.host.ID, s)
		}); err != nil {
			return "", err
		}
	}
	pid := d.host.Agent.PID()
	d.screen.command("kill", "-9", fmt.Sprint(pid))
	return fmt.Sprintf("after %d attested slots; the container goes on, but nobody vouches for it", goodSlots), d.host.Agent.Kill()
}

// showSilence waits for the close and starts the agent again.
func (d *demo) showSilence(ctx context.Context) (string, error) {
	var r market.Rental
	if err := localnet.Until(ctx, "the close of the silent rental", func() (bool, error) {
		var err error
		r, err = d.net.Rental(ctx, d.reservedID)
		return r.State == market.RENTAL_STATE_CLOSED, err
	}); err != nil {
		return "", err
	}
	if r.CloseReason != market.CLOSE_REASON_SILENT {
		return "", fmt.Errorf("rental %s closed by %s, want %s", d.reservedID, r.CloseReason, market.CLOSE_REASON_SILENT)
	}
	out, err := d.grafid(ctx, "ledger", d.reservedID)
	if err != nil {
		return "", err
	}
	d.screen.block(string(out))
	credits, err := d.fromStake(ctx)
	if err != nil {
		return "", err
	}
	return strings.Join(credits, ", ") + "; nobody had to ask", d.host.Agent.Start()
}

// fromStake returns what the operator's stake paid the renter, and fails when a
// part that it owes is missing.
func (d *demo) fromStake(ctx context.Context) ([]string, error) {
	raw, err := localnet.Run(ctx, d.net.Program("grafid"), append([]string{"ledger", d.reservedID, "--output", "json"}, d.net.Signer("renter")...)...)
	if err != nil {
		return nil, err
	}
	var ledger struct {
		FromStake []struct{ Kind, Paid string } `json:"from_stake"`
	}
	if err := json.Unmarshal(raw, &ledger); err != nil {
		return nil, fmt.Errorf("grafid ledger: %w in %s", err, raw)
	}
	var paid []string
	for _, want := range []string{"service credit", "bond"} {
		found := false
		for _, c := range ledger.FromStake {
			if c.Kind == want && c.Paid != "" && c.Paid != "0" {
				paid, found = append(paid, fmt.Sprintf("%s %s", want, grafi(c.Paid))), true
			}
		}
		if !found {
			return nil, fmt.Errorf("rental %s: the stake paid no %s", d.reservedID, want)
		}
	}
	return paid, nil
}
