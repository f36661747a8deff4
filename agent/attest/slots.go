package attest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	market "github.com/grafilab/grafi/x/gpumarket/types"
)

const (
	// refreshEvery is how old the view of the host may be between two slots.
	refreshEvery = 30 * time.Second
	// maxSlotsAPass bounds the slots looked at in one go, after a long halt.
	maxSlotsAPass = 256
)

// attestLoop makes the document of each closed slot. Whatever goes wrong is
// logged and tried again; only a failure of the own disk ends it.
func (a *Agent) attestLoop(ctx context.Context) error {
	for {
		var fatal *storeError
		err := a.attestDue(ctx)
		if errors.As(err, &fatal) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.noteChain(err)
		if err := sleep(ctx, a.nextLook(a.clock.now())); err != nil {
			return err
		}
	}
}

// storeError is a failure of the agent's own disk.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// nextLook returns the pause before the chain is asked again: short when a slot
// has ended and its closing block is awaited, and else until the slot ends.
func (a *Agent) nextLook(now time.Time) time.Duration {
	a.mu.Lock()
	v, next := a.view, a.nextSlot
	a.mu.Unlock()
	if v == nil || next == 0 {
		return 3 * time.Second
	}
	short := max(500*time.Millisecond, min(3*time.Second, a.slotLength()/20))
	until := v.params.SlotStart(next + 1).Sub(now)
	return min(max(until, short), refreshEvery)
}

// attestDue makes the documents of all closed slots that are not attested yet.
func (a *Agent) attestDue(ctx context.Context) error {
	v := a.snapshot()
	a.mu.Lock()
	waiting := v != nil && a.nextSlot > 0 && a.clock.now().Before(v.params.SlotStart(a.nextSlot+1))
	a.mu.Unlock()
	if waiting && time.Since(v.at) < refreshEvery {
		return nil
	}
	v, err := a.refresh(ctx)
	if err != nil {
		return err
	}
	clock, err := a.chain.Clock(ctx)
	if err != nil {
		return err
	}
	a.noteClock(clock.Time)
	a.mu.Lock()
	first := max(a.nextSlot, clock.OldestAcceptedSlot)
	a.mu.Unlock()
	last := clock.LastClosedSlot
	if first > last {
		a.looked(last + 1)
		return nil
	}
	rentals, err := a.chain.OpenRentals(ctx, v.id.HostID)
	if err != nil {
		return err
	}
	for slot := first; slot <= min(last, first+maxSlotsAPass-1); slot++ {
		if err := a.attestSlot(ctx, v, slot, rentals); err != nil {
			return fmt.Errorf("slot %d: %w", slot, err)
		}
		a.looked(slot + 1)
	}
	return a.prune(v, last)
}

// refresh reads the params and the host that one of the agent's keys belongs to.
func (a *Agent) refresh(ctx context.Context) (*view, error) {
	params, err := a.chain.Params(ctx)
	if err != nil {
		return nil, err
	}
	var found attestation.QueryHostResponse
	err = ErrNotRegistered
	for _, s := range a.signers {
		if found, err = a.chain.HostByKey(ctx, s.PublicKey()); !errors.Is(err, ErrNotRegistered) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	v := &view{
		id: Identity{ChainID: a.chain.ChainID(), HostID: found.Host.Id}, host: found.Host, gpus: found.Gpus,
		params: params, at: time.Now(),
	}
	a.mu.Lock()
	before := a.view
	a.view = v
	if before != nil && before.id != v.id {
		a.nextSlot = 0
	}
	a.mu.Unlock()
	if before == nil || before.id != v.id {
		a.log.Info("host found on chain", "host", v.id.HostID, "gpus", len(v.gpus), "slot", a.slotLength())
	}
	return v, nil
}

// attestSlot makes and commits the document of one closed slot.
func (a *Agent) attestSlot(ctx context.Context, v *view, slot uint64, rentals []market.Rental) error {
	if done, err := a.store.Document(v.id, slot); err != nil || done != nil {
		return wrapStore(err)
	}
	if signerFor(&v.host, slot, a.signers) == nil {
		a.log.Warn("slot not attested: no key of this agent may sign for it", "slot", slot, "host_status", v.host.Status.String())
		return nil
	}
	start, end := v.params.SlotStart(slot), v.params.SlotStart(slot+1)
	records, err := a.store.Around(start, end)
	if err != nil {
		return wrapStore(err)
	}
	root, err := a.detailRoot(v, slot, end)
	if err != nil {
		return wrapStore(err)
	}
	anchor, err := a.chain.Anchor(ctx, slot)
	if err != nil {
		return err
	}
	unanswered, err := a.unanswered(ctx, v, anchor)
	if err != nil {
		return err
	}
	doc, err := BuildDocument(Observation{
		ChainID: v.id.ChainID, Host: &v.host, GPUs: v.gpus, Params: v.params, Anchor: anchor, Slot: slot,
		Records: records, Rentals: rentals, DetailRoot: root, Unanswered: unanswered,
	})
	if errors.Is(err, ErrNotObserved) {
		a.logSkipped(slot, err)
		return nil
	}
	if err != nil {
		return err
	}
	committed, err := a.store.Commit(doc, end, time.Now().UTC())
	if err != nil {
		return wrapStore(err)
	}
	if committed {
		a.log.Info("slot attested", "slot", slot, "host", v.id.HostID, "gpus", v.host.GpuCount,
			"down", attestation.Bitmap(doc.Down).Count(), "not_running", doc.NotRunning)
		a.kick()
	}
	return nil
}

// detailRoot returns the root that the slot's document carries, if it is its turn.
func (a *Agent) detailRoot(v *view, slot uint64, end time.Time) ([]byte, error) {
	if slot%a.cfg.DetailEvery != a.cfg.DetailEvery-1 {
		return nil, nil
	}
	from, err := a.store.LastRoot(v.id)
	if err != nil {
		return nil, err
	}
	// The bound keeps the work small after a long time without a root.
	oldest := v.params.SlotStart(slot + 1 - min(slot+1, 4*a.cfg.DetailEvery))
	raw, err := a.store.Raw(later(from, oldest), end)
	return DetailRoot(raw), err
}

func wrapStore(err error) error {
	if err == nil {
		return nil
	}
	return &storeError{err}
}

func (a *Agent) logSkipped(slot uint64, err error) {
	a.mu.Lock()
	fresh := slot > a.skipLogged
	a.skipLogged = max(a.skipLogged, slot)
	a.mu.Unlock()
	if fresh {
		a.log.Warn("slot not attested", "slot", slot, "err", err)
	}
}

// looked moves on to the next slot.
func (a *Agent) looked(next uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.nextSlot = max(a.nextSlot, next)
}

func (a *Agent) prune(v *view, slot uint64) error {
	return wrapStore(a.store.Prune(a.clock.now().Add(-a.cfg.KeepSamples), v.id, slot-min(slot, keepSlots)))
}

// noteClock learns from the newest block how far the local clock is off.
func (a *Agent) noteClock(block time.Time) {
	a.clock.look(block)
	if a.clock.warn() {
		a.log.Warn("local clock is wrong: slots go by block time until it is put right", "skew", a.clock.skew().Round(time.Second))
	}
}

// noteChain keeps and logs the first of a row of equal errors.
func (a *Agent) noteChain(err error) {
	a.mu.Lock()
	before := a.chainErr
	a.chainErr = err
	a.mu.Unlock()
	switch {
	case err == nil && before != nil:
		a.log.Info("chain answers again")
	case err != nil && (before == nil || before.Error() != err.Error()):
		_, refused := chainclient.AsRejected(err)
		a.log.Warn("chain not usable", "refused", refused, "err", err)
	}
}
