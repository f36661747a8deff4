package attest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/internal/agentapi"
	market "github.com/grafilab/grafi/x/gpumarket/types"
)

func TestLostReply(t *testing.T) {
	run(t, 1, func(f *fixture) {
		f.chain.loseReply = 4
		start := f.pendingRental(9)
		f.start()
		_, err := f.agent.Started(start)
		require.NoError(t, err)
		_, err = f.agent.Result(agentapi.Result{RentalID: 9, ExitCode: 3, Seconds: 8})
		require.NoError(t, err)
		f.pass(4*time.Minute, none...)
		var st agentapi.Status
		require.NoError(t, f.agent.Status(&st))
		f.stop()

		require.Zero(t, st.Outbox)
		require.Len(t, f.chain.accepted, 4)
		require.Equal(t, market.WorkloadResult{ExitKnown: true, ExitCode: 3, Seconds: 8}, *f.chain.rentals[9].Result)
	})
}

func TestReports(t *testing.T) {
	run(t, 1, func(f *fixture) {
		start := f.pendingRental(9)
		closed := f.pendingRental(10)
		other := f.pendingRental(11)
		f.chain.set(func() {
			r := f.chain.rentals[10]
			r.State, r.CloseReason = market.RENTAL_STATE_CLOSED, market.CLOSE_REASON_NOT_STARTED
			f.chain.rentals[10] = r
		})
		other.ManifestDigest = make([]byte, 32)
		f.start()
		result := agentapi.Result{RentalID: 9, ExitCode: 0, OutputDigest: make([]byte, 32), Seconds: 4}
		for _, s := range []agentapi.Started{start, closed, other, {RentalID: 12, ManifestDigest: make([]byte, 32)}} {
			_, err := f.agent.Started(s)
			require.NoError(t, err)
		}
		_, err := f.agent.Result(result)
		require.NoError(t, err)
		f.pass(10*time.Second, none...)

		for s, want := range map[*agentapi.Started]string{&start: "", &closed: "closed", &other: "the manifest that runs", {RentalID: 12, ManifestDigest: make([]byte, 32)}: "no such rental"} {
			r, err := f.agent.Started(*s)
			require.NoError(t, err)
			if want == "" {
				require.Equal(t, agentapi.ReportDelivered, r.State)
				continue
			}
			require.Equal(t, agentapi.ReportRefused, r.State)
			require.Contains(t, r.Detail, want)
		}
		r, err := f.agent.Result(result)
		require.NoError(t, err)
		require.Equal(t, agentapi.ReportDelivered, r.State)
		result.ExitCode = 1
		_, err = f.agent.Result(result)
		require.ErrorIs(t, err, agentapi.ErrConflict, "there is one result")
		f.stop()
		require.Equal(t, []string{"start 9", "result 9"}, f.chain.order)
	})
}

func TestClockSkew(t *testing.T) {
	run(t, 1, func(f *fixture) {
		f.start()
		f.pass(2*time.Minute, none...)
		var st agentapi.Status
		require.NoError(t, f.agent.Status(&st))
		require.InDelta(t, 0, st.ClockSkewSeconds, 1)
		f.chain.set(func() { f.chain.skew = 25 })
		f.pass(2*time.Minute, none...)
		require.NoError(t, f.agent.Status(&st))
		f.stop()
		require.InDelta(t, 25, st.ClockSkewSeconds, 1)
	})
}
