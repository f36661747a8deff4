package attest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/internal/agentapi"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	market "github.com/grafilab/grafi/x/gpumarket/types"
)

func running(ids ...uint64) []agentapi.Workload { return states(agentapi.WorkloadRunning, ids...) }

func states(s agentapi.WorkloadState, ids ...uint64) []agentapi.Workload {
	out := []agentapi.Workload{}
	for _, id := range ids {
		out = append(out, agentapi.Workload{RentalID: id, State: s})
	}
	return out
}

func TestEachSlotIsAttestedOnce(t *testing.T) {
	run(t, 2, func(f *fixture) {
		first := f.slot()
		f.start()
		f.activeRental(5)
		f.pass(7*time.Minute+10*time.Second, running(5)...)
		f.stop()

		roots := 0
		for s := first; s < first+7; s++ {
			d, ok := f.doc(s)
			require.True(t, ok, "slot %d", s)
			require.Empty(t, d.Down)
			require.Empty(t, d.NotRunning)
			require.EqualValues(t, 3, d.Generation)
			if len(d.DetailRoot) > 0 {
				roots++
			}
		}
		require.Len(t, f.chain.accepted, 7)
		require.Empty(t, f.chain.refused)
		require.Equal(t, 7, f.chain.attempts, "one transaction a slot")
		require.Contains(t, []int{2, 3}, roots, "a detail root every third slot")
	})
}

func TestDriverGoneAndBack(t *testing.T) {
	run(t, 3, func(f *fixture) {
		first := f.slot()
		f.start()
		f.pass(90*time.Second, none...)
		f.gpus.SetDriverGone(true) // in slot first+1
		f.pass(60*time.Second, none...)
		f.gpus.SetDriverGone(false) // in slot first+2
		f.gpus.SetFlags(1, gpu.FlagXidFatal)
		f.pass(60*time.Second, none...)
		f.gpus.SetFlags(1, gpu.FlagXid|gpu.FlagECC) // noted, but it works
		f.pass(2*time.Minute, none...)
		f.stop()

		want := map[uint64][]byte{first: nil, first + 1: {0b111}, first + 2: {0b111}, first + 3: {0b010}, first + 4: nil}
		for s, down := range want {
			d, ok := f.doc(s)
			require.True(t, ok)
			require.Equal(t, down, d.Down, "slot %d of %d", s-first, len(want))
		}
	})
}

func TestRentalsThatDoNotRun(t *testing.T) {
	run(t, 1, func(f *fixture) {
		for id := range uint64(6) {
			f.activeRental(id)
		}
		f.pendingRental(9) // nothing is owed before its start
		first := f.slot()
		f.start()
		report := append(running(1), append(states(agentapi.WorkloadExited, 2), states(agentapi.WorkloadDown, 4)...)...)
		f.pass(3*time.Minute+10*time.Second, report...) // 0, 3 and 5 are left out
		f.stop()

		d, ok := f.doc(first + 2)
		require.True(t, ok)
		require.Equal(t, []uint64{0, 3, 4, 5}, d.NotRunning)
	})
}

func TestShortFailureIsForgivenLongOneIsNot(t *testing.T) {
	run(t, 1, func(f *fixture) {
		f.activeRental(5)
		first := f.slot()
		f.start()
		f.pass(time.Minute, running(5)...)
		f.pass(15*time.Second, states(agentapi.WorkloadDown, 5)...) // restarted by its executor
		f.pass(60*time.Second, running(5)...)
		f.pass(60*time.Second, states(agentapi.WorkloadDown, 5)...) // most of slot first+2
		f.pass(time.Minute, running(5)...)
		f.stop()

		d, _ := f.doc(first + 1)
		require.Empty(t, d.NotRunning)
		d, _ = f.doc(first + 2)
		require.Equal(t, []uint64{5}, d.NotRunning)
	})
}

func TestSilentExecutor(t *testing.T) {
	run(t, 1, func(f *fixture) {
		f.activeRental(5)
		first := f.slot()
		f.start()
		f.pass(time.Minute, running(5)...)
		f.silence(4 * time.Minute)
		f.pass(2*time.Minute, running(5)...)
		f.stop()

		listed := map[uint64]bool{}
		for s := first; s < first+7; s++ {
			d, ok := f.doc(s)
			require.True(t, ok, "a silent executor does not stop the attestation")
			listed[s-first] = len(d.NotRunning) == 1
		}
		require.False(t, listed[0])
		require.False(t, listed[1], "the last report holds for 90 seconds")
		require.True(t, listed[2])
		require.True(t, listed[4])
		require.False(t, listed[6])
	})
}

func TestRestartOfTheAgentCostsNothing(t *testing.T) {
	run(t, 1, func(f *fixture) {
		f.activeRental(5)
		first := f.slot()
		f.start()
		f.pass(100*time.Second, running(5)...)
		f.stop()
		f.agent = nil
		f.pass(15*time.Second, none...)
		f.start()
		f.silence(25 * time.Second) // the executor needs a moment to report again
		f.pass(2*time.Minute, running(5)...)
		f.stop()

		for s := first; s < first+4; s++ {
			d, ok := f.doc(s)
			require.True(t, ok, "slot %d", s-first)
			require.Empty(t, d.Down)
			require.Empty(t, d.NotRunning, "slot %d", s-first)
		}
	})
}

func TestUnwatchedSlotsAreNotAttested(t *testing.T) {
	run(t, 1, func(f *fixture) {
		first := f.slot()
		f.start()
		f.pass(61*time.Second, none...)
		f.stop()
		f.agent = nil
		f.pass(2*time.Minute, none...) // nobody looked at first+1 and first+2
		f.start()
		f.pass(2*time.Minute+10*time.Second, none...)
		f.stop()

		f.requireAttested(first, first+3, first+4)
		require.Len(t, f.chain.accepted, 3)
	})
}

func TestChainOutage(t *testing.T) {
	run(t, 1, func(f *fixture) {
		first := f.slot()
		f.start()
		f.pass(time.Minute, none...)
		start := f.pendingRental(9)
		f.chain.set(func() { f.chain.down = true })
		f.pass(2*time.Minute, none...)
		r, err := f.agent.Started(start)
		require.NoError(t, err, "reports are taken while the chain is away")
		require.Equal(t, agentapi.ReportQueued, r.State)
		f.pass(time.Minute, none...)
		f.stop() // and the agent is restarted meanwhile
		f.start()
		f.pass(time.Minute, none...)
		f.chain.set(func() { f.chain.down = false })
		f.pass(2*time.Minute, none...)

		r, err = f.agent.Started(start)
		require.NoError(t, err)
		require.Equal(t, agentapi.ReportDelivered, r.State)
		f.stop()
		f.requireAttested(first, first+1, first+2, first+3, first+4, first+5)
		require.Equal(t, market.RENTAL_STATE_ACTIVE, f.chain.rentals[9].State)
	})
}

func TestOutageLongerThanTheWindow(t *testing.T) {
	run(t, 1, func(f *fixture) {
		f.chain.params.SubmitWindow = 2 * time.Minute
		first := f.slot()
		f.start()
		f.pass(time.Minute+10*time.Second, none...)
		f.chain.set(func() { f.chain.noFunds = true })
		f.pass(10*time.Minute, none...)
		f.chain.set(func() { f.chain.noFunds = false })
		f.pass(3*time.Minute, none...)
		var st agentapi.Status
		require.NoError(t, f.agent.Status(&st))
		f.stop()

		require.Zero(t, st.Outbox, "what came too late does not stop the rest")
		require.Empty(t, st.OutboxError)
		_, ok := f.doc(first + 3)
		require.False(t, ok)
		f.requireAttested(first, first+11, first+12)
	})
}

func TestUnregisteredAgentWaits(t *testing.T) {
	run(t, 1, func(f *fixture) {
		keys := f.chain.host.AgentKeys
		f.chain.host.AgentKeys = nil
		f.start()
		f.pass(3*time.Minute, none...)
		require.Empty(t, f.chain.accepted)
		slot := f.slot()
		f.chain.set(func() { f.chain.host.AgentKeys = keys })
		f.pass(2*time.Minute, none...)
		f.stop()
		f.requireAttested(slot)
	})
}

func TestRotationAndRevocation(t *testing.T) {
	run(t, 1, func(f *fixture) {
		next := newKey("next")
		f.keys = []*recordingKey{next, f.keys[0]}
		first := f.slot()
		f.chain.host.AgentKeys[0].UntilSlot = first + 2 // the old key overlaps by one slot
		f.chain.host.AgentKeys = append(f.chain.host.AgentKeys, attestation.AgentKey{PublicKey: next.PublicKey(), FromSlot: first + 2})
		f.start()
		f.pass(5*time.Minute, none...)
		f.chain.set(func() { f.chain.host.Status = attestation.HOST_STATUS_REVOKED })
		before := len(f.chain.accepted)
		f.pass(3*time.Minute, none...)
		f.stop()

		f.requireAttested(first, first+1, first+2, first+3)
		require.Empty(t, f.chain.refused)
		require.NotEmpty(t, next.signed)
		require.NotEmpty(t, f.keys[1].signed)
		require.LessOrEqual(t, len(f.chain.accepted), before+1, "a revoked host is silent")
	})
}

func TestStateIsOfOneAgent(t *testing.T) {
	f := newFixture(t, 1)
	s, err := attest.OpenStore(f.path)
	require.NoError(t, err)
	_, err = attest.OpenStore(f.path)
	require.ErrorIs(t, err, attest.ErrStoreLocked)
	require.NoError(t, s.Close())
}
