package challenge

import (
	"fmt"
	"time"

	"github.com/grafilab/grafi/agent/attest"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

var keyLast = []byte("last")

// Last is what is known of the newest challenge. It outlives the process.
type Last struct {
	Identity  attest.Identity `json:"identity"`
	ID        uint64          `json:"id"`
	Reason    string          `json:"reason"`
	State     string          `json:"state"` // StateOver once the chain has forgotten it
	StartedAt time.Time       `json:"started_at"`
	EndedSlot uint64          `json:"ended_slot,omitempty"` // it ended unanswered in this slot
	GPUs      []LastGPU       `json:"gpus"`
}

// LastGPU is one GPU's answer.
type LastGPU struct {
	Ordinal uint32 `json:"ordinal"`
	Class   string `json:"class"`
	Outcome string `json:"outcome"`
	GOPS    uint64 `json:"gops,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// StateOver is the state of a challenge that ended.
const StateOver = "OVER"

func short(enum, prefix string) string { return enum[min(len(prefix), len(enum)):] }

func outcomeName(o attestation.ChallengeOutcome) string {
	return short(o.String(), "CHALLENGE_OUTCOME_")
}

// Status returns the newest challenge, nil for none, and why none can be answered now.
func (f *Flow) Status() (*Last, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last == nil {
		return nil, f.error
	}
	last := *f.last
	last.GPUs = append([]LastGPU(nil), last.GPUs...)
	return &last, f.error
}

// note keeps what the chain says of the challenge, when that has changed.
func (f *Flow) note(id attest.Identity, c *attestation.Challenge) error {
	next := Last{
		Identity: id, ID: c.Id, Reason: short(c.Reason.String(), "CHALLENGE_REASON_"),
		State: short(c.State.String(), "CHALLENGE_STATE_"), StartedAt: c.StartedAt, EndedSlot: c.EndedSlot,
	}
	for _, g := range c.Gpus {
		next.GPUs = append(next.GPUs, LastGPU{Ordinal: g.Ordinal, Class: g.Class, Outcome: outcomeName(g.Outcome), GOPS: g.Gops})
	}
	return f.keep(next)
}

// ended keeps the outcome of one GPU, as its opening was answered.
func (f *Flow) ended(ordinal uint32, answer attestation.MsgOpenChallengeResponse) error {
	last, _ := f.Status()
	for i := range last.GPUs {
		if g := &last.GPUs[i]; g.Ordinal == ordinal {
			g.Outcome, g.GOPS, g.Detail = outcomeName(answer.Outcome), answer.Gops, answer.Detail
		}
	}
	return f.keep(*last)
}

// gone marks the newest challenge as over: the chain has it no more.
func (f *Flow) gone(id attest.Identity) error {
	last, _ := f.Status()
	if last == nil || last.State == StateOver || last.Identity != id {
		return nil
	}
	last.State = StateOver
	return f.keep(*last)
}

// keep writes what changed, and tells of GPUs whose outcome is new.
func (f *Flow) keep(next Last) error {
	f.mu.Lock()
	before := f.last
	f.mu.Unlock()
	if before != nil && fmt.Sprint(*before) == fmt.Sprint(next) {
		return nil
	}
	if err := f.ledger.PutJSON(keyLast, next); err != nil {
		return &storeError{err}
	}
	f.mu.Lock()
	f.last = &next
	f.mu.Unlock()
	pending := outcomeName(attestation.CHALLENGE_OUTCOME_PENDING)
	for _, g := range next.GPUs {
		if g.Outcome == pending || (before != nil && before.ID == next.ID && before.outcome(g.Ordinal) == g.Outcome) {
			continue
		}
		f.observer.ChallengeEnded(g.Outcome, g.GOPS)
		line := f.log.Info
		if g.Outcome != outcomeName(attestation.CHALLENGE_OUTCOME_PASSED) {
			line = f.log.Error
		}
		line("challenge ended", "challenge", next.ID, "gpu", g.Ordinal, "outcome", g.Outcome, "gops", g.GOPS, "detail", g.Detail)
	}
	return nil
}

func (l *Last) outcome(ordinal uint32) string {
	for _, g := range l.GPUs {
		if g.Ordinal == ordinal {
			return g.Outcome
		}
	}
	return ""
}
