// Package store keeps what an executor must remember across a crash: the
// manifests that renters sent, the results that were computed, and what was
// handed to the agent. Whether something runs is not in it: the engine knows.
package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/grafilab/grafi/internal/agentapi"
)

// ErrInUse says that another executor works on the same state directory.
var ErrInUse = errors.New("state is in use by another executor")

// ErrForeign says that the state is of another chain or host.
var ErrForeign = errors.New("state belongs to another host")

// Record is what is remembered of one rental.
type Record struct {
	RentalID uint64 `json:"rental_id"`
	// Manifest is the canonical document; empty until the renter sent it.
	Manifest json.RawMessage `json:"manifest,omitempty"`

	// EndsAt and GPUs are the chain's, as last seen. EndsAt is the zero time
	// before the start is confirmed; a notice that is over earlier counts.
	EndsAt time.Time `json:"ends_at,omitzero"`
	// Renews is whether the chain may move EndsAt by itself.
	Renews bool     `json:"renews,omitempty"`
	GPUs   []uint32 `json:"gpus,omitempty"`

	// Prepared is whether the image was pulled before a reserved start.
	Prepared bool `json:"prepared,omitempty"`
	// StartHandedAt is when the agent last took the start report.
	StartHandedAt time.Time `json:"start_handed_at,omitzero"`
	// Failure is why the workload can never start; for the renter.
	Failure string `json:"failure,omitempty"`

	// Result is fixed before the agent hears of it, so that a crash between the
	// two can't make the agent sign two different results.
	Result         *agentapi.Result `json:"result,omitempty"`
	ResultHandedAt time.Time        `json:"result_handed_at,omitzero"`
}

// Store is a bbolt file. Every write is on disk when its method returns.
type Store struct{ db *bbolt.DB }

var (
	rentals  = []byte("rentals")
	meta     = []byte("meta")
	ownerKey = []byte("owner")
)

// Open opens or creates the file.
//
// Errors: ErrInUse.
func Open(path string) (*Store, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 2 * time.Second})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, path)
	}
	if err != nil {
		return nil, fmt.Errorf("open state %s: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{rentals, meta} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Store{db: db}, nil
}

// Owner is the chain and host that the state belongs to.
type Owner struct {
	ChainID string `json:"chain_id"`
	HostID  uint64 `json:"host_id"`
}

// Owner returns what Bind wrote; ok is false for a new file.
func (s *Store) Owner() (o Owner, ok bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		raw := tx.Bucket(meta).Get(ownerKey)
		if ok = raw != nil; !ok {
			return nil
		}
		return json.Unmarshal(raw, &o)
	})
	return o, ok, err
}

// Bind makes the state the owner's, for ever.
//
// Errors: ErrForeign when it is another's.
func (s *Store) Bind(o Owner) error {
	got, ok, err := s.Owner()
	if err != nil {
		return err
	}
	if ok && got != o {
		return fmt.Errorf("%w: it is of host %d on %s, not of host %d on %s; use another state directory",
			ErrForeign, got.HostID, got.ChainID, o.HostID, o.ChainID)
	}
	raw, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(meta).Put(ownerKey, raw) })
}

// Close releases the file.
func (s *Store) Close() error { return s.db.Close() }

// Get returns a rental's record; ok is false when there is none.
func (s *Store) Get(rentalID uint64) (r Record, ok bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		raw := tx.Bucket(rentals).Get(key(rentalID))
		if ok = raw != nil; !ok {
			return nil
		}
		return decode(raw, &r)
	})
	return r, ok, err
}

// All returns every record by rental.
func (s *Store) All() (map[uint64]Record, error) {
	all := make(map[uint64]Record)
	err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(rentals).ForEach(func(_, raw []byte) error {
			var r Record
			if err := decode(raw, &r); err != nil {
				return err
			}
			all[r.RentalID] = r
			return nil
		})
	})
	return all, err
}

// Update changes a rental's record, or makes it, in one transaction.
func (s *Store) Update(rentalID uint64, change func(*Record)) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		r := Record{RentalID: rentalID}
		b := tx.Bucket(rentals)
		if raw := b.Get(key(rentalID)); raw != nil {
			if err := decode(raw, &r); err != nil {
				return err
			}
		}
		change(&r)
		raw, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encode record of rental %d: %w", rentalID, err)
		}
		return b.Put(key(rentalID), raw)
	})
}

// Delete forgets a rental.
func (s *Store) Delete(rentalID uint64) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(rentals).Delete(key(rentalID)) })
}

func key(rentalID uint64) []byte { return binary.BigEndian.AppendUint64(nil, rentalID) }

func decode(raw []byte, r *Record) error {
	if err := json.Unmarshal(raw, r); err != nil {
		return fmt.Errorf("decode record: %w", err)
	}
	return nil
}
