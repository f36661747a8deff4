package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/grafilab/grafi/testutil/localnet"
)

const (
	chainID = "grafi-demo"
	// A slot of the demo is 10 s instead of 10 minutes.
	slot         = 10 * time.Second
	startTimeout = 2 * time.Minute
	rentalTime   = 3 * time.Minute
	// stopTime bounds the clean stop of everything.
	stopTime = time.Minute
)

type options struct {
	bin, dir   string
	exit       bool
	engine     string
	unisolated bool
	basePort   int
}

// demo is one run; each step fills in what later ones need.
type demo struct {
	options
	screen   *screen
	net      *localnet.Network
	host     *localnet.Host
	registry *localnet.Registry

	firstSlot uint64 // the first one that the running agent can attest
	listingID string
	image     string
	rentalID  string
}

type step struct {
	title string
	run   func(context.Context) (note string, err error)
}

func run(ctx context.Context, o options) (err error) {
	d := &demo{options: o}
	steps := []step{
		{"A chain of your own", d.startChain},
		{"An operator with stake at risk", d.registerOperator},
		{"A host whose agent has a key of its own", d.registerHost},
		{"Agent and executor start", d.startHost},
		{"The host's GPUs are listed", d.list},
		{"An image with a path tracer goes to a registry", d.pushImage},
		{"A GPU is rented: escrow locked, container started", d.rent},
		{"The renter follows the logs through the gateway", d.followLogs},
		{"The renter fetches the result", d.fetchResult},
		{"The chain saw the host alive, slot by slot", d.showUptime},
		{"Settled: where every ugrafi went", d.showLedger},
	}
	d.screen = newScreen(os.Stdout, len(steps))
	fmt.Fprintln(d.screen.out, d.screen.bold("Grafilab: a GPU cloud that nobody has to trust"))

	defer func() { err = errors.Join(err, d.stop()) }()
	for _, s := range steps {
		end := d.screen.begin(s.title)
		note, err := s.run(ctx)
		end(note, err)
		if err != nil {
			return fmt.Errorf("%s: %w\nlogs are in %s", strings.ToLower(s.title), err, filepath.Join(d.dir, "logs"))
		}
	}
	fmt.Fprintf(d.screen.out, "\nAll done in %d s.\n", int(time.Since(d.screen.began).Seconds()))
	if d.exit {
		return nil
	}
	d.printNext()
	<-ctx.Done()
	fmt.Fprintln(d.screen.out, "\nstopping")
	return nil
}

// stop ends every program, the host before the chain.
func (d *demo) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	var errs []error
	if d.host != nil {
		errs = append(errs, d.host.Stop(ctx))
	}
	if d.net != nil {
		errs = append(errs, d.net.Stop())
	}
	if d.registry != nil {
		errs = append(errs, d.registry.Close())
	}
	return errors.Join(errs...)
}

func (d *demo) startChain(ctx context.Context) (string, error) {
	if err := localnet.Clear(d.dir); err != nil {
		return "", err
	}
	genesis, err := localnet.Genesis(localnet.Timing{Slot: slot, StartTimeout: startTimeout})
	if err != nil {
		return "", err
	}
	d.net, err = localnet.New(ctx, localnet.Options{
		Dir: d.dir, Bin: d.bin, ChainID: chainID, Validators: 1, BasePort: d.basePort,
		Accounts: []string{"operator", "renter"}, Genesis: genesis,
	})
	if err != nil {
		return "", err
	}
	if err := d.net.Start(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, a block a second, slots of %s instead of 10 minutes", chainID, slot), nil
}

func (d *demo) registerOperator(ctx context.Context) (string, error) {
	args := []string{"stakingext", "register-operator", "Demo Operator", "contributor", "1000000000ugrafi"}
	d.screen.command(append([]string{"grafid", "tx"}, args...)...)
	if _, err := d.net.Tx(ctx, "operator", args...); err != nil {
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
	args := []string{"gpumarket", "create-listing", d.host.ID, "2500000ugrafi", "--tier", "general"}
	d.screen.command(append([]string{"grafid", "tx"}, args...)...)
	tx, err := d.net.Tx(ctx, "operator", args...)
	if err != nil {
		return "", err
	}
	d.listingID = tx.Attribute("grafi.gpumarket.v1.EventListingCreated", "listing_id")
	return fmt.Sprintf("listing %s at 2.5 GRAFI per GPU and hour", d.listingID), nil
}

func (d *demo) pushImage(context.Context) (string, error) {
	var err error
	if d.registry, err = localnet.StartRegistry(); err != nil {
		return "", err
	}
	d.image, err = d.registry.PushProgram("grafilab/render", filepath.Join(d.bin, "render"))
	return d.image, err
}

func (d *demo) manifest() (string, error) {
	manifest := map[string]any{
		"image":     d.image,
		"args":      []string{"-samples", "160", "-pause", "200ms"},
		"resources": map[string]any{"cpu_millis": 1000, "memory_mib": 256, "disk_mib": 64, "pids": 64},
		"volumes":   []map[string]any{{"name": "data", "path": "/data"}},
		"results":   []string{"/data/picture.png"},
	}
	raw, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(d.dir, "manifest.json")
	return path, os.WriteFile(path, raw, 0o600)
}
