package challenge_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/challenge"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

func TestAllGPUsAnswerAtOnce(t *testing.T) {
	run(t, 3, func(f *fixture) {
		f.start()
		time.Sleep(10 * time.Second)
		f.chain.ask(1, time.Minute)
		time.Sleep(40 * time.Second)
		f.stop()
		require.Len(t, f.chain.passed, 3)
		require.LessOrEqual(t, f.chain.commits, 2, "what ends while a message is on its way goes together")
		require.Empty(t, f.chain.refusals)
		require.Equal(t, 3, f.prover.runs)
		require.Equal(t, []string{"PASSED", "PASSED", "PASSED"}, f.outcomes.all)

		last, err := f.flow.Status()
		require.NoError(t, err)
		require.Equal(t, challenge.StateOver, last.State)
		require.Equal(t, challenge.LastGPU{Ordinal: 2, Class: "sim", Outcome: "PASSED", GOPS: 9}, last.GPUs[2])
	})
}

func TestTheNextChallengeIsAnsweredToo(t *testing.T) {
	run(t, 1, func(f *fixture) {
		f.start()
		for id := range uint64(3) {
			f.chain.ask(id+1, time.Minute)
			time.Sleep(40 * time.Second)
			require.Len(t, f.chain.passed, 1, "challenge %d", id+1)
		}
		f.stop()
	})
}

func TestAnAnswerThatWouldBeLateIsNotWorked(t *testing.T) {
	run(t, 1, func(f *fixture) {
		f.prover.takes = 20 * time.Second
		f.start()
		f.chain.ask(1, time.Minute) // the GPU shows how fast it is
		time.Sleep(2 * time.Minute)
		require.Len(t, f.chain.passed, 1)
		f.chain.ask(2, 15*time.Second)
		time.Sleep(2 * time.Minute)
		f.stop()
		require.Equal(t, 1, f.prover.runs)
		require.Equal(t, attestation.CHALLENGE_STATE_UNANSWERED, f.chain.c.State)
		last, _ := f.flow.Status()
		require.Equal(t, "UNANSWERED", last.State)
		require.EqualValues(t, 5, last.EndedSlot)
		require.Equal(t, "MISSED", last.GPUs[0].Outcome)
	})
}

func TestLostRepliesAndOutagesAreSurvived(t *testing.T) {
	run(t, 2, func(f *fixture) {
		f.start()
		f.chain.set(func() { f.chain.loseReply = 2 })
		f.chain.ask(1, time.Minute)
		time.Sleep(8 * time.Second)
		f.chain.set(func() { f.chain.unreachable = true })
		time.Sleep(20 * time.Second)
		f.chain.set(func() { f.chain.unreachable = false })
		time.Sleep(30 * time.Second)
		f.stop()
		require.Len(t, f.chain.passed, 2)
		require.Equal(t, 2, f.prover.runs, "an outage is no reason to compute again")
	})
}

func TestAHaltOfTheChainTakesNoTime(t *testing.T) {
	run(t, 1, func(f *fixture) {
		f.start()
		f.chain.ask(1, 30*time.Second)
		time.Sleep(2 * time.Second)
		f.chain.set(func() { f.chain.unreachable = true })
		time.Sleep(time.Hour)
		f.chain.set(func() { f.chain.unreachable, f.chain.halted = false, time.Hour })
		time.Sleep(time.Minute)
		f.stop()
		require.Len(t, f.chain.passed, 1)
	})
}

func TestADefectiveGPUOpensNothingThatIsWrong(t *testing.T) {
	run(t, 3, func(f *fixture) {
		f.prover.fault["GPU-0"] = "opening"
		f.prover.fault["GPU-1"] = "fails"
		f.start()
		f.chain.ask(1, time.Minute)
		time.Sleep(20 * time.Minute)
		f.stop()
		require.Empty(t, f.chain.wrong)
		require.Equal(t, map[uint32]bool{2: true}, f.chain.passed)
		require.Greater(t, f.prover.runs, 5, "a GPU that failed is tried again while there is time")
	})
}

func TestAGPUThatComputesAnotherAnswerAfterARestartIsNotOpened(t *testing.T) {
	run(t, 1, func(f *fixture) {
		f.prover.fault["GPU-0"] = "commitment"
		f.chain.ask(1, time.Minute)
		f.live(0, 8*time.Second) // committed
		f.live(0, 20*time.Minute)
		require.Empty(t, f.chain.wrong)
		require.Empty(t, f.chain.passed)
		require.Equal(t, attestation.CHALLENGE_STATE_UNANSWERED, f.chain.c.State)
	})
}

// TestALateAnswerDoesNotCostTheClass: the chain could not be reached until the
// answer would measure a fast GPU as slow, for the second time of three.
func TestALateAnswerDoesNotCostTheClass(t *testing.T) {
	for name, tc := range map[string]struct {
		recent  []uint64
		takes   time.Duration
		commits int
	}{
		"two slow ones before":     {recent: []uint64{9, 1, 1}, takes: time.Second, commits: 0},
		"one slow one before":      {recent: []uint64{1, 9, 1}, takes: time.Second, commits: 0},
		"one before the last two":  {recent: []uint64{1, 9, 9}, takes: time.Second, commits: 1},
		"the first ones":           {recent: []uint64{1}, takes: time.Second, commits: 1},
		"the GPU is slow in truth": {recent: []uint64{1, 1, 1}, takes: 9 * time.Second, commits: 1},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, 1, func(f *fixture) {
				f.prover.takes = tc.takes
				// 17.2 · 10^9 operations in the 4 s that are not slow
				f.chain.profile = &attestation.ChallengeProfile{N: 1 << 10, M: 1 << 11, Rounds: 4, MinGops: 4, WindowMs: 60_000}
				f.chain.recent = tc.recent
				f.start()
				f.chain.ask(1, time.Minute)
				time.Sleep(500 * time.Millisecond)
				f.chain.set(func() { f.chain.noBlocks = true })
				time.Sleep(20 * time.Second)
				f.chain.set(func() { f.chain.noBlocks = false })
				time.Sleep(3 * time.Minute)
				f.stop()
				require.Equal(t, tc.commits, f.chain.commits)
			})
		})
	}
}

func TestAChallengeOfAnotherKeyIsLeftAlone(t *testing.T) {
	run(t, 1, func(f *fixture) {
		f.start()
		f.chain.ask(1, time.Minute)
		f.chain.set(func() { f.chain.c.AgentKey = newKey("other").PublicKey() })
		time.Sleep(2 * time.Minute)
		f.stop()
		require.Zero(t, f.prover.runs)
		require.Zero(t, f.chain.commits)
	})
}

// TestAKillAtAnyStepNeitherLosesNorDoublesAnAnswer kills the flow at each of its
// steps in turn, and once more after it: the GPUs always pass, and no GPU ever
// has two commitments signed.
func TestAKillAtAnyStepNeitherLosesNorDoublesAnAnswer(t *testing.T) {
	every := 3
	if os.Getenv("GRAFI_LONG_TESTS") != "" {
		every = 1
	}
	for crashAt := 1; crashAt <= 45; crashAt += every {
		for lose := range 2 {
			if every > 1 && lose != crashAt%2 {
				continue
			}
			run(t, 2, func(f *fixture) {
				f.chain.set(func() { f.chain.loseReply = lose })
				f.chain.ask(1, 2*time.Minute)
				f.live(crashAt, time.Minute)
				f.live(crashAt/2, 20*time.Second)
				f.live(0, time.Minute)
				require.Len(t, f.chain.passed, 2, "killed at step %d: %v", crashAt, f.chain.refusals)
				require.Empty(t, f.chain.wrong)
				signed := map[string][]byte{}
				for _, doc := range f.key.signed {
					for _, c := range doc.Commitments {
						at := fmt.Sprint(doc.ChallengeId, "/", c.Ordinal)
						if before := signed[at]; before != nil && !bytes.Equal(before, c.Commitment) {
							t.Fatalf("GPU %s: signed %x and %x", at, before, c.Commitment)
						}
						signed[at] = c.Commitment
					}
				}
			})
		}
	}
}
