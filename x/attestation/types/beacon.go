package types

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	abci "github.com/cometbft/cometbft/abci/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Beacon is the randomness of one block, for one purpose:
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
func Beacon(domain string, height int64, votes []abci.VoteInfo, appHash []byte) [sha256.Size]byte {
	commit := sha256.New()
	for _, v := range votes {
		writeUint32(commit, uint32(len(v.Validator.Address)))
		commit.Write(v.Validator.Address)
		writeUint64(commit, uint64(v.Validator.Power))
		writeUint32(commit, uint32(v.BlockIdFlag))
	}
	h := sha256.New()
	h.Write([]byte(domain))
	writeUint64(h, uint64(height))
	h.Write(commit.Sum(nil))
	h.Write(appHash) // last, so it needs no length
	return [sha256.Size]byte(h.Sum(nil))
}

// BlockBeacon is the Beacon of the block that the context is of.
func BlockBeacon(ctx sdk.Context, domain string) [sha256.Size]byte {
	return Beacon(domain, ctx.BlockHeight(), ctx.VoteInfos(), ctx.HeaderInfo().AppHash)
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
