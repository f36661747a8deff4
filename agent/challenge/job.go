package challenge

import (
	"context"
	"fmt"
	"time"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/prove"
	"github.com/grafilab/grafi/x/attestation/compute"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// retryAfter is the pause before a prover that failed is tried again.
const retryAfter = 5 * time.Second

// job is the work of one GPU.
type job struct {
	work   compute.Work
	cancel context.CancelFunc
	done   chan struct{} // closed when proof and err are set
	proof  prove.Proof
	err    error
	ended  time.Time
	took   time.Duration
	bad    bool     // it must not be opened: the chain has another commitment, or it verifies wrong
	open   *opening // nil before the sample
}

// opening is the part of the work that the sample asks for. It takes as long as
// the rounds that the sample lies in.
type opening struct {
	done  chan struct{} // closed when bytes and err are set
	bytes []byte
	err   error
}

func (j *job) finished() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// stop ends the work, waits for it, and frees its memory.
func (j *job) stop() {
	j.cancel()
	<-j.done
	if j.proof != nil {
		j.proof.Close()
		j.proof = nil
	}
	if j.open != nil {
		<-j.open.done
	}
}

// turn is one look at an open challenge.
type turn struct {
	*Flow
	id     attest.Identity
	c      *attestation.Challenge
	r      *attestation.QueryChallengeResponse
	host   *attestation.Host
	gpus   []attestation.Gpu
	signer attest.Signer
}

func (t *turn) work(g *attestation.ChallengedGpu) compute.Work {
	return g.Profile.Work(attestation.ChallengeSeed(t.c.Beacon, t.c.AgentKey, t.r.FirstGpu+uint64(g.Ordinal)))
}

func (t *turn) uuid(ordinal uint32) string {
	for i := range t.gpus {
		if t.gpus[i].Ordinal == ordinal {
			return t.gpus[i].Inventory.Uuid
		}
	}
	return ""
}

// prove starts the work of every GPU that still has something to answer, and ends
// that of the others.
func (t *turn) prove(ctx context.Context) {
	for i := range t.c.Gpus {
		g := &t.c.Gpus[i]
		j := t.jobs[g.Ordinal]
		wanted := g.Outcome == attestation.CHALLENGE_OUTCOME_PENDING && !t.answered[g.Ordinal] &&
			(len(g.Commitment) > 0 || t.c.State == attestation.CHALLENGE_STATE_OPEN)
		switch {
		case !wanted && j != nil:
			j.stop()
			delete(t.jobs, g.Ordinal)
		case !wanted:
		case j == nil:
			t.start(ctx, g)
		case j.finished() && j.err != nil:
			t.once("GPU can't compute its answer", "challenge", t.c.Id, "gpu", g.Ordinal, "err", j.err)
			if time.Since(j.ended) >= retryAfter {
				t.start(ctx, g)
			}
		}
	}
}

// start begins the work, unless it could not be done in time.
func (t *turn) start(ctx context.Context, g *attestation.ChallengedGpu) {
	w, uuid := t.work(g), t.uuid(g.Ordinal)
	if uuid == "" {
		t.once("challenged GPU is not declared", "challenge", t.c.Id, "gpu", g.Ordinal)
		return
	}
	need := t.estimate(uuid, w, g.Profile.MinGops)
	if len(g.Commitment) > 0 {
		need *= 2 // the opening is computed too
	}
	left := t.left(g)
	if left <= need {
		t.once("GPU is not worked: its answer would be late", "challenge", t.c.Id, "gpu", g.Ordinal,
			"left", left.Round(time.Millisecond), "needs", need.Round(time.Millisecond))
		return
	}
	t.log.Info("GPU is challenged", "challenge", t.c.Id, "reason", t.c.Reason.String(), "gpu", g.Ordinal, "class", g.Class, "left", left)
	run, cancel := context.WithCancel(ctx)
	j := &job{work: w, cancel: cancel, done: make(chan struct{})}
	t.jobs[g.Ordinal] = j
	wake := t.wake
	go func() {
		defer close(j.done)
		began := time.Now()
		j.proof, j.err = t.prover.Prove(run, uuid, w)
		j.ended = time.Now()
		j.took = j.ended.Sub(began)
		kick(wake)
	}()
}

func kick(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// left is how long an answer is accepted, by the chain's own clock. It counts
// while the chain makes blocks: a halt of the chain gives more time and not less.
func (t *turn) left(g *attestation.ChallengedGpu) time.Duration {
	by := t.c.CommitByMs
	if len(g.Commitment) > 0 { // only the opening is missing
		if by = t.c.OpenByMs; by == 0 { // its window is not set before the sample
			return 24 * time.Hour
		}
	}
	if by <= t.r.ClockMs {
		return 0
	}
	return time.Duration(by-t.r.ClockMs) * time.Millisecond
}

// estimate is how long the GPU will need: as long as it did per operation the last
// time, or what its class must reach at least.
func (t *turn) estimate(uuid string, w compute.Work, minGops uint64) time.Duration {
	var rate float64
	if _, err := t.ledger.GetJSON(rateKey(uuid), &rate); err != nil || rate <= 0 {
		rate = float64(minGops) * 1e9
	}
	if rate <= 0 {
		return 0
	}
	return time.Duration(float64(w.Ops()) / rate * float64(time.Second))
}

func rateKey(uuid string) []byte { return []byte("rate/" + uuid) }

// noteRate remembers how fast the GPU was, for the next estimate.
func (t *turn) noteRate(g *attestation.ChallengedGpu, j *job) error {
	if j.took <= 0 {
		return nil
	}
	if err := t.ledger.PutJSON(rateKey(t.uuid(g.Ordinal)), float64(j.work.Ops())/j.took.Seconds()); err != nil {
		return fmt.Errorf("rate of GPU %d: %w", g.Ordinal, err)
	}
	return nil
}
