package keeper

import (
	"context"
	"time"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// maxLookBack bounds how many slots one verdict reads. A check slot is never
// further from the newest good slot than the longest window that params allow.
const maxLookBack = types.MaxSilenceSlots + 1

// verdict reads what the slots judged by time at say of an active rental. It
// looks back from the check slot to the newest good slot, so its cost is the
// length of the failing run and at most a window. Judged slots never change, so
// the answer is the same however late it is asked.
func (k *Keeper) verdict(ctx context.Context, r types.Rental, at time.Time) (types.Verdict, error) {
	startSlot, err := k.attestation.SlotAt(ctx, *r.StartedAt)
	if err != nil {
		return types.Verdict{}, err
	}
	floor := startSlot
	if r.CheckSlot > maxLookBack {
		floor = max(floor, r.CheckSlot-maxLookBack)
	}
	v := types.Verdict{NewestGood: floor, AllMarked: true}
	for slot := r.CheckSlot; slot > floor; slot-- {
		if v.Failed == 0 { // slots are judged in their order: below a judged one all are
			judgedAt, exact, err := k.attestation.JudgedAt(ctx, slot)
			if err != nil {
				return types.Verdict{}, err
			}
			if !exact || judgedAt.After(at) {
				continue
			}
		}
		marked, err := k.notRunning.Has(ctx, collections.Join(r.Id, slot))
		if err != nil {
			return types.Verdict{}, err
		}
		if !marked {
			up, err := k.attestation.GPUsUp(ctx, r.HostId, slot, r.Gpus)
			if err != nil {
				return types.Verdict{}, err
			}
			if up {
				v.NewestGood = slot
				break
			}
		}
		v.Failed++
		v.AllMarked = v.AllMarked && marked
	}
	return v, nil
}

// provenUntil returns the start of the first slot after the newest good one:
// what a lazy settlement may pay up to.
func (k *Keeper) provenUntil(ctx context.Context, v types.Verdict) (time.Time, error) {
	return k.attestation.SlotStart(ctx, v.NewestGood+1)
}

// checkSilence judges the window that ends with the check slot, at the moment
// the slot is judged. A host that gave no sign of life for the whole window
// loses the rental, which is paid up to the window's first slot. Otherwise the
// next check comes when the window after the newest good slot can be judged.
func (k *Keeper) checkSilence(ctx context.Context, params types.Params, r *types.Rental, at time.Time) error {
	v, err := k.verdict(ctx, *r, at)
	if err != nil {
		return err
	}
	if v.Failed >= uint64(params.SilenceSlots) {
		until, err := k.provenUntil(ctx, v)
		if err != nil {
			return err
		}
		return k.close(ctx, params, r, v.SilenceReason(), at, until)
	}
	r.CheckSlot = v.NewestGood + uint64(params.SilenceSlots)
	// What was marked up to a good slot has been judged and is read no more.
	return k.notRunning.Clear(ctx, new(collections.Range[collections.Pair[uint64, uint64]]).
		StartInclusive(collections.PairPrefix[uint64, uint64](r.Id)).
		EndInclusive(collections.Join(r.Id, v.NewestGood)))
}
