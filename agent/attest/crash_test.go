package attest_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/internal/agentapi"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	market "github.com/grafilab/grafi/x/gpumarket/types"
)

// life is what happens in one run of the agent before it is killed.
type life struct {
	crashAt    int  // the step (a call of the chain or a signature) at which it is killed; 0: never
	loseReply  bool // the first transaction arrives without its reply
	gpuDown    bool
	workload   agentapi.WorkloadState
	newRental  bool
	generation bool // the inventory changes
	seconds    int
}

func drawLife(t *rapid.T) life {
	return life{
		crashAt:    rapid.IntRange(0, 60).Draw(t, "crashAt"),
		loseReply:  rapid.Bool().Draw(t, "loseReply"),
		gpuDown:    rapid.Bool().Draw(t, "gpuDown"),
		workload:   rapid.SampledFrom([]agentapi.WorkloadState{agentapi.WorkloadRunning, agentapi.WorkloadDown}).Draw(t, "workload"),
		newRental:  rapid.Bool().Draw(t, "newRental"),
		generation: rapid.IntRange(0, 4).Draw(t, "generation") == 0,
		seconds:    rapid.IntRange(1, 200).Draw(t, "seconds"),
	}
}

// TestNeverTwoDocumentsForOneSlot kills the agent at random steps. The next run
// starts from what was on disk at that moment, and sees other GPUs, workloads and
// rentals than the one before, so that any document made twice would differ.
func TestNeverTwoDocumentsForOneSlot(t *testing.T) {
	require.NoError(t, flag.Set("rapid.checks", "20"))
	signedTwice := 0
	rapid.Check(t, func(rt *rapid.T) {
		lives := rapid.SliceOfN(rapid.Custom(drawLife), 2, 5).Draw(rt, "lives")
		var signed [][]byte
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, 1)
			f.activeRental(1)
			for i, l := range append(lives, life{workload: agentapi.WorkloadRunning, seconds: 130}) {
				f.live(l, filepath.Join(filepath.Dir(f.path), fmt.Sprint("state", i)))
			}
			signed = f.keys[0].signed
		})
		docs := map[uint64][]byte{}
		for _, raw := range signed {
			var doc attestation.AttestationDoc
			if err := doc.Unmarshal(raw); err != nil {
				rt.Fatal(err)
			}
			if before := docs[doc.Slot]; before != nil && !bytes.Equal(before, raw) {
				rt.Fatalf("slot %d: signed %x and %x", doc.Slot, before, raw)
			} else if before != nil {
				signedTwice++
			}
			docs[doc.Slot] = raw
		}
	})
	require.NotZero(t, signedTwice, "the crashes never made the agent sign a slot again: the test shows nothing")
}

// live runs the agent once, kills it at its step, and leaves the disk as it was then.
func (f *fixture) live(l life, left string) {
	f.t.Helper()
	var steps atomic.Int64
	var dead atomic.Bool
	step := func() {
		if l.crashAt > 0 && steps.Add(1) == int64(l.crashAt) {
			require.NoError(f.t, f.store.Snapshot(left))
			dead.Store(true)
		}
	}
	f.chain.set(func() {
		f.chain.step, f.chain.dead = step, dead.Load
		f.chain.loseReply = 0
		if l.loseReply {
			f.chain.loseReply = 1
		}
		if l.generation {
			f.chain.host.Generation++
		}
		if l.newRental {
			id := uint64(len(f.chain.rentals) + 1)
			now := time.Now()
			f.chain.rentals[id] = market.Rental{Id: id, HostId: hostID, State: market.RENTAL_STATE_ACTIVE, StartedAt: &now}
		}
	})
	f.keys[0].before, f.keys[0].dead = step, dead.Load
	f.gpus.SetFlags(0, 0)
	if l.gpuDown {
		f.gpus.SetFlags(0, gpu.FlagLost)
	}
	f.start()
	for range l.seconds {
		f.agent.SetWorkloads(agentapi.Workloads{Workloads: states(l.workload, 1)})
		time.Sleep(time.Second)
		if dead.Load() {
			break
		}
	}
	f.stop()
	if dead.Load() {
		require.NoError(f.t, os.Rename(left, f.path))
	}
}
