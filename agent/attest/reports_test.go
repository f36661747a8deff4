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

// A report that the chain does not take now, for whatever reason, holds up nothing
// else, and is delivered when its time has come.
func TestAReportThatMustWaitLetsTheOthersPass(t *testing.T) {
	run(t, 1, func(f *fixture) {
		reserved, poisoned, other := f.pendingRental(9), f.pendingRental(10), f.pendingRental(11)
		move := func(id uint64, state market.RentalState) {
			f.chain.set(func() {
				r := f.chain.rentals[id]
				r.State = state
				f.chain.rentals[id] = r
			})
		}
		move(9, market.RENTAL_STATE_RESERVED)
		f.chain.poison = 10
		f.start()
		for _, s := range []agentapi.Started{reserved, poisoned, other} {
			_, err := f.agent.Started(s)
			require.NoError(t, err)
		}
		_, err := f.agent.Result(agentapi.Result{RentalID: 9, ExitCode: 0, Seconds: 4})
		require.NoError(t, err)
		slot := f.slot()
		f.pass(2*time.Minute+10*time.Second, none...)
		status := func() (st agentapi.Status) {
			require.NoError(t, f.agent.Status(&st))
			return st
		}
		st := status()
		require.Equal(t, 3, st.Outbox, "two starts and the result of one of them")
		require.Contains(t, st.OutboxError, "rental 9 is RENTAL_STATE_RESERVED", "the oldest that waits is named")
		require.Equal(t, "start 11", f.chain.order[0])
		f.requireAttested(slot, slot+1)

		move(9, market.RENTAL_STATE_PENDING)
		f.pass(time.Minute, none...)
		st = status()
		require.Equal(t, 1, st.Outbox)
		require.Contains(t, st.OutboxError, "out of gas")
		require.EqualValues(t, 4, f.chain.rentals[9].Result.Seconds, "the result follows the start")

		move(10, market.RENTAL_STATE_CLOSED)
		f.pass(time.Minute, none...)
		st = status()
		require.Zero(t, st.Outbox)
		require.Empty(t, st.OutboxError)
		r, err := f.agent.Started(poisoned)
		require.NoError(t, err)
		require.Equal(t, agentapi.ReportRefused, r.State)
		f.stop()
	})
}

// Another node had not seen yet that the reservation is due.
func TestAStartRefusedAsTooEarlyIsTriedAgain(t *testing.T) {
	run(t, 1, func(f *fixture) {
		start := f.pendingRental(9)
		f.chain.back = 9
		f.start()
		_, err := f.agent.Started(start)
		require.NoError(t, err)
		f.pass(20*time.Second, none...)
		r, err := f.agent.Started(start)
		require.NoError(t, err)
		require.Equal(t, agentapi.ReportQueued, r.State)
		f.chain.set(func() {
			r := f.chain.rentals[9]
			r.State = market.RENTAL_STATE_PENDING
			f.chain.rentals[9] = r
		})
		f.pass(time.Minute, none...)
		r, err = f.agent.Started(start)
		require.NoError(t, err)
		require.Equal(t, agentapi.ReportDelivered, r.State)
		f.stop()
	})
}
