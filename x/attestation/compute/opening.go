package compute

import "crypto/sha256"

// Trees answers with the leaves and nodes of what was committed. Round
// work.Rounds is the tree of the walk.
type Trees interface {
	// Leaf returns the bytes of a leaf.
	Leaf(round uint32, index uint64) ([LeafSize]byte, error)
	// Node returns the hash of a node; level 0 are the leaves' hashes.
	Node(round uint32, level int, index uint64) (Hash, error)
}

// Open encodes the opening of samples. Its form, with nothing else in it: the
// roots of all rounds; the root of the walk if there is one; then for every
// round that has samples, in order, and last for the walk, the distinct leaves
// in ascending order, and the siblings that their multiproof needs, from the
// leaves up and from left to right.
func (w Work) Open(s Samples, roots []Hash, walkRoot *Hash, trees Trees) ([]byte, error) {
	out := make([]byte, 0, w.OpeningSize(s))
	for i := range roots {
		out = append(out, roots[i][:]...)
	}
	if walkRoot != nil {
		out = append(out, walkRoot[:]...)
	}
	for _, p := range w.parts(s) {
		for _, index := range p.leaves {
			leaf, err := trees.Leaf(p.round, index)
			if err != nil {
				return nil, err
			}
			out = append(out, leaf[:]...)
		}
		var failed error
		siblings(p.leaves, p.depth, func(level int, index uint64) {
			if failed != nil {
				return
			}
			var h Hash
			h, failed = trees.Node(p.round, level, index)
			out = append(out, h[:]...)
		})
		if failed != nil {
			return nil, failed
		}
	}
	return out, nil
}

// opened is a decoded opening.
type opened struct {
	roots    []Hash
	walkRoot *Hash
	parts    []part
	// leaves and proofs of parts, at the same index.
	leaves, proofs [][]byte
}

// decode splits an opening. The samples fix its length, so there is one form.
func (w Work) decode(s Samples, opening []byte) (opened, error) {
	if want := w.OpeningSize(s); len(opening) != want {
		return opened{}, wrong("opening has %d bytes, want %d", len(opening), want)
	}
	o := opened{roots: make([]Hash, w.Rounds), parts: w.parts(s)}
	take := func(n int) []byte {
		head := opening[:n:n]
		opening = opening[n:]
		return head
	}
	for i := range o.roots {
		o.roots[i] = Hash(take(sha256.Size))
	}
	if w.HasWalk() {
		root := Hash(take(sha256.Size))
		o.walkRoot = &root
	}
	for _, p := range o.parts {
		o.leaves = append(o.leaves, take(len(p.leaves)*LeafSize))
		o.proofs = append(o.proofs, take(p.siblings*sha256.Size))
	}
	return o, nil
}

// find returns the leaf of a tree; the samples name it, so it is there.
func (o opened) find(round uint32, index uint64) []byte {
	for i, p := range o.parts {
		if p.round != round {
			continue
		}
		for j, leaf := range p.leaves {
			if leaf == index {
				return o.leaves[i][j*LeafSize:][:LeafSize]
			}
		}
	}
	return nil
}
