package probe

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

const (
	// maxSessions bounds the sessions of one pair in one slot, so that a peer can't
	// make the host transfer for nothing.
	maxSessions = 4
	// maxDials bounds the attempts to reach a peer in one slot.
	maxDials = 10
	// lastRetry bounds the pause between two attempts.
	lastRetry = time.Minute
)

// pair is one probe that the chain has drawn.
type pair struct{ slot, prober, target uint64 }

func (p pair) other(own uint64) uint64 {
	if p.prober == own {
		return p.target
	}
	return p.prober
}

// peer is the other side of a pair.
type peer struct {
	id       uint64
	keys     []ed25519.PublicKey // that sign for it in the slot
	dial     string              // where it is reached; empty when it dials
	next     time.Time           // of the next attempt to dial
	wait     time.Duration
	dials    int
	sessions int
	done     bool
}

// plan learns the pairs of the current slot, and forgets those of slots before the
// last one. A pair of the last slot can still be finished.
func (f *Flow) plan(ctx context.Context) error {
	id, host, _, params, known := f.host.Host()
	if !known || host.Status != attestation.HOST_STATUS_ACTIVE {
		return nil
	}
	clock, err := f.chain.Clock(ctx)
	if err != nil {
		return err
	}
	slot := clock.Slot
	f.mu.Lock()
	done := f.planned[slot]
	for p := range f.pairs {
		if p.slot+1 < slot {
			delete(f.pairs, p)
		}
	}
	for s := range f.planned {
		if s+1 < slot {
			delete(f.planned, s)
		}
	}
	f.mu.Unlock()
	if done {
		return nil
	}
	fresh := map[pair]*peer{}
	began, err := f.began(id, slot)
	if err != nil {
		return &storeError{err}
	}
	if slot <= began { // an earlier state may have signed for it
		return nil
	}
	assigned, err := f.chain.Assigned(ctx, id.HostID, slot)
	if chainclient.IsNotFound(err) { // the slot's beacon is not there yet
		return nil
	}
	if err != nil {
		return fmt.Errorf("probers of slot %d: %w", slot, err)
	}
	for _, prober := range assigned.Probers {
		fresh[pair{slot: slot, prober: prober, target: id.HostID}] = nil
	}
	for _, target := range assigned.Targets {
		fresh[pair{slot: slot, prober: id.HostID, target: target}] = nil
	}
	for p := range fresh {
		other, err := f.chain.HostByID(ctx, p.other(id.HostID))
		if err != nil {
			return fmt.Errorf("peer %d of slot %d: %w", p.other(id.HostID), slot, err)
		}
		if fresh[p], err = f.peerOf(p, &host, &other); err != nil {
			return err
		}
		if fresh[p] != nil {
			fresh[p].next = time.Now().Add(jitter(p, params.SlotStart(slot+1).Sub(clock.Time)))
		}
	}
	if err := f.prune(id, slot); err != nil {
		return &storeError{err}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.planned[slot] = true
	for p, other := range fresh {
		if other != nil {
			f.pairs[p] = other
		}
	}
	return nil
}

// began returns the slot in which this state was made. Documents of slots up to it
// may have been signed with a state that is lost, so none is signed again.
func (f *Flow) began(id attest.Identity, slot uint64) (uint64, error) {
	stored, _, err := f.docs.Once(append([]byte("began/"), id.Key()...), binary.BigEndian.AppendUint64(nil, slot))
	if err != nil || len(stored) != 8 {
		return slot, err
	}
	return binary.BigEndian.Uint64(stored), nil
}

// peerOf returns the other side, or nil when there is nothing to measure: the chain
// takes no receipts within one operator, and two hosts without an inbound port
// can't reach each other.
func (f *Flow) peerOf(p pair, own, other *attestation.Host) (*peer, error) {
	if other.Operator == own.Operator {
		return nil, nil
	}
	out := &peer{id: other.Id}
	for _, k := range other.SigningKeys(p.slot) {
		out.keys = append(out.keys, ed25519.PublicKey(k))
	}
	if len(out.keys) == 0 {
		return nil, nil
	}
	prober, target := own, other
	if p.target == own.Id {
		prober, target = other, own
	}
	switch {
	case target.ProbeEndpoint != "" && prober == own:
		out.dial = target.ProbeEndpoint
	case target.ProbeEndpoint == "" && prober.ProbeEndpoint != "" && target == own:
		out.dial = prober.ProbeEndpoint
	case target.ProbeEndpoint == "" && prober.ProbeEndpoint == "":
		return nil, nil
	}
	return out, nil
}

// jitter spreads the first attempts over the first half of what is left of the
// slot, after the peer had time to learn of it.
func jitter(p pair, left time.Duration) time.Duration {
	h := sha256.Sum256(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, p.slot), p.prober), p.target))
	part := time.Duration(binary.BigEndian.Uint16(h[:])) * max(0, left/2) / (1 << 16)
	return min(max(part, 2*time.Second), max(0, left))
}

// dialDue dials the peers whose time has come, one after the other.
func (f *Flow) dialDue(ctx context.Context) error {
	for {
		p, other := f.nextDue(time.Now())
		if other == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		err := f.dialOne(ctx, p, other)
		if fatal, ok := asStore(err); ok {
			return fatal
		}
		f.mu.Lock()
		switch {
		case err == nil || other.done:
		case errors.Is(err, errBusy): // two hosts that wait for each other must not do so in step
			other.dials--
			other.next = time.Now().Add(f.cfg.Retry/2 + rand.N(f.cfg.Retry))
		default:
			other.wait = min(max(f.cfg.Retry, 2*other.wait), lastRetry)
			other.next = time.Now().Add(other.wait)
			other.done = other.dials >= maxDials
		}
		over := err != nil && other.done
		f.mu.Unlock()
		if err != nil {
			f.log.Debug("probe did not succeed", "slot", p.slot, "prober", p.prober, "target", p.target, "err", err)
		}
		if over {
			f.failed(p, err)
		}
	}
}

// nextDue returns the pair whose attempt is due the longest.
func (f *Flow) nextDue(now time.Time) (due pair, other *peer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for p, x := range f.pairs {
		if x.dial == "" || x.done || now.Before(x.next) {
			continue
		}
		if other == nil || x.next.Before(other.next) {
			due, other = p, x
		}
	}
	if other != nil {
		other.dials++
		other.next = now.Add(f.cfg.Retry) // replaced when the attempt ends
	}
	return due, other
}

// find returns the pair of the hello, if the peer is its other side and may begin
// one more session.
func (f *Flow) find(p pair, key ed25519.PublicKey, resumes bool) (*peer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	other := f.pairs[p]
	if other == nil {
		return nil, fmt.Errorf("%w: slot %d, prober %d, target %d is not drawn", ErrRefused, p.slot, p.prober, p.target)
	}
	if !containsKey(other.keys, key) {
		return nil, fmt.Errorf("%w: host %d has another key", ErrRefused, other.id)
	}
	if other.sessions >= maxSessions || (other.done && !resumes) {
		return nil, fmt.Errorf("%w: %d sessions in slot %d, done %t", ErrRefused, other.sessions, p.slot, other.done)
	}
	other.sessions++
	return other, nil
}

// allowed are the keys of all peers of now.
func (f *Flow) allowed() []ed25519.PublicKey {
	f.mu.Lock()
	defer f.mu.Unlock()
	var keys []ed25519.PublicKey
	for _, other := range f.pairs {
		keys = append(keys, other.keys...)
	}
	return keys
}

func containsKey(keys []ed25519.PublicKey, key ed25519.PublicKey) bool {
	for _, k := range keys {
		if k.Equal(key) {
			return true
		}
	}
	return false
}

var newCertificate = agentapi.ProbeCertificate
