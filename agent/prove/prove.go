// Package prove does the work of a proof of compute, on a CPU or on NVIDIA GPUs,
// and opens what the chain samples. What is computed, committed and opened is
// defined by x/attestation/compute; README.md says how.
package prove

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/grafilab/grafi/x/attestation/compute"
)

// Prover does the work of a challenge on one of the machine's devices. It is
// safe for concurrent use, for several GPUs are challenged at once.
type Prover interface {
	// Prove blocks until the work is done or ctx ends. device is the GPU's UUID
	// ("GPU-…") or its PCI bus id; a CPU prover takes any.
	Prove(ctx context.Context, device string, w compute.Work) (Proof, error)
	// Close waits for nothing: what still runs must have been cancelled before.
	Close() error
}

// Proof is work that was done. It is small: the roots of all rounds.
type Proof interface {
	// Commitment is what the chain stores before anyone knows the samples.
	Commitment() [32]byte
	// Open returns the opening of t samples. The rounds and lanes that the samples
	// are in are computed again, on the same device.
	Open(sample [32]byte, t int) ([]byte, error)
	// Close frees the proof and cancels an Open that runs.
	Close()
}

// ErrNoDevice means that no device of that name can prove.
var ErrNoDevice = errors.New("no such device")

// ErrMemory means that the work needs more memory than the device has free, or
// the prover may use.
var ErrMemory = errors.New("not enough memory")

// engine computes on one device. It is used by one goroutine at a time.
type engine interface {
	// round computes C of the round with this seed, keeps it until the next
	// round, and returns the root of its tree.
	round(ctx context.Context, seed compute.Hash) (compute.Hash, error)
	// rowRoots returns, of the last round, the root of each row's subtree.
	rowRoots(ctx context.Context) ([]compute.Hash, error)
	// row returns one row of the last round's C.
	row(ctx context.Context, index uint32) ([]uint32, error)
	// walk walks over the last round's C and returns the root of each lane's trace.
	walk(ctx context.Context, seed compute.Hash) ([]compute.Hash, error)
	close()
}

// opener makes the engine for a work.
type opener func(ctx context.Context, w compute.Work) (engine, error)

// proof is the Proof of every prover.
type proof struct {
	work       compute.Work
	roots      []compute.Hash
	walkRoot   *compute.Hash
	commitment compute.Hash

	ctx    context.Context
	cancel context.CancelFunc
	mu     sync.Mutex // one Open at a time
	open   opener
}

// prove runs all rounds, and the walk, on a new engine.
func prove(ctx context.Context, w compute.Work, open opener) (Proof, error) {
	if err := w.Validate(); err != nil {
		return nil, err
	}
	e, err := open(ctx, w)
	if err != nil {
		return nil, err
	}
	defer e.close()
	p := &proof{work: w, open: open}
	seed := w.Seed
	for r := range w.Rounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		root, err := e.round(ctx, seed)
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", r, err)
		}
		p.roots = append(p.roots, root)
		seed = compute.NextSeed(seed, root)
	}
	if w.HasWalk() {
		lanes, err := e.walk(ctx, seed)
		if err != nil {
			return nil, fmt.Errorf("walk: %w", err)
		}
		root := compute.NewTree(lanes).Root()
		p.walkRoot = &root
	}
	return p.seal(ctx), nil
}

// seal makes the proof one that can be opened.
func (p *proof) seal(ctx context.Context) *proof {
	p.commitment = compute.Commitment(p.roots, p.walkRoot)
	p.ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx)) // Close ends it, not the end of Prove's ctx
	return p
}

func (p *proof) Commitment() [32]byte { return p.commitment }

func (p *proof) Close() { p.cancel() }

// Open implements Proof.
func (p *proof) Open(sample [32]byte, t int) ([]byte, error) {
	if err := checkSamples(t); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.ctx.Err(); err != nil {
		return nil, err
	}
	trees := &again{proof: p, seeds: p.work.Seeds(p.roots), round: noRound, row: noRound, lane: noRound}
	defer trees.close()
	opening, err := p.work.Open(p.work.Draw(p.commitment, sample, uint32(t)), p.roots, p.walkRoot, trees)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	return opening, nil
}

func checkSamples(t int) error {
	if t < 1 || t > compute.MaxSamples {
		return fmt.Errorf("%w: samples is %d, want 1 to %d", compute.ErrInvalidWork, t, compute.MaxSamples)
	}
	return nil
}
