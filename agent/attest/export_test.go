package attest

import bolt "go.etcd.io/bbolt"

// Snapshot writes what is on disk now: what a process killed at this moment leaves.
func (s *Store) Snapshot(path string) error {
	return s.db.View(func(tx *bolt.Tx) error { return tx.CopyFile(path, 0o600) })
}
