package types

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	abci "github.com/cometbft/cometbft/abci/types"
)

// Domains of the module's hashes: none is the other's preimage.
const (
	beaconDomain = "grafi/beacon/v1"
	drawDomain   = "grafi/dao/draw/v1"
	voteDomain   = "grafi/dao/vote/v1"
)

// Beacon is the randomness of one block:
//
//	SHA-256(domain ‖ height ‖ last commit ‖ app hash)
//
// with the height in 8 bytes, big endian, and the last commit as the
// application sees it: SHA-256 over the votes in their order, each as the
// length of the validator's address in 4 bytes, the address, the power in 8 and
// the flag in 4. (ABCI does not hand the hash of the commit's signatures over.)
//
// The app hash is that of the state before this block, and the commit is that
// of the block before, so that nothing in the block itself changes its beacon. A
// proposer can bias it a little by choosing which late votes it shows, and the
// proposer before it by choosing its transactions: what is drawn with it must
// have been committed before. docs/security.md says so.
//
// Source: protocol §2 "Beacon".
func Beacon(height int64, votes []abci.VoteInfo, appHash []byte) [sha256.Size]byte {
	commit := sha256.New()
	for _, v := range votes {
		writeBytes(commit, v.Validator.Address)
		writeUint64(commit, uint64(v.Validator.Power))
		writeUint32(commit, uint32(v.BlockIdFlag))
	}
	h := sha256.New()
	h.Write([]byte(beaconDomain))
	writeUint64(h, uint64(height))
	h.Write(commit.Sum(nil))
	h.Write(appHash) // last, so it needs no length
	return [sha256.Size]byte(h.Sum(nil))
}

// DrawSeed is the seed of one round of one dispute under a beacon:
// SHA-256(domain ‖ beacon ‖ dispute ‖ round), numbers in 8 and 4 bytes.
func DrawSeed(beacon [sha256.Size]byte, dispute uint64, round uint32) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte(drawDomain))
	h.Write(beacon[:])
	writeUint64(h, dispute)
	writeUint32(h, round)
	return [sha256.Size]byte(h.Sum(nil))
}

func writeUint64(h hash.Hash, n uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	h.Write(b[:])
}

func writeUint32(h hash.Hash, n uint32) {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	h.Write(b[:])
}

// writeBytes writes the length before the bytes, so that no two lists of fields
// have one encoding.
func writeBytes(h hash.Hash, bz []byte) {
	writeUint32(h, uint32(len(bz)))
	h.Write(bz)
}
