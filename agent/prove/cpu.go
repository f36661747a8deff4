package prove

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/grafilab/grafi/x/attestation/compute"
)

// CPU is the prover of machines without a GPU: tests, and chains with the sim class.
type CPU struct {
	// MaxBytes bounds the memory of one proof; 1 GiB if 0.
	MaxBytes uint64
	// Workers is how many cores one proof uses; GOMAXPROCS if 0.
	Workers int

	mu sync.Mutex // one proof at a time has all of the workers
}

// Prove implements Prover. Several calls at once take turns, round by round.
func (c *CPU) Prove(ctx context.Context, _ string, w compute.Work) (Proof, error) {
	return prove(ctx, w, c.open)
}

func (c *CPU) opener(string) (opener, error) { return c.open, nil }

// Close implements Prover.
func (c *CPU) Close() error { return nil }

// Sizes of the CPU's blocks: a panel of B that is kept, and rows of A that one
// worker holds against each of its columns, so that a column is read once for all.
const (
	panelBytes = 32 << 20
	blockRows  = 8
)

type cpuEngine struct {
	cpu     *CPU
	work    compute.Work
	workers int
	panel   uint32 // columns of a panel, a power of two ≥ 16
	seed    compute.Hash
	rows    []compute.Hash
	c       []uint32 // the last C, where a walk follows
	cols    []byte   // a panel of B
}

func (c *CPU) open(_ context.Context, w compute.Work) (engine, error) {
	e := &cpuEngine{cpu: c, work: w, workers: c.Workers, panel: compute.LeafEntries}
	if e.workers <= 0 {
		e.workers = runtime.GOMAXPROCS(0)
	}
	for e.panel < w.N && 2*uint64(e.panel)*uint64(w.M) <= panelBytes {
		e.panel *= 2
	}
	need := uint64(e.panel)*uint64(w.M) + uint64(e.workers)*blockRows*uint64(w.M) + 64*uint64(w.N/e.panel)*uint64(w.N)
	if w.HasWalk() {
		need += 4*uint64(w.N)*uint64(w.N) + 64*uint64(w.WalkLanes) + 4*uint64(e.workers)*uint64(w.WalkSteps)
	}
	limit := c.MaxBytes
	if limit == 0 {
		limit = 1 << 30
	}
	if need > limit {
		return nil, fmt.Errorf("%w: a CPU needs %d MiB for n = %d and m = %d, may use %d MiB", ErrMemory, need>>20, w.N, w.M, limit>>20)
	}
	e.cols = make([]byte, uint64(e.panel)*uint64(w.M))
	if w.HasWalk() {
		e.c = make([]uint32, uint64(w.N)*uint64(w.N))
	}
	return e, nil
}

func (e *cpuEngine) close() { e.cols, e.c, e.rows = nil, nil, nil }

// each runs fn for 0 … n-1 on all workers, and stops at the end of ctx.
func (e *cpuEngine) each(ctx context.Context, n uint32, fn func(i uint32)) error {
	g, ctx := errgroup.WithContext(ctx)
	for worker := range min(e.workers, int(n)) {
		g.Go(func() error {
			for i := uint32(worker); i < n; i += uint32(min(e.workers, int(n))) {
				if err := ctx.Err(); err != nil {
					return err
				}
				fn(i)
			}
			return nil
		})
	}
	return g.Wait()
}

func (e *cpuEngine) round(ctx context.Context, seed compute.Hash) (compute.Hash, error) {
	e.cpu.mu.Lock()
	defer e.cpu.mu.Unlock()
	w := e.work
	e.seed = seed
	a, b := compute.NewVectors(compute.KeyA(seed)), compute.NewVectors(compute.KeyB(seed))
	panels := w.N / e.panel
	subtrees := make([]compute.Hash, uint64(w.N)*uint64(panels)) // by row, then panel
	for p := range panels {
		if err := e.fillPanel(ctx, b, p*e.panel); err != nil {
			return compute.Hash{}, err
		}
		if err := e.each(ctx, w.N/blockRows, func(block uint32) {
			rows := make([]byte, blockRows*w.M)
			out := make([]uint32, blockRows*e.panel)
			for r := range uint32(blockRows) {
				a.Fill(rows[r*w.M:(r+1)*w.M], block*blockRows+r)
			}
			for j := range e.panel {
				col := e.cols[j*w.M : (j+1)*w.M]
				for r := range uint32(blockRows) {
					out[r*e.panel+j] = compute.Dot(rows[r*w.M:(r+1)*w.M], col)
				}
			}
			for r := range uint32(blockRows) {
				row, values := block*blockRows+r, out[r*e.panel:(r+1)*e.panel]
				subtrees[row*panels+p] = compute.NewTree(compute.HashValues(values)).Root()
				if e.c != nil {
					copy(e.c[row*w.N+p*e.panel:], values)
				}
			}
		}); err != nil {
			return compute.Hash{}, err
		}
	}
	e.rows = make([]compute.Hash, w.N)
	for i := range e.rows {
		e.rows[i] = compute.NewTree(subtrees[i*int(panels):][:panels]).Root()
	}
	return compute.NewTree(e.rows).Root(), nil
}

func (e *cpuEngine) fillPanel(ctx context.Context, b compute.Vectors, first uint32) error {
	return e.each(ctx, e.panel, func(j uint32) {
		b.Fill(e.cols[j*e.work.M:(j+1)*e.work.M], first+j)
	})
}

func (e *cpuEngine) rowRoots(context.Context) ([]compute.Hash, error) { return e.rows, nil }

func (e *cpuEngine) row(ctx context.Context, index uint32) ([]uint32, error) {
	w := e.work
	if e.c != nil {
		return e.c[index*w.N : (index+1)*w.N], nil
	}
	e.cpu.mu.Lock()
	defer e.cpu.mu.Unlock()
	row, out := make([]byte, w.M), make([]uint32, w.N)
	compute.NewVectors(compute.KeyA(e.seed)).Fill(row, index)
	b := compute.NewVectors(compute.KeyB(e.seed))
	return out, e.each(ctx, w.N/compute.LeafEntries, func(block uint32) {
		col := make([]byte, w.M)
		for j := block * compute.LeafEntries; j < (block+1)*compute.LeafEntries; j++ {
			b.Fill(col, j)
			out[j] = compute.Dot(row, col)
		}
	})
}

func (e *cpuEngine) walk(ctx context.Context, seed compute.Hash) ([]compute.Hash, error) {
	e.cpu.mu.Lock()
	defer e.cpu.mu.Unlock()
	w := e.work
	lanes := make([]compute.Hash, w.WalkLanes)
	return lanes, e.each(ctx, w.WalkLanes, func(lane uint32) {
		trace := make([]uint32, w.WalkSteps)
		x := compute.LaneStart(seed, lane, w.N)
		for j := range trace {
			x = compute.WalkNext(x, e.c[x], lane, uint32(j), w.N)
			trace[j] = x
		}
		lanes[lane] = compute.NewTree(compute.HashValues(trace)).Root()
	})
}
