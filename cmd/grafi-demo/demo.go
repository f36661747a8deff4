package main

import (
	"context"
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
	// A slot of the demo is 5 s instead of 10 minutes, and a day has 6 of them.
	slot         = 5 * time.Second
	window       = 8 * time.Second
	slotsPerDay  = 6
	evidence     = 5 * time.Second
	drawEvery    = 10 * time.Second
	voting       = 30 * time.Second
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

	firstSlot  uint64 // the first one that the running agent can attest
	listingID  string
	proposalID string
	image      string
	rentalID   string
	reservedID string
	day        string // the one whose reward is claimed
}

type step struct {
	title string
	run   func(context.Context) (note string, err error)
}

func (d *demo) steps() []step {
	return []step{
		{"A chain of your own", d.startChain},
		{"An operator with stake at risk", d.registerOperator},
		{"Somebody without a GPU stakes on the operator", d.delegate},
		{"A host whose agent has a key of its own", d.registerHost},
		{"Agent and executor start", d.startHost},
		{"The chain challenges the GPU, and recomputes parts of its answer", d.proveCompute},
		{"The host's GPUs are listed, also for reservations", d.list},
		{"A proposal, and the votes of those who have stake at operators", d.propose},
		{"An image with a path tracer goes to a registry", d.pushImage},
		{"The chain looks for the cheapest GPU that fits", d.match},
		{"A GPU is rented: escrow locked, container started", d.rent},
		{"The renter follows the logs through the gateway", d.followLogs},
		{"The renter fetches the result", d.fetchResult},
		{"The chain saw the host alive, slot by slot", d.showUptime},
		{"Settled: where every ugrafi went", d.showLedger},
		{"A GPU is reserved for later; the operator's stake answers for it", d.reserve},
		{"The rental runs, and its agent is killed", d.killAgent},
		{"Nobody says a word; the chain closes it and pays the renter", d.showSilence},
		{"The vote is over", d.showVote},
		{"A day has passed: the operator claims its mining reward", d.claimMining},
		{"The reward is computed again, offline, from what the chain answers", d.explain},
		{"The public staker claims its part", d.claimStaking},
		{"Every account of every module adds up", d.showInvariants},
	}
}

func run(ctx context.Context, o options) (err error) {
	d := &demo{options: o}
	steps := d.steps()
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

// tx shows a transaction as a user would type it, and sends it.
func (d *demo) tx(ctx context.Context, from string, args ...string) (localnet.TxResult, error) {
	d.screen.command(append([]string{"grafid", "tx"}, args...)...)
	return d.net.Tx(ctx, from, args...)
}
