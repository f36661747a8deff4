package compute

// Verify checks the opening of a commitment at the t samples that the beacon
// names. It returns nil when every path leads to the commitment and every sampled
// entry and step is what the work computes; a *Wrong when the opening shows
// otherwise; ErrInvalidWork when the question itself has no answer.
//
// It uses about 2·M bytes and the size of the opening, and t recomputed entries
// of 2·M bytes of AES and M products; no input makes it panic.
func Verify(w Work, commitment, beacon Hash, t uint32, opening []byte) error {
	if err := w.Validate(); err != nil {
		return err
	}
	if t < 1 || t > MaxSamples {
		return invalid("samples is %d, want 1 to %d", t, MaxSamples)
	}
	s := w.Draw(commitment, beacon, t)
	o, err := w.decode(s, opening)
	if err != nil {
		return err
	}
	if got := Commitment(o.roots, o.walkRoot); got != commitment {
		return wrong("roots give commitment %x, committed %x", got[:8], commitment[:8])
	}
	if err := w.checkPaths(o); err != nil {
		return err
	}
	seeds := w.Seeds(o.roots)
	if err := w.checkEntries(s.Entries, o, seeds); err != nil {
		return err
	}
	return w.checkSteps(s.Steps, o, seeds)
}

// checkPaths checks that the opened leaves are in the committed trees.
func (w Work) checkPaths(o opened) error {
	var nodes []node
	for i, p := range o.parts {
		nodes = nodes[:0]
		for j, index := range p.leaves {
			leaf := [LeafSize]byte(o.leaves[i][j*LeafSize:])
			nodes = append(nodes, node{index: index, hash: LeafHash(&leaf)})
		}
		root := o.walkRoot
		if p.round < w.Rounds {
			root = &o.roots[p.round]
		}
		if got := fold(nodes, p.depth, o.proofs[i]); got != *root {
			return wrong("paths in tree %d lead to %x, its root is %x", p.round, got[:8], root[:8])
		}
	}
	return nil
}

// checkEntries recomputes the sampled entries of C.
func (w Work) checkEntries(entries []Entry, o opened, seeds []Hash) error {
	var c *Cells
	for i, e := range entries {
		if i == 0 || e.Round != entries[i-1].Round {
			c = w.NewCells(seeds[e.Round], c)
		}
		leaf := o.find(e.Round, e.Leaf(w))
		if got, want := LeafValue(leaf, int(e.Col%LeafEntries)), c.At(e.Row, e.Col); got != want {
			return wrong("entry (%d, %d) of round %d is %d, want %d", e.Row, e.Col, e.Round, got, want)
		}
	}
	return nil
}

// checkSteps recomputes the sampled steps of the walk.
func (w Work) checkSteps(steps []Step, o opened, seeds []Hash) error {
	if len(steps) == 0 {
		return nil
	}
	c := w.NewCells(seeds[w.Rounds-1], nil)
	value := func(lane, j uint32) uint32 {
		leaf := o.find(w.Rounds, uint64(lane)*w.LaneLeaves()+uint64(j)/LeafEntries)
		return LeafValue(leaf, int(j%LeafEntries))
	}
	for _, s := range steps {
		var x uint32
		if s.J == 0 {
			x = LaneStart(seeds[w.Rounds], s.Lane, w.N)
		} else if x = value(s.Lane, s.J-1); x >= w.N*w.N {
			return wrong("lane %d of the walk is at %d after step %d, want below %d", s.Lane, x, s.J-1, w.N*w.N)
		}
		want := WalkNext(x, c.At(x/w.N, x%w.N), s.Lane, s.J, w.N)
		if got := value(s.Lane, s.J); got != want {
			return wrong("lane %d of the walk is at %d after step %d, want %d", s.Lane, got, s.J, want)
		}
	}
	return nil
}

// Cells computes single entries of one round's C. It isn't safe for concurrent use.
type Cells struct {
	a, b     Vectors
	row, col []byte
}

// NewCells returns the entries of the round with this seed. It takes over the
// buffers of reuse, which may be nil.
func (w Work) NewCells(seed Hash, reuse *Cells) *Cells {
	c := &Cells{a: NewVectors(KeyA(seed)), b: NewVectors(KeyB(seed))}
	if reuse != nil {
		c.row, c.col = reuse.row, reuse.col
	} else {
		c.row, c.col = make([]byte, w.M), make([]byte, w.M)
	}
	return c
}

// At computes one entry.
func (c *Cells) At(row, col uint32) uint32 {
	c.a.Fill(c.row, row)
	c.b.Fill(c.col, col)
	return Dot(c.row, c.col)
}
