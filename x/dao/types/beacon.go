package types

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	abci "github.com/cometbft/cometbft/abci/types"

	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// Domains of the module's hashes: none is the other's preimage.
const (
	beaconDomain = "grafi/beacon/v1"
	drawDomain   = "grafi/dao/draw/v1"
	voteDomain   = "grafi/dao/vote/v1"
)

// Beacon is the randomness of one block for the draw of panels; the rule is that
// of x/attestation.
func Beacon(height int64, votes []abci.VoteInfo, appHash []byte) [sha256.Size]byte {
	return attestation.Beacon(beaconDomain, height, votes, appHash)
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
