package attest

import (
	"bytes"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// Ledger is a part of the state with a name of its own, for the proofs. Every
// write is on disk (fsync) before it returns.
type Ledger struct {
	db     *bolt.DB
	bucket []byte
}

// Ledger returns the part with this name, and makes it when it is not there.
func (s *Store) Ledger(name string) (*Ledger, error) {
	l := &Ledger{db: s.db, bucket: []byte("ledger/" + name)}
	err := s.db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(l.bucket)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("state %s: %w", name, err)
	}
	return l, nil
}

// Once writes the value when the key has none. It returns what the key has then,
// and whether that is what was given: a key never gets another value.
func (l *Ledger) Once(key, value []byte) (stored []byte, same bool, err error) {
	err = l.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(l.bucket)
		if old := b.Get(key); old != nil {
			stored = bytes.Clone(old)
			return nil
		}
		stored = bytes.Clone(value)
		return b.Put(key, value)
	})
	if err != nil {
		return nil, false, fmt.Errorf("state: %w", err)
	}
	return stored, bytes.Equal(stored, value), nil
}

// Get returns the key's value, or nil.
func (l *Ledger) Get(key []byte) (value []byte, err error) {
	err = l.db.View(func(tx *bolt.Tx) error {
		value = bytes.Clone(tx.Bucket(l.bucket).Get(key))
		return nil
	})
	return value, err
}

// PutJSON replaces the key's value.
func (l *Ledger) PutJSON(key []byte, v any) error {
	return l.db.Update(func(tx *bolt.Tx) error { return putJSON(tx.Bucket(l.bucket), key, v) })
}

// GetJSON reads the key's value; ok is false when it has none.
func (l *Ledger) GetJSON(key []byte, v any) (ok bool, err error) {
	raw, err := l.Get(key)
	if err != nil || raw == nil {
		return false, err
	}
	return true, json.Unmarshal(raw, v)
}

// Delete forgets the key.
func (l *Ledger) Delete(key []byte) error {
	return l.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(l.bucket).Delete(key) })
}

// Each calls fn for the keys from first on that begin with prefix, in their order,
// until it returns false.
func (l *Ledger) Each(prefix []byte, fn func(key, value []byte) bool) error {
	return l.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(l.bucket).Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			if !fn(bytes.Clone(k), bytes.Clone(v)) {
				return nil
			}
		}
		return nil
	})
}

// PruneBelow forgets keys from prefix on that are before end, a bounded number at a time.
func (l *Ledger) PruneBelow(prefix, end []byte) error {
	return l.db.Update(func(tx *bolt.Tx) error { return pruneBelow(tx.Bucket(l.bucket), prefix, end) })
}

// Key returns the key of something that belongs to the host and is told apart by
// these numbers.
func (id Identity) Key(numbers ...uint64) []byte {
	k := id.prefix()
	for _, n := range numbers {
		k = append(k, u64(n)...)
	}
	return k
}
