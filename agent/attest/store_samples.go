package attest

import (
	"bytes"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// PutRecord stores a sample.
func (s *Store) PutRecord(r Record) error {
	raw, err := r.encode()
	if err != nil {
		return fmt.Errorf("store sample: %w", err)
	}
	err = s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketSamples).Put(timeKey(r.TakenAt), raw) })
	if err != nil {
		return fmt.Errorf("store sample: %w", err)
	}
	return nil
}

// Around returns the records of [from, to) with the last one before and the first
// one after, where they exist.
func (s *Store) Around(from, to time.Time) ([]Record, error) {
	var out []Record
	err := s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketSamples).Cursor()
		c.Seek(timeKey(from))
		k, v := c.Prev()
		if k == nil {
			k, v = c.First()
		}
		for ; k != nil; k, v = c.Next() {
			r, err := decodeRecord(v)
			if err != nil {
				return err
			}
			out = append(out, r)
			if !r.TakenAt.Before(to) {
				break
			}
		}
		return nil
	})
	return out, err
}

// Raw returns the stored bytes of the samples in [from, to), by time.
func (s *Store) Raw(from, to time.Time) ([][]byte, error) {
	var out [][]byte
	err := s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketSamples).Cursor()
		end := timeKey(to)
		for k, v := c.Seek(timeKey(from)); k != nil && bytes.Compare(k, end) < 0; k, v = c.Next() {
			out = append(out, bytes.Clone(v))
		}
		return nil
	})
	return out, err
}

// LastRecord returns the newest sample.
func (s *Store) LastRecord() (r Record, ok bool, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		k, v := tx.Bucket(bucketSamples).Cursor().Last()
		if k == nil {
			return nil
		}
		ok = true
		r, err = decodeRecord(v)
		return err
	})
	return r, ok, err
}

// pruneBudget bounds the records deleted at one time.
const pruneBudget = 2000

// Prune forgets samples and documents from before these times. A document is kept
// for much longer than its slot can be attested or held against the host.
func (s *Store) Prune(samplesBefore time.Time, id Identity, docsBelow uint64) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		if err := pruneBelow(tx.Bucket(bucketSamples), nil, timeKey(samplesBefore)); err != nil {
			return err
		}
		if err := pruneBelow(tx.Bucket(bucketDocs), id.prefix(), id.slotKey(docsBelow)); err != nil {
			return err
		}
		return pruneBelow(tx.Bucket(bucketRoots), id.prefix(), id.slotKey(docsBelow))
	})
}

func pruneBelow(b *bolt.Bucket, from, end []byte) error {
	var keys [][]byte
	c := b.Cursor()
	for k, _ := c.Seek(from); k != nil && bytes.Compare(k, end) < 0 && len(keys) < pruneBudget; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}
