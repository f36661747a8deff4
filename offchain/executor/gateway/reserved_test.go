package gateway_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/offchain/executor/store"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// A reserved rental takes its manifest at once and says what it waits for.
func TestAReservedRentalTellsWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	starts := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	f.chain.rental.State = markettypes.RENTAL_STATE_RESERVED
	f.chain.rental.Reservation = &markettypes.Reservation{StartAt: starts}
	c := f.client(t)
	_, err := c.PutManifest(t.Context(), []byte(doc))
	require.NoError(t, err)
	require.Equal(t, 1, f.executor.wakes)

	st, err := c.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, starts, st.StartsAt)
	require.Equal(t, "reserved from 2026-12-01T08:00:00Z on", st.Message)

	require.NoError(t, f.store.Update(rentalID, func(r *store.Record) { r.Prepared = true }))
	st, err = c.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, "reserved from 2026-12-01T08:00:00Z on; its image is here", st.Message)

	f.executor.obstacle = errors.New("pull: registry is away")
	st, err = c.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, "could not start yet: pull: registry is away", st.Message)
}

func TestTheNoticeIsTold(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	over := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	f.chain.rental.NoticeEndsAt = &over
	st, err := f.client(t).Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, over, st.NoticeEndsAt)
}
