package attest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Store is the agent's memory on disk. Every write is on disk (fsync) before it
// returns; the file is locked, so two agents can't share it.
type Store struct{ db *bolt.DB }

// Buckets. Keys are big-endian, so their order is that of time.
var (
	bucketMeta    = []byte("meta")    // "version", "attested"
	bucketSamples = []byte("samples") // unix nanoseconds → Record
	bucketDocs    = []byte("docs")    // chain id ‖ 0 ‖ host id ‖ slot → AttestationDoc
	bucketRoots   = []byte("roots")   // chain id ‖ 0 ‖ host id ‖ slot → end of the samples under its root
	bucketOutbox  = []byte("outbox")  // sequence → Entry
	bucketReports = []byte("reports") // kind ‖ rental id → Entry with its state

	keyVersion  = []byte("version")
	keyAttested = []byte("attested")
)

const storeVersion = 1

// ErrStoreLocked means that another agent uses the same state.
var ErrStoreLocked = errors.New("state is in use by another agent")

// OpenStore opens or makes the state file.
//
// Errors: ErrStoreLocked.
func OpenStore(path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: 2 * time.Second, FreelistType: bolt.FreelistMapType})
	if errors.Is(err, bolt.ErrTimeout) {
		return nil, fmt.Errorf("%w: %s", ErrStoreLocked, path)
	}
	if err != nil {
		return nil, fmt.Errorf("state %s: %w", path, err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, b := range [][]byte{bucketMeta, bucketSamples, bucketDocs, bucketRoots, bucketOutbox, bucketReports} {
			if _, err := tx.CreateBucketIfNotExists(b); err != nil {
				return err
			}
		}
		meta := tx.Bucket(bucketMeta)
		switch v := meta.Get(keyVersion); {
		case v == nil:
			return meta.Put(keyVersion, u64(storeVersion))
		case fromU64(v) != storeVersion:
			return fmt.Errorf("version %d, this agent knows %d", fromU64(v), storeVersion)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("state %s: %w", path, errors.Join(err, db.Close()))
	}
	return &Store{db: db}, nil
}

// Close gives the file back.
func (s *Store) Close() error { return s.db.Close() }

func u64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

func fromU64(b []byte) uint64 {
	if len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func timeKey(t time.Time) []byte { return u64(uint64(t.UnixNano())) }

// Identity is the host for which something is signed. Documents of another chain
// or another host never mix with its own.
type Identity struct {
	ChainID string `json:"chain_id"`
	HostID  uint64 `json:"host_id"`
}

func (id Identity) prefix() []byte {
	return append(append([]byte(id.ChainID), 0), u64(id.HostID)...)
}

func (id Identity) slotKey(slot uint64) []byte { return append(id.prefix(), u64(slot)...) }
