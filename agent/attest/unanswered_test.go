package attest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// unansweredAt is a challenge of GPU 1, and a passed one of GPU 0, that ended in the slot.
func unansweredAt(slot uint64) *attestation.Challenge {
	return &attestation.Challenge{
		HostId: hostID, Id: 3, State: attestation.CHALLENGE_STATE_UNANSWERED, EndedSlot: slot,
		Gpus: []attestation.ChallengedGpu{
			{Ordinal: 0, Outcome: attestation.CHALLENGE_OUTCOME_PASSED},
			{Ordinal: 1, Outcome: attestation.CHALLENGE_OUTCOME_MISSED},
		},
	}
}

func TestAGPUThatDidNotAnswerIsDownInThatSlotAndInNoOther(t *testing.T) {
	run(t, 2, func(f *fixture) {
		f.start()
		f.pass(70*time.Second, none...)
		ended := f.slot()
		f.chain.set(func() { f.chain.challenge = unansweredAt(ended) })
		f.pass(3*time.Minute, none...)
		f.stop()
		f.requireAttested(ended-1, ended, ended+1)
		doc, _ := f.doc(ended)
		require.EqualValues(t, []byte{0b10}, doc.Down)
		for _, other := range []uint64{ended - 1, ended + 1} {
			doc, _ := f.doc(other)
			require.Empty(t, doc.Down, "slot %d", other)
		}
	})
}

func TestASlotWaitsUntilTheChainTellsOfTheChallenge(t *testing.T) {
	run(t, 2, func(f *fixture) {
		f.start()
		f.pass(70*time.Second, none...)
		ended := f.slot()
		f.chain.set(func() { f.chain.mute = true })
		f.pass(2*time.Minute, none...)
		_, attested := f.doc(ended)
		require.False(t, attested, "attested without knowing whether a challenge ended in the slot")
		f.chain.set(func() { f.chain.mute, f.chain.challenge = false, unansweredAt(ended) })
		f.pass(time.Minute, none...)
		f.stop()
		doc, attested := f.doc(ended)
		require.True(t, attested)
		require.EqualValues(t, []byte{0b10}, doc.Down)
	})
}
