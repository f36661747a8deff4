package store_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/offchain/executor/store"
)

func TestRecordsSurviveAReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "executor.db")
	s, err := store.Open(path)
	require.NoError(t, err)
	_, ok, err := s.Owner()
	require.NoError(t, err)
	require.False(t, ok)
	require.NoError(t, s.Bind(store.Owner{ChainID: "grafi-1", HostID: 4}))
	want := store.Record{
		RentalID: 7, Manifest: json.RawMessage(`{"image":"x"}`), EndsAt: time.Unix(100, 0).UTC(), GPUs: []uint32{1, 2},
		StartHandedAt: time.Unix(50, 0).UTC(), Failure: "no such command",
		Result:         &agentapi.Result{RentalID: 7, ExitCode: 3, OutputDigest: []byte{1, 2}, Seconds: 9},
		ResultHandedAt: time.Unix(60, 0).UTC(),
	}
	require.NoError(t, s.Update(7, func(r *store.Record) { *r = want }))
	require.NoError(t, s.Update(8, func(r *store.Record) { r.Failure = "x" }))

	_, err = store.Open(path)
	require.ErrorIs(t, err, store.ErrInUse)
	require.NoError(t, s.Close())

	s, err = store.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.ErrorIs(t, s.Bind(store.Owner{ChainID: "grafi-1", HostID: 5}), store.ErrForeign)
	owner, ok, err := s.Owner()
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, store.Owner{ChainID: "grafi-1", HostID: 4}, owner)
	got, ok, err := s.Get(7)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, want, got)

	require.NoError(t, s.Delete(7))
	_, ok, err = s.Get(7)
	require.NoError(t, err)
	require.False(t, ok)
	all, err := s.All()
	require.NoError(t, err)
	require.Equal(t, map[uint64]store.Record{8: {RentalID: 8, Failure: "x"}}, all)
}
