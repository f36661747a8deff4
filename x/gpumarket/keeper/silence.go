package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// count counts each slot of an active rental that was judged by time at and not
// counted yet, and makes the operator pay for each run of missed ones that ended.
// Its cost is the number of new slots, at most those up to the check slot. Judged
// slots never change, so the answer is the same however late it is asked. The
// caller stores the rental when it changed.
func (k *Keeper) count(ctx context.Context, params types.Params, r *types.Rental, at time.Time) (changed bool, err error) {
	a := *r.Availability
	for slot := a.CountedSlot + 1; slot <= r.CheckSlot; slot++ {
		judgedAt, exact, err := k.attestation.JudgedAt(ctx, slot)
		if err != nil {
			return false, err
		}
		if !exact || judgedAt.After(at) { // slots are judged in their order
			break
		}
		fact, err := k.slotFact(ctx, *r, slot)
		if err != nil {
			return false, err
		}
		if over := a.Count(fact); over.Seconds > 0 {
			if err := k.punishOffline(ctx, params, *r, &a, over); err != nil {
				return false, err
			}
		}
		changed = true
	}
	r.Availability = &a
	return changed, nil
}

// slotFact reads what a judged slot says of the rental. A slot whose bits are no
// longer kept proves nothing: like one of a network fault it isn't billed, and
// nobody answers for it. Whoever wants to be paid settles before.
func (k *Keeper) slotFact(ctx context.Context, r types.Rental, slot uint64) (types.SlotFact, error) {
	begins, err := k.attestation.SlotStart(ctx, slot)
	if err != nil {
		return types.SlotFact{}, err
	}
	ends, err := k.attestation.SlotStart(ctx, slot+1)
	if err != nil {
		return types.SlotFact{}, err
	}
	fact := types.SlotFact{Slot: slot, Day: types.DayOf(begins), Seconds: types.ServedSeconds(begins, ends)}
	if fact.Marked, err = k.notRunning.Has(ctx, collections.Join(r.Id, slot)); err != nil {
		return types.SlotFact{}, err
	}
	if fact.Missed = fact.Marked; !fact.Missed {
		up, err := k.attestation.GPUsUp(ctx, r.HostId, slot, r.Gpus)
		if errors.Is(err, attestationtypes.ErrSlotPruned) {
			fact.Missed, fact.NetworkFault = true, true
			return fact, nil
		} else if err != nil {
			return types.SlotFact{}, err
		}
		fact.Missed = !up
	}
	if fact.Missed {
		fact.NetworkFault, err = k.attestation.NetworkFault(ctx, slot)
	}
	return fact, err
}

// provenUntil returns the start of the first slot after the newest good one:
// what a lazy settlement may pay up to.
func (k *Keeper) provenUntil(ctx context.Context, r types.Rental) (time.Time, error) {
	return k.attestation.SlotStart(ctx, r.Availability.NewestGood()+1)
}

// checkSilence judges the window that ends with the check slot, at the moment
// the slot is judged. A host that gave no sign of life for the whole window
// loses the rental, which is paid up to the window's first slot. Otherwise the
// next check comes when the window after the newest good slot can be judged.
func (k *Keeper) checkSilence(ctx context.Context, params types.Params, r *types.Rental, at time.Time) error {
	if _, err := k.count(ctx, params, r, at); err != nil {
		return err
	}
	if r.Availability.Run >= uint64(params.SilenceSlots) {
		until, err := k.provenUntil(ctx, *r)
		if err != nil {
			return err
		}
		return k.close(ctx, params, r, r.Availability.SilenceReason(), at, until)
	}
	r.CheckSlot = r.Availability.NewestGood() + uint64(params.SilenceSlots)
	// The marks of slots that were counted are read no more.
	if err := k.notRunning.Clear(ctx, new(collections.Range[collections.Pair[uint64, uint64]]).
		StartInclusive(collections.PairPrefix[uint64, uint64](r.Id)).
		EndInclusive(collections.Join(r.Id, r.Availability.CountedSlot))); err != nil {
		return err
	}
	return k.requeue(ctx, params, r)
}
