package attest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	market "github.com/grafilab/grafi/x/gpumarket/types"
)

const (
	// headBatch is the most attestations in one transaction.
	headBatch = 64
	// firstBackoff and lastBackoff bound the pause after a failure. It stays short:
	// a start that is not confirmed in time costs the host its rental.
	firstBackoff = time.Second
	lastBackoff  = 20 * time.Second
	// idleLook is a pause without a reason, in case a wake-up was missed.
	idleLook = 30 * time.Second
)

// kick wakes the delivery.
func (a *Agent) kick() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// deliverLoop delivers the outbox, oldest first. An entry leaves it when it is on
// chain, or when the chain has refused it for good. One that has to wait lets
// the others pass.
func (a *Agent) deliverLoop(ctx context.Context) error {
	backoff := firstBackoff
	for {
		worked, err := a.deliverHead(ctx)
		var fatal *storeError
		if errors.As(err, &fatal) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.noteOutbox(cmp.Or(err, a.deferred.oldest()))
		switch {
		case err != nil:
			if err := sleep(ctx, backoff); err != nil {
				return err
			}
			backoff = min(2*backoff, lastBackoff)
			continue
		case worked:
			backoff = firstBackoff
			continue
		}
		timer := time.NewTimer(a.deferred.next(time.Now(), idleLook))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-a.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// deliverHead delivers the oldest entry that need not wait, with the attestations
// that follow it. What concerns these entries alone puts them off and is no error:
// an error is that of the way to the chain, which all entries share.
func (a *Agent) deliverHead(ctx context.Context) (worked bool, err error) {
	now := time.Now()
	head, err := a.store.Head(headBatch, func(e Entry) bool { return a.deferred.waits(e, now) })
	if err != nil {
		return false, wrapStore(err)
	}
	if len(head) == 0 {
		return false, nil
	}
	n := 1
	for head[0].Kind == KindAttestation && n < len(head) && head[n].Kind == KindAttestation {
		n++
	}
	switch head[0].Kind {
	case KindAttestation:
		err = a.deliverAttestations(ctx, head[:n])
	case KindStart:
		err = a.deliverStart(ctx, head[0])
	case KindResult:
		err = a.deliverResult(ctx, head[0])
	default:
		err = a.refuse(head[0], fmt.Sprintf("unknown kind %q", head[0].Kind))
	}
	if err == nil {
		a.deferred.forget(head[:n])
		return true, nil
	}
	err = fmt.Errorf("deliver %s: %w", head[0].Kind, err)
	if _, refused := chainclient.AsRejected(err); !refused && !errors.Is(err, errNotYet) {
		return false, err
	}
	left, lerr := a.store.Head(n, func(e Entry) bool {
		return !slices.ContainsFunc(head[:n], func(tried Entry) bool { return tried.Sequence == e.Sequence })
	})
	if lerr != nil {
		return false, wrapStore(lerr)
	}
	a.deferred.put(head[:n], left, time.Now(), err)
	return true, nil
}

// final reports whether the chain's refusal is about what is stated, so that
// sending it again is of no use. Anything else (no funds, no account yet, a full
// mempool, no answer) mends itself or is mended by a person.
func final(err error) (*chainclient.RejectedError, bool) {
	r, ok := chainclient.AsRejected(err)
	if !ok || (r.Codespace != attestation.ModuleName && r.Codespace != market.ModuleName) {
		return nil, false
	}
	return r, true
}

func (a *Agent) delivered(e Entry) error {
	a.observer.Delivered(e.Kind)
	if e.Kind == KindAttestation {
		a.observer.Attested(e.Slot)
	} else {
		a.log.Info("report is on chain", "kind", e.Kind, "rental", e.rental())
	}
	return wrapStore(a.store.Done(e, agentapi.ReportDelivered, ""))
}

func (a *Agent) refuse(e Entry, why string) error {
	a.observer.Refused(e.Kind)
	a.log.Error("chain refuses for good", "kind", e.Kind, "slot", e.Slot, "rental", e.rental(), "why", why)
	return wrapStore(a.store.Done(e, agentapi.ReportRefused, why))
}

// noteOutbox keeps and logs the first of a row of equal errors.
func (a *Agent) noteOutbox(err error) {
	a.mu.Lock()
	before := a.outboxErr
	a.outboxErr = err
	a.mu.Unlock()
	if err == nil || (before != nil && before.Error() == err.Error()) {
		return
	}
	if r, ok := chainclient.AsRejected(err); ok {
		a.log.Error("delivery stands still: the chain refuses the transaction (is the fee account funded?)",
			"account", a.chain.Sender(), "codespace", r.Codespace, "code", r.Code, "err", err)
		return
	}
	a.log.Warn("delivery waits", "err", err)
}
