package attest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/internal/agentapi"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// A machine may keep local time in its hardware clock, or have no battery for it:
// its slots are attested all the same, and each says what happened in it.
func TestAWrongClock(t *testing.T) {
	for _, skew := range []time.Duration{-26 * time.Hour, -time.Hour, -time.Minute, time.Minute, time.Hour, 26 * time.Hour} {
		t.Run(fmt.Sprint(skew), func(t *testing.T) {
			run(t, 1, func(f *fixture) {
				f.chain.skew = int64(skew.Seconds())
				f.start()
				f.pass(5*time.Minute, none...)
				slot := f.slot()
				f.pass(15*time.Second, none...)
				f.gpus.SetFlags(0, gpu.FlagLost)
				f.pass(30*time.Second, none...)
				f.gpus.SetFlags(0, 0)
				f.pass(3*time.Minute, none...)
				f.stop()
				f.requireAttested(slot-1, slot, slot+1)
				for s := slot - 1; s <= slot+1; s++ {
					doc, _ := f.doc(s)
					require.Equal(t, s == slot, attestation.Bitmap(doc.Down).Get(0), "slot %d of %d", s, slot)
				}
			})
		})
	}
}

// The agent's clock stands while the machine is suspended.
func TestASuspendedMachine(t *testing.T) {
	run(t, 1, func(f *fixture) {
		f.start()
		f.pass(5*time.Minute, none...)
		for _, behind := range []int64{15, 3_600, 3_660, 90_000} {
			f.chain.set(func() { f.chain.skew = -behind })
			f.pass(5*time.Minute, none...)
			slot := f.slot()
			f.pass(3*time.Minute, none...)
			f.requireAttested(slot, slot+1)
		}
		f.stop()
	})
}

// The agent tells how far the clock of the machine is off.
func TestClockSkew(t *testing.T) {
	run(t, 1, func(f *fixture) {
		f.start()
		f.pass(2*time.Minute, none...)
		var st agentapi.Status
		require.NoError(t, f.agent.Status(&st))
		require.InDelta(t, 0, st.ClockSkewSeconds, 1)
		f.chain.set(func() { f.chain.skew = 25 })
		f.pass(3*time.Minute, none...)
		require.NoError(t, f.agent.Status(&st))
		f.stop()
		require.InDelta(t, 25, st.ClockSkewSeconds, 1)
	})
}

// A chain that stands falls behind every clock, which is not the clock's fault.
func TestAHaltIsNoSkew(t *testing.T) {
	run(t, 1, func(f *fixture) {
		f.chain.halt(2 * time.Hour)
		f.start()
		f.pass(time.Hour, none...)
		var st agentapi.Status
		require.NoError(t, f.agent.Status(&st))
		require.Zero(t, st.ClockSkewSeconds)
		f.chain.halt(0)
		f.pass(5*time.Minute, none...)
		require.NoError(t, f.agent.Status(&st))
		require.InDelta(t, 0, st.ClockSkewSeconds, 1)
		slot := f.slot()
		f.pass(2*time.Minute, none...)
		f.stop()
		f.requireAttested(slot)
	})
}

// Behind a node that catches up, what is seen now is not what was in the slots of its
// past: nothing is said of them.
func TestANodeThatCatchesUp(t *testing.T) {
	run(t, 1, func(f *fixture) {
		began := f.slot()
		f.chain.skew = 3 * 3_600
		f.start()
		for f.chain.skew > 0 { // five times as fast as it happened
			f.pass(5*time.Second, none...)
			f.chain.set(func() { f.chain.skew -= 20 })
		}
		f.pass(5*time.Minute, none...)
		slot := f.slot()
		f.pass(2*time.Minute, none...)
		f.stop()
		f.requireAttested(slot)
		for s := range f.chain.accepted {
			require.GreaterOrEqual(t, s, began, "slot %d was over before the agent began", s)
		}
	})
}
