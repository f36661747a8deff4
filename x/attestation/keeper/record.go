package keeper

import (
	"context"
	"encoding/hex"
	"fmt"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/attestation/types"
)

// record is one bitmap or counter record in memory.
type record struct {
	key     recordKey
	bytes   []byte
	changed bool
}

func (r *record) set(bz []byte) {
	r.bytes = bz
	r.changed = true
}

// recordSet holds the records of one collection that a message touches.
type recordSet struct {
	store  collections.Map[recordKey, []byte]
	loaded map[[2]uint64]*record
	order  []*record // of first touch: the order of writing
}

func newRecordSet(store collections.Map[recordKey, []byte]) recordSet {
	return recordSet{store: store, loaded: make(map[[2]uint64]*record)}
}

// get loads a record on its first use. The bytes are a copy: what the store
// returns may be its own.
func (s *recordSet) get(ctx context.Context, at, bucket uint64) (*record, error) {
	if r, ok := s.loaded[[2]uint64{at, bucket}]; ok {
		return r, nil
	}
	bz, err := readRecord(ctx, s.store, at, bucket)
	if err != nil {
		return nil, err
	}
	r := &record{key: collections.Join(at, bucket), bytes: append(make([]byte, 0, max(len(bz), types.BucketSize/8)), bz...)}
	s.loaded[[2]uint64{at, bucket}] = r
	s.order = append(s.order, r)
	return r, nil
}

func (s *recordSet) write(ctx context.Context) error {
	for _, r := range s.order {
		if !r.changed {
			continue
		}
		if err := s.store.Set(ctx, r.key, r.bytes); err != nil {
			return err
		}
	}
	return nil
}

func anchorText(height int64, hash []byte) string {
	return fmt.Sprintf("anchor %d/%s", height, hex.EncodeToString(hash[:min(len(hash), 32)]))
}
