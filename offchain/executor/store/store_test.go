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
	s, err := store.Open(path, "grafi-1/4")
	require.NoError(t, err)
	want := store.Record{
		RentalID: 7, Manifest: json.RawMessage(`{"image":"x"}`), EndsAt: time.Unix(100, 0).UTC(), GPUs: []uint32{1, 2},
		StartHandedAt: time.Unix(50, 0).UTC(), Failure: "no such command",
		Result:         &agentapi.Result{RentalID: 7, ExitCode: 3, OutputDigest: []byte{1, 2}, Seconds: 9},
		ResultHandedAt: time.Unix(60, 0).UTC(),
	}
	require.NoError(t, s.Update(7, func(r *store.Record) { *r = want }))
	require.NoError(t, s.Update(8, func(r *store.Record) { r.Failure = "x" }))

	_, err = store.Open(path, "grafi-1/4")
	require.ErrorIs(t, err, store.ErrInUse)
	require.NoError(t, s.Close())
	_, err = store.Open(path, "grafi-1/5")
	require.ErrorIs(t, err, store.ErrForeign)

	s, err = store.Open(path, "grafi-1/4")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
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
