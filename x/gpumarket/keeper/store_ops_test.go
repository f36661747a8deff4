package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/core/store"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// storeOps counts what is asked of the stores of the market and of the bank.
type storeOps struct{ reads, writes, seeks, nexts int }

func (o storeOps) total() int { return o.reads + o.writes + o.seeks + o.nexts }

// countingService opens stores that count.
type countingService struct {
	store.KVStoreService
	ops *storeOps
}

func (s countingService) OpenKVStore(ctx context.Context) store.KVStore {
	return countingStore{s.KVStoreService.OpenKVStore(ctx), s.ops}
}

type countingStore struct {
	store.KVStore
	ops *storeOps
}

func (s countingStore) Get(key []byte) ([]byte, error) {
	s.ops.reads++
	return s.KVStore.Get(key)
}

func (s countingStore) Has(key []byte) (bool, error) {
	s.ops.reads++
	return s.KVStore.Has(key)
}

func (s countingStore) Set(key, value []byte) error {
	s.ops.writes++
	return s.KVStore.Set(key, value)
}

func (s countingStore) Delete(key []byte) error {
	s.ops.writes++
	return s.KVStore.Delete(key)
}

func (s countingStore) Iterator(start, end []byte) (store.Iterator, error) {
	s.ops.seeks++
	it, err := s.KVStore.Iterator(start, end)
	return countingIterator{it, s.ops}, err
}

func (s countingStore) ReverseIterator(start, end []byte) (store.Iterator, error) {
	s.ops.seeks++
	it, err := s.KVStore.ReverseIterator(start, end)
	return countingIterator{it, s.ops}, err
}

type countingIterator struct {
	store.Iterator
	ops *storeOps
}

func (i countingIterator) Next() {
	i.ops.nexts++
	i.Iterator.Next()
}

// endBlockOps counts the store operations of a block that closes ten of n open
// rentals, and of one in which nothing is due.
func endBlockOps(t testing.TB, n int) (due, idle storeOps) {
	f := newEmptyFixture(t)
	importRentals(f, n, 10, types.DefaultParams())
	f.beginBlock(after(99))
	*f.ops = storeOps{}
	require.NoError(t, f.k.EndBlock(f.ctx))
	idle = *f.ops
	f.beginBlock(after(100))
	*f.ops = storeOps{}
	require.NoError(t, f.k.EndBlock(f.ctx))
	due = *f.ops
	require.Len(t, f.events(), 20, "ten settled and closed")
	return due, idle
}

// What a block does depends on what is due, not on what exists.
func TestEndBlockWorkDoesNotGrow(t *testing.T) {
	dueFew, idleFew := endBlockOps(t, 1_000)
	dueMany, idleMany := endBlockOps(t, 10_000)
	require.Equal(t, dueFew, dueMany)
	require.Equal(t, idleFew, idleMany)
	require.LessOrEqual(t, idleMany.total(), 3, "the params, one seek")
	t.Logf("ten due: %+v, nothing due: %+v", dueMany, idleMany)
}
