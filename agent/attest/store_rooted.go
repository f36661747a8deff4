package attest

import (
	"bytes"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// Rooted is a slot whose document carries a detail root, and the time of the
// samples under it: [From, To).
type Rooted struct {
	Slot     uint64
	Root     []byte
	From, To time.Time // From is zero for the first root
}

// NextRooted returns the first slot above after that has a detail root; ok is false
// when there is none yet.
func (s *Store) NextRooted(id Identity, after uint64) (r Rooted, ok bool, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		prefix := id.prefix()
		c := tx.Bucket(bucketRoots).Cursor()
		k, v := c.Seek(id.slotKey(after + 1))
		if k == nil || !bytes.HasPrefix(k, prefix) {
			return nil
		}
		r.Slot, r.To = fromU64(k[len(prefix):]), time.Unix(0, int64(fromU64(v)))
		raw := tx.Bucket(bucketDocs).Get(k)
		if k, v = c.Prev(); k != nil && bytes.HasPrefix(k, prefix) {
			r.From = time.Unix(0, int64(fromU64(v)))
		}
		var doc attestation.AttestationDoc
		if err := doc.Unmarshal(raw); err != nil {
			return fmt.Errorf("stored document of slot %d: %w", r.Slot, err)
		}
		r.Root, ok = doc.DetailRoot, true
		return nil
	})
	return r, ok, err
}
