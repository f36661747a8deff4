package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/grafilab/grafi/testutil/localnet"
)

func (d *demo) startChain(ctx context.Context) (string, error) {
	if err := localnet.Clear(d.dir); err != nil {
		return "", err
	}
	genesis, err := localnet.Genesis(localnet.Timing{
		Slot: slot, Window: window, StartTimeout: startTimeout, SlotsPerDay: slotsPerDay, Evidence: evidence, Voting: voting,
		DrawEvery: drawEvery,
	})
	if err != nil {
		return "", err
	}
	d.net, err = localnet.New(ctx, localnet.Options{
		Dir: d.dir, Bin: d.bin, ChainID: chainID, Validators: 1, BasePort: d.basePort,
		Accounts: []string{"operator", "renter", "staker"}, Genesis: genesis, Stake: validatorStake,
	})
	if err != nil {
		return "", err
	}
	if err := d.net.Start(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, a block a second; a slot is %s instead of 10 minutes, a day %s", chainID, slot, slotsPerDay*slot), nil
}

func (d *demo) registerOperator(ctx context.Context) (string, error) {
	args := []string{"stakingext", "register-operator", "Demo Operator", "contributor", ownStake, "--commission-ppm", "100000"}
	if _, err := d.tx(ctx, "operator", args...); err != nil {
		return "", err
	}
	return "1,000 GRAFI bonded by " + d.net.Accounts["operator"], nil
}

func (d *demo) registerHost(ctx context.Context) (string, error) {
	var err error
	d.host, err = localnet.NewHost(ctx, d.net, localnet.HostOptions{
		Name: "host", Operator: "operator", Port: d.basePort + 9, Engine: d.engine, Unisolated: d.unisolated,
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("host %s, %s", d.host.ID, strings.Join(d.host.GPUs, ", ")), nil
}

func (d *demo) startHost(ctx context.Context) (string, error) {
	if err := d.host.Start(ctx); err != nil {
		return "", err
	}
	last, err := d.net.LastClosedSlot(ctx)
	if err != nil {
		return "", err
	}
	d.firstSlot = last + 1
	return "engine: " + d.host.Engine, nil
}

func (d *demo) list(ctx context.Context) (string, error) {
	args := []string{
		"gpumarket", "create-listing", d.host.ID, "2500000ugrafi", "--tier", "general",
		"--interruptible-price", "1000000ugrafi", "--max-ahead-seconds", "604800",
	}
	tx, err := d.tx(ctx, "operator", args...)
	if err != nil {
		return "", err
	}
	d.listingID = tx.Attribute("grafi.gpumarket.v1.EventListingCreated", "listing_id")
	return fmt.Sprintf("listing %s at 2.5 GRAFI per GPU and hour, 1 interruptible, up to a week ahead", d.listingID), nil
}

func (d *demo) pushImage(context.Context) (string, error) {
	var err error
	if d.registry, err = localnet.StartRegistry(); err != nil {
		return "", err
	}
	d.image, err = d.registry.PushProgram("grafilab/render", filepath.Join(d.bin, "render"))
	return d.image, err
}

// manifest writes one for the path tracer and returns its path.
func (d *demo) manifest(name string, args ...string) (string, error) {
	manifest := map[string]any{
		"image":     d.image,
		"args":      args,
		"resources": map[string]any{"cpu_millis": 1000, "memory_mib": 256, "disk_mib": 64, "pids": 64},
		"volumes":   []map[string]any{{"name": "data", "path": "/data"}},
		"results":   []string{"/data/picture.png"},
	}
	raw, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(d.dir, name)
	return path, os.WriteFile(path, raw, 0o600)
}
