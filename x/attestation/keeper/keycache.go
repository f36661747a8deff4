package keeper

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519/extra/cache"

	"github.com/grafilab/grafi/x/attestation/types"
)

// keyCacheSize is the number of expanded agent keys that a process remembers, at
// about 1.6 KB each.
const keyCacheSize = 32_768

// keyCache is shared by all keepers of the process. It holds only what is
// computed from the key alone, so a hit and a miss verify the same signatures.
var keyCache = newExpandedKeys(keyCacheSize)

// expandedKeys is an LRU cache of decompressed and expanded public keys.
type expandedKeys struct{ lru cache.Cache }

func newExpandedKeys(size int) expandedKeys { return expandedKeys{lru: cache.NewLRUCache(size)} }

// get returns the expanded key, or nil for bytes that are not a point.
func (e expandedKeys) get(key []byte) *ed25519.ExpandedPublicKey {
	var compressed curve.CompressedEdwardsY
	if _, err := compressed.SetBytes(key); err != nil {
		return nil
	}
	if expanded := e.lru.Get(&compressed); expanded != nil {
		return expanded
	}
	expanded, err := ed25519.NewExpandedPublicKey(key)
	if err != nil {
		return nil
	}
	e.lru.Put(&compressed, expanded)
	return expanded
}

// verifyAny tells whether the signature is by one of the keys, under ZIP-215.
func (e expandedKeys) verifyAny(keys [][]byte, signBytes, signature []byte) bool {
	if len(signature) != types.SignatureSize {
		return false
	}
	for _, key := range keys {
		if expanded := e.get(key); expanded != nil &&
			ed25519.VerifyExpandedWithOptions(expanded, signBytes, signature, types.ZIP215()) {
			return true
		}
	}
	return false
}

// sigBatch verifies many signatures together.
type sigBatch struct {
	batch    *ed25519.BatchVerifier
	keys     expandedKeys
	seed     []byte // everything that is verified, in order
	position []int  // of the caller's, by position in the batch
}

func newSigBatch(keys expandedKeys, n int) *sigBatch {
	return &sigBatch{
		batch:    ed25519.NewBatchVerifierWithCapacity(n),
		keys:     keys,
		seed:     make([]byte, 0, n*(types.AgentKeySize+types.SignatureSize+64)),
		position: make([]int, 0, n),
	}
}

// add puts a signature into the batch; position is the caller's name for it.
func (b *sigBatch) add(position int, key, signBytes, signature []byte) {
	b.batch.AddExpandedWithOptions(b.keys.get(key), signBytes, signature, types.ZIP215())
	b.seed = append(append(append(b.seed, key...), signBytes...), signature...)
	b.position = append(b.position, position)
}

// bad returns the positions whose signature is wrong, in the order they were
// added: none after one multiplication for the whole batch when all are good,
// else found by verifying one by one.
func (b *sigBatch) bad() []int {
	if len(b.position) == 0 {
		return nil
	}
	// The weights of the batch equation come from a hash of all that is
	// verified: nobody can choose signatures knowing their weights, and every
	// node computes the same.
	ok, good := b.batch.Verify(newHashReader(b.seed))
	if ok {
		return nil
	}
	var bad []int
	for i, g := range good {
		if !g {
			bad = append(bad, b.position[i])
		}
	}
	return bad
}

// hashReader is an endless stream of SHA-256(seed digest ‖ counter).
type hashReader struct {
	block   [sha256.Size + 8]byte
	counter uint64
	rest    []byte
}

func newHashReader(seed []byte) *hashReader {
	r := &hashReader{}
	digest := sha256.Sum256(seed)
	copy(r.block[:], digest[:])
	return r
}

// Read implements io.Reader and never fails.
func (r *hashReader) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		if len(r.rest) == 0 {
			binary.BigEndian.PutUint64(r.block[sha256.Size:], r.counter)
			r.counter++
			out := sha256.Sum256(r.block[:])
			r.rest = out[:]
		}
		m := copy(p[n:], r.rest)
		r.rest = r.rest[m:]
		n += m
	}
	return len(p), nil
}
