package compute

import (
	"crypto/sha256"
	"encoding/binary"
)

// LeafHash is the hash of a leaf: SHA-256(0x00 ‖ leaf), as in RFC 6962.
func LeafHash(leaf *[LeafSize]byte) Hash {
	var buf [1 + LeafSize]byte
	copy(buf[1:], leaf[:])
	return sha256.Sum256(buf[:])
}

// NodeHash is the hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
func NodeHash(left, right *Hash) Hash {
	var buf [1 + 2*sha256.Size]byte
	buf[0] = 1
	copy(buf[1:], left[:])
	copy(buf[1+sha256.Size:], right[:])
	return sha256.Sum256(buf[:])
}

// PutLeaf writes 16 values as a leaf, little-endian.
func PutLeaf(leaf *[LeafSize]byte, values []uint32) {
	for i, v := range values[:LeafEntries] {
		binary.LittleEndian.PutUint32(leaf[4*i:], v)
	}
}

// LeafValue reads value i of a leaf.
func LeafValue(leaf []byte, i int) uint32 { return binary.LittleEndian.Uint32(leaf[4*i:]) }

// Tree holds every node of a Merkle tree over a power of two of leaf hashes:
// level 0 are the leaves, the last level is the root alone.
type Tree [][]Hash

// NewTree builds a tree; it keeps leaves as its first level.
func NewTree(leaves []Hash) Tree {
	t := Tree{leaves}
	for level := leaves; len(level) > 1; {
		next := make([]Hash, len(level)/2)
		for i := range next {
			next[i] = NodeHash(&level[2*i], &level[2*i+1])
		}
		t = append(t, next)
		level = next
	}
	return t
}

// Root is the root of the tree.
func (t Tree) Root() Hash { return t[len(t)-1][0] }

// HashValues returns the hashes of the leaves of values, whose number is a
// multiple of 16.
func HashValues(values []uint32) []Hash {
	hashes := make([]Hash, len(values)/LeafEntries)
	var leaf [LeafSize]byte
	for i := range hashes {
		PutLeaf(&leaf, values[i*LeafEntries:])
		hashes[i] = LeafHash(&leaf)
	}
	return hashes
}

// node is a node of one level of a tree.
type node struct {
	index uint64
	hash  Hash
}

// siblings calls fn for every node, from the leaves up and from left to right,
// that a multiproof of the leaves needs besides them. leaves ascend, without
// repetition, in a tree of 2^depth leaves; the slice is overwritten.
func siblings(leaves []uint64, depth int, fn func(level int, index uint64)) {
	for level := range depth {
		up := leaves[:0]
		for i := 0; i < len(leaves); i++ {
			index := leaves[i]
			if index&1 == 0 && i+1 < len(leaves) && leaves[i+1] == index+1 {
				i++
			} else {
				fn(level, index^1)
			}
			up = append(up, index>>1)
		}
		leaves = up
	}
}

// fold returns the root that the leaves and the siblings lead to. The siblings
// are taken from proof, 32 bytes each; it has as many as siblings() names.
func fold(nodes []node, depth int, proof []byte) Hash {
	for range depth {
		up := nodes[:0]
		for i := 0; i < len(nodes); i++ {
			n := nodes[i]
			var parent Hash
			switch {
			case n.index&1 == 0 && i+1 < len(nodes) && nodes[i+1].index == n.index+1:
				parent = NodeHash(&n.hash, &nodes[i+1].hash)
				i++
			case n.index&1 == 0:
				right := Hash(proof[:sha256.Size])
				proof = proof[sha256.Size:]
				parent = NodeHash(&n.hash, &right)
			default:
				left := Hash(proof[:sha256.Size])
				proof = proof[sha256.Size:]
				parent = NodeHash(&left, &n.hash)
			}
			up = append(up, node{index: n.index >> 1, hash: parent})
		}
		nodes = up
	}
	return nodes[0].hash
}
