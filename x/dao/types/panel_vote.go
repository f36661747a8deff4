package types

import "crypto/sha256"

// SaltSize is the length of the salt of a vote, in bytes: nobody finds the vote
// by trying salts.
const SaltSize = 32

// Commitment binds a juror to a vote:
//
//	SHA-256(domain ‖ chain id ‖ dispute ‖ round ‖ juror ‖ vote ‖ salt)
//
// with the chain id and the juror's address after their length in 4 bytes, the
// dispute in 8 bytes, and round and vote in 4, all big endian. The juror is part
// of it, so a commitment that another juror copied opens for nobody but the one
// who made it.
func Commitment(chainID string, dispute uint64, round uint32, juror []byte, vote Verdict, salt []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte(voteDomain))
	writeBytes(h, []byte(chainID))
	writeUint64(h, dispute)
	writeUint32(h, round)
	writeBytes(h, juror)
	writeUint32(h, uint32(vote))
	h.Write(salt) // last, so it needs no length
	return [sha256.Size]byte(h.Sum(nil))
}

// Validate checks that the verdict is one that can be voted for.
//
// Errors: ErrInvalidVote.
func (v Verdict) Validate() error {
	if v != VERDICT_UPHELD && v != VERDICT_DISMISSED {
		return ErrInvalidVote.Wrapf("%s, want %s or %s", v, VERDICT_UPHELD, VERDICT_DISMISSED)
	}
	return nil
}
