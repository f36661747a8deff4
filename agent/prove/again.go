package prove

import (
	"fmt"
	"math/bits"

	"github.com/grafilab/grafi/x/attestation/compute"
)

// noRound is no round, row or lane.
const noRound = 1<<32 - 1

// again answers compute.Work.Open by computing rounds, rows and lanes again. An
// opening asks round by round and, for the leaves, row by row, so that it keeps
// one of each; the paths between ask for rows once more.
type again struct {
	proof *proof
	seeds []compute.Hash
	e     engine

	round  uint32
	top    compute.Tree // over the rows' roots of round, or over the lanes'
	row    uint32
	lane   uint32
	values []uint32     // of row or lane
	tree   compute.Tree // of row or lane
}

func (a *again) close() {
	if a.e != nil {
		a.e.close()
	}
}

// Leaf implements compute.Trees.
func (a *again) Leaf(round uint32, index uint64) (leaf [compute.LeafSize]byte, err error) {
	width := a.width(round)
	if err := a.load(round, uint32(index/width)); err != nil {
		return leaf, err
	}
	compute.PutLeaf(&leaf, a.values[index%width*compute.LeafEntries:])
	return leaf, nil
}

// Node implements compute.Trees.
func (a *again) Node(round uint32, level int, index uint64) (compute.Hash, error) {
	depth := bits.TrailingZeros64(a.width(round))
	if level >= depth {
		if err := a.loadTop(round); err != nil {
			return compute.Hash{}, err
		}
		return a.top[level-depth][index], nil
	}
	width := a.width(round) >> level
	if err := a.load(round, uint32(index/width)); err != nil {
		return compute.Hash{}, err
	}
	return a.tree[level][index%width], nil
}

// width is the number of leaves of a row, or of a lane of the walk.
func (a *again) width(round uint32) uint64 {
	if round == a.proof.work.Rounds {
		return a.proof.work.LaneLeaves()
	}
	return a.proof.work.RowLeaves()
}

// loadTop makes top the tree over the rows (lanes) of a round (the walk).
func (a *again) loadTop(round uint32) error {
	if a.round == round {
		return nil
	}
	a.round, a.row = noRound, noRound
	w := a.proof.work
	if round < w.Rounds {
		return a.recompute(round)
	}
	// The walk is over the last C.
	if err := a.recompute(w.Rounds - 1); err != nil {
		return err
	}
	lanes, err := a.e.walk(a.proof.ctx, a.seeds[w.Rounds])
	if err != nil {
		return err
	}
	a.top = compute.NewTree(lanes)
	if got, want := a.top.Root(), *a.proof.walkRoot; got != want {
		return fmt.Errorf("walk has root %x now, had %x: the device computes wrong", got[:8], want[:8])
	}
	a.round = w.Rounds
	return nil
}

// recompute makes round the engine's last one, and top the tree over its rows.
func (a *again) recompute(round uint32) error {
	ctx := a.proof.ctx
	if a.e == nil {
		e, err := a.proof.open(ctx, a.proof.work)
		if err != nil {
			return err
		}
		a.e = e
	}
	root, err := a.e.round(ctx, a.seeds[round])
	if err != nil {
		return err
	}
	if want := a.proof.roots[round]; root != want {
		return fmt.Errorf("round %d has root %x now, had %x: the device computes wrong", round, root[:8], want[:8])
	}
	rows, err := a.e.rowRoots(ctx)
	if err != nil {
		return err
	}
	a.top = compute.NewTree(rows)
	a.round = round
	return nil
}

// load makes values and tree those of a row (lane) of a round (the walk).
func (a *again) load(round, index uint32) error {
	if err := a.loadTop(round); err != nil {
		return err
	}
	var err error
	if round == a.proof.work.Rounds {
		if a.lane == index {
			return nil
		}
		if a.values, err = a.trace(index); err != nil {
			return err
		}
		a.lane = index
	} else {
		if a.row == index {
			return nil
		}
		if a.values, err = a.e.row(a.proof.ctx, index); err != nil {
			return err
		}
		a.row = index
	}
	a.tree = compute.NewTree(compute.HashValues(a.values))
	if got, want := a.tree.Root(), a.top[0][index]; got != want {
		return fmt.Errorf("row or lane %d of tree %d has root %x, want %x: the device computes wrong", index, round, got[:8], want[:8])
	}
	return nil
}

// trace walks one lane on the CPU: an entry of C for each step.
func (a *again) trace(lane uint32) ([]uint32, error) {
	w := a.proof.work
	cells := w.NewCells(a.seeds[w.Rounds-1], nil)
	x := compute.LaneStart(a.seeds[w.Rounds], lane, w.N)
	trace := make([]uint32, w.WalkSteps)
	for j := range trace {
		if err := a.proof.ctx.Err(); err != nil {
			return nil, err
		}
		x = compute.WalkNext(x, cells.At(x/w.N, x%w.N), lane, uint32(j), w.N)
		trace[j] = x
	}
	return trace, nil
}
