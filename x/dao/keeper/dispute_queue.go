package keeper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// processDisputes takes the next step of the disputes whose time has come,
// oldest first, at most budget of them and DrawBudget draws; the rest carries
// over.
func (k *Keeper) processDisputes(ctx context.Context, params types.Params) error {
	due, err := k.dueDisputes(ctx, int(params.DueBudget))
	if err != nil {
		return err
	}
	draws := 0
	for _, id := range due {
		d, err := k.disputes.Get(ctx, id)
		if err != nil {
			return err
		}
		if d.State == types.DISPUTE_STATE_OPEN {
			if draws++; draws > types.DrawBudget {
				return nil
			}
		}
		if err := k.processDispute(ctx, params, id); err != nil {
			return err
		}
	}
	return nil
}

// dueDisputes are read before any is processed, which changes the queue.
func (k *Keeper) dueDisputes(ctx context.Context, limit int) ([]uint64, error) {
	var due []uint64
	until := now(ctx)
	err := k.disputes.Indexes.due.keys.Walk(ctx, nil, func(key collections.Pair[time.Time, uint64]) (bool, error) {
		if key.K1().After(until) {
			return true, nil
		}
		due = append(due, key.K2())
		return len(due) == limit, nil
	})
	return due, err
}

// processDispute takes one step in a context of its own. When that fails,
// nothing of it stays, the dispute is parked until somebody resumes it, and the
// queue goes on.
func (k *Keeper) processDispute(ctx context.Context, params types.Params, id uint64) error {
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	failure := k.tryStep(cached, params, id)
	if failure == nil {
		write()
		return nil
	}
	d, err := k.disputes.Get(ctx, id)
	if err != nil {
		return errors.Join(failure, err)
	}
	d.Parked = true
	if err := k.disputes.Set(ctx, id, d); err != nil {
		return errors.Join(failure, err)
	}
	return emit(ctx, &types.EventDisputeParked{DisputeId: id, Error: failure.Error()})
}

// tryStep turns a panic into an error, as a transaction does: one bad record
// must not stop the chain.
func (k *Keeper) tryStep(ctx context.Context, params types.Params, id uint64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	d, err := k.disputes.Get(ctx, id)
	if err != nil {
		return err
	}
	return k.step(ctx, params, d)
}

// step ends the state that the dispute is in. Each new state begins at the
// block's time, so that a late block shortens nobody's time.
func (k *Keeper) step(ctx context.Context, params types.Params, d types.Dispute) error {
	switch d.State {
	case types.DISPUTE_STATE_OPEN:
		return k.drawPanel(ctx, params, d)
	case types.DISPUTE_STATE_COMMIT:
		return k.endCommit(ctx, params, d)
	case types.DISPUTE_STATE_REVEAL:
		return k.endPanel(ctx, params, d)
	case types.DISPUTE_STATE_DECIDED, types.DISPUTE_STATE_APPEALED:
		return k.finish(ctx, d, false)
	case types.DISPUTE_STATE_HELD:
		return k.payAward(ctx, d)
	case types.DISPUTE_STATE_CLOSED:
		return k.removeDispute(ctx, d)
	default:
		return types.ErrWrongState.Wrapf("dispute %d is %s", d.Id, d.State)
	}
}

// ResumeDispute puts a parked dispute back in the queue: for this block, or for
// a draw some blocks ahead, because who resumes it must not choose the beacon.
func (k *Keeper) ResumeDispute(ctx context.Context, id uint64) error {
	d, err := k.Dispute(ctx, id)
	if err != nil {
		return err
	}
	if !d.Parked {
		return types.ErrWrongState.Wrapf("dispute %d is not parked", id)
	}
	d.Parked = false
	d.DueAt = now(ctx)
	if d.State == types.DISPUTE_STATE_OPEN {
		d.DueAt = d.DueAt.Add(types.DrawDelay)
	}
	if err := k.disputes.Set(ctx, id, d); err != nil {
		return err
	}
	return emit(ctx, &types.EventDisputeResumed{DisputeId: id})
}

// removeDispute removes a closed dispute and its seats, at most Rounds panels.
func (k *Keeper) removeDispute(ctx context.Context, d types.Dispute) error {
	seats, err := k.seatsOf(ctx, d.Id)
	if err != nil {
		return err
	}
	for _, s := range seats {
		juror, err := k.addressCodec.StringToBytes(s.Juror)
		if err != nil {
			return err
		}
		if err := k.seats.Remove(ctx, collections.Join(d.Id, sdk.AccAddress(juror))); err != nil {
			return err
		}
	}
	return k.disputes.Remove(ctx, d.Id)
}
