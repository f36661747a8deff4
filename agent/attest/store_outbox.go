package attest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/grafilab/grafi/internal/agentapi"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// EntryKind says what an outbox entry delivers.
type EntryKind string

// The kinds of entry.
const (
	KindAttestation EntryKind = "attestation"
	KindStart       EntryKind = "start"
	KindResult      EntryKind = "result"
)

// Entry is one statement that waits for delivery. It holds what is stated and not
// the signature: ed25519 is deterministic, so signing again gives the same bytes.
type Entry struct {
	Sequence uint64    `json:"sequence"`
	Kind     EntryKind `json:"kind"`
	QueuedAt time.Time `json:"queued_at"`
	// Identity and Slot of an attestation; its document is in the docs bucket.
	Identity Identity `json:"identity,omitzero"`
	Slot     uint64   `json:"slot,omitempty"`
	// Of a start or result report.
	Started *agentapi.Started    `json:"started,omitempty"`
	Result  *agentapi.Result     `json:"result,omitempty"`
	State   agentapi.ReportState `json:"state,omitempty"`
	Detail  string               `json:"detail,omitempty"`
}

func (e Entry) rental() uint64 {
	if e.Started != nil {
		return e.Started.RentalID
	}
	if e.Result != nil {
		return e.Result.RentalID
	}
	return 0
}

func reportKey(kind EntryKind, rental uint64) []byte { return append([]byte(kind+"/"), u64(rental)...) }

// Commit makes the document the only one that will ever be signed for its slot,
// and puts it in the outbox. When the slot has one already, that one stays and
// the new one is forgotten; committed tells which happened. The document is on
// disk when Commit returns, and nothing is signed before.
func (s *Store) Commit(doc attestation.AttestationDoc, samplesEnd, now time.Time) (committed bool, err error) {
	raw, err := doc.Marshal()
	if err != nil {
		return false, fmt.Errorf("document of slot %d: %w", doc.Slot, err)
	}
	id := Identity{ChainID: doc.ChainId, HostID: doc.HostId}
	err = s.db.Update(func(tx *bolt.Tx) error {
		docs := tx.Bucket(bucketDocs)
		if docs.Get(id.slotKey(doc.Slot)) != nil {
			return nil
		}
		committed = true
		if err := docs.Put(id.slotKey(doc.Slot), raw); err != nil {
			return err
		}
		if len(doc.DetailRoot) > 0 {
			if err := tx.Bucket(bucketRoots).Put(id.slotKey(doc.Slot), timeKey(samplesEnd)); err != nil {
				return err
			}
		}
		return push(tx, Entry{Kind: KindAttestation, QueuedAt: now, Identity: id, Slot: doc.Slot})
	})
	if err != nil {
		return false, fmt.Errorf("document of slot %d: %w", doc.Slot, err)
	}
	return committed, nil
}

// Document returns the slot's document, as it was committed.
func (s *Store) Document(id Identity, slot uint64) (raw []byte, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		raw = bytes.Clone(tx.Bucket(bucketDocs).Get(id.slotKey(slot)))
		return nil
	})
	return raw, err
}

// LastRoot returns the end of the samples under the newest detail root.
func (s *Store) LastRoot(id Identity) (end time.Time, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		prefix := id.prefix()
		c := tx.Bucket(bucketRoots).Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			end = time.Unix(0, int64(fromU64(v)))
		}
		return nil
	})
	return end, err
}

// Queue puts a start or result report in the outbox, once for each rental.
//
// Errors: agentapi.ErrConflict when another report of the kind is there already.
func (s *Store) Queue(e Entry) (Entry, error) {
	out := e
	err := s.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketReports)
		key := reportKey(e.Kind, e.rental())
		if old := b.Get(key); old != nil {
			out = Entry{} // decoding into e would write through its pointers
			if err := json.Unmarshal(old, &out); err != nil {
				return err
			}
			if !sameReport(out, e) {
				return fmt.Errorf("%w: rental %d has another %s report from %s", agentapi.ErrConflict, e.rental(), e.Kind, out.QueuedAt.Format(time.RFC3339))
			}
			return nil
		}
		out.State = agentapi.ReportQueued
		if err := putJSON(b, key, out); err != nil {
			return err
		}
		return push(tx, out)
	})
	return out, err
}

func sameReport(a, b Entry) bool {
	x, errX := json.Marshal([]any{a.Started, a.Result})
	y, errY := json.Marshal([]any{b.Started, b.Result})
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func push(tx *bolt.Tx, e Entry) error {
	b := tx.Bucket(bucketOutbox)
	seq, err := b.NextSequence()
	if err != nil {
		return err
	}
	e.Sequence = seq
	return putJSON(b, u64(seq), e)
}

// Head returns up to limit entries that skip does not leave out, oldest first.
func (s *Store) Head(limit int, skip func(Entry) bool) (out []Entry, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketOutbox).Cursor()
		for k, v := c.First(); k != nil && len(out) < limit; k, v = c.Next() {
			var e Entry
			if err := json.Unmarshal(v, &e); err != nil {
				return fmt.Errorf("outbox entry %d: %w", fromU64(k), err)
			}
			if !skip(e) {
				out = append(out, e)
			}
		}
		return nil
	})
	return out, err
}

// OutboxLen returns how many entries wait.
func (s *Store) OutboxLen() (n int, err error) {
	err = s.db.View(func(tx *bolt.Tx) error { n = tx.Bucket(bucketOutbox).Stats().KeyN; return nil })
	return n, err
}

// Done takes an entry out of the outbox with its outcome.
func (s *Store) Done(e Entry, state agentapi.ReportState, detail string) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		if err := tx.Bucket(bucketOutbox).Delete(u64(e.Sequence)); err != nil {
			return err
		}
		if e.Kind != KindAttestation {
			e.State, e.Detail = state, detail
			return putJSON(tx.Bucket(bucketReports), reportKey(e.Kind, e.rental()), e)
		}
		if state != agentapi.ReportDelivered {
			return nil
		}
		meta := tx.Bucket(bucketMeta)
		var last Attested
		if raw := meta.Get(keyAttested); raw != nil {
			if err := json.Unmarshal(raw, &last); err != nil {
				return err
			}
		}
		if last.Identity == e.Identity && last.Slot >= e.Slot {
			return nil
		}
		return putJSON(meta, keyAttested, Attested{Identity: e.Identity, Slot: e.Slot, At: time.Now().UTC()})
	})
}

// Attested is the newest slot that is attested on chain.
type Attested struct {
	Identity Identity  `json:"identity"`
	Slot     uint64    `json:"slot"`
	At       time.Time `json:"at"`
}

// LastAttested returns the newest slot known to be attested; Slot 0 before the first.
func (s *Store) LastAttested() (a Attested, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		raw := tx.Bucket(bucketMeta).Get(keyAttested)
		if raw == nil {
			return nil
		}
		return json.Unmarshal(raw, &a)
	})
	return a, err
}

func putJSON(b *bolt.Bucket, key []byte, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(key, raw)
}
