package compute

// MaxProofBytes bounds the memory of Prove.
const MaxProofBytes = 256 << 20

// Proof is a proof of compute that keeps every tree in memory. It is the
// reference for tests and simulations; agent/prove has provers for real sizes.
type Proof struct {
	// Commitment is what goes on the chain first.
	Commitment Hash

	work     Work
	roots    []Hash
	walkRoot *Hash
	values   [][]uint32 // of the rounds, and last of the walk
	trees    []Tree
}

// Prove does all of the work. It fails with ErrInvalidWork for a work outside of
// the limits, or one whose matrices and trees would take more than MaxProofBytes.
func Prove(w Work) (*Proof, error) {
	if err := w.Validate(); err != nil {
		return nil, err
	}
	entries := uint64(w.N)*uint64(w.N)*uint64(w.Rounds) + uint64(w.WalkLanes)*uint64(w.WalkSteps)
	if size := 8*entries + uint64(w.N)*uint64(w.M); size > MaxProofBytes { // 4 bytes an entry, 64 bytes of tree for 16
		return nil, invalid("takes %d bytes of memory, want at most %d", size, MaxProofBytes)
	}
	p := &Proof{work: w}
	seed := w.Seed
	for range w.Rounds {
		p.add(w.product(seed))
		p.roots = append(p.roots, p.trees[len(p.trees)-1].Root())
		seed = NextSeed(seed, p.roots[len(p.roots)-1])
	}
	if w.HasWalk() {
		p.add(w.walk(seed, p.values[w.Rounds-1]))
		root := p.trees[w.Rounds].Root()
		p.walkRoot = &root
	}
	p.Commitment = Commitment(p.roots, p.walkRoot)
	return p, nil
}

// Open returns the opening of the t samples that the beacon names.
func (p *Proof) Open(beacon Hash, t uint32) ([]byte, error) {
	if t < 1 || t > MaxSamples {
		return nil, invalid("samples is %d, want 1 to %d", t, MaxSamples)
	}
	return p.work.Open(p.work.Draw(p.Commitment, beacon, t), p.roots, p.walkRoot, p)
}

// Roots returns the roots of all rounds, and of the walk or nil.
func (p *Proof) Roots() ([]Hash, *Hash) { return p.roots, p.walkRoot }

// Leaf implements Trees.
func (p *Proof) Leaf(round uint32, index uint64) (leaf [LeafSize]byte, err error) {
	PutLeaf(&leaf, p.values[round][index*LeafEntries:])
	return leaf, nil
}

// Node implements Trees.
func (p *Proof) Node(round uint32, level int, index uint64) (Hash, error) {
	return p.trees[round][level][index], nil
}

func (p *Proof) add(values []uint32) {
	p.values = append(p.values, values)
	p.trees = append(p.trees, NewTree(HashValues(values)))
}

// product is the C of the round with this seed, by rows.
func (w Work) product(seed Hash) []uint32 {
	a, b := NewVectors(KeyA(seed)), NewVectors(KeyB(seed))
	n, m := int(w.N), int(w.M)
	cols := make([]byte, n*m)
	for j := range n {
		b.Fill(cols[j*m:(j+1)*m], uint32(j))
	}
	c := make([]uint32, n*n)
	row := make([]byte, m)
	for i := range n {
		a.Fill(row, uint32(i))
		for j := range n {
			c[i*n+j] = Dot(row, cols[j*m:(j+1)*m])
		}
	}
	return c
}

// walk is the trace x_1 … x_S of every lane, one after the other.
func (w Work) walk(seed Hash, c []uint32) []uint32 {
	trace := make([]uint32, 0, int(w.WalkLanes)*int(w.WalkSteps))
	for lane := range w.WalkLanes {
		x := LaneStart(seed, lane, w.N)
		for j := range w.WalkSteps {
			x = WalkNext(x, c[x], lane, j, w.N)
			trace = append(trace, x)
		}
	}
	return trace
}
