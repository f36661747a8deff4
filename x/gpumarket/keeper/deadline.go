package keeper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// dueRentals returns the first rentals of the queue whose time has come. They
// are read before any is processed, which changes the queue.
func (k *Keeper) dueRentals(ctx context.Context, limit int) ([]uint64, error) {
	var due []uint64
	until := now(ctx)
	err := k.rentals.Indexes.due.Walk(ctx, nil, func(key collections.Pair[time.Time, uint64]) (bool, error) {
		if key.K1().After(until) {
			return true, nil
		}
		due = append(due, key.K2())
		return len(due) == limit, nil
	})
	return due, err
}

// processDue processes one deadline of the rental in a context of its own. When
// that fails, nothing of it stays, the rental is parked until somebody settles
// it, and the queue goes on. It tells whether the rental is due again.
func (k *Keeper) processDue(ctx context.Context, params types.Params, id uint64) (again bool, err error) {
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	r, failure := k.tryStep(cached, params, id)
	if failure == nil {
		write()
		return r != nil && !r.DueAt.After(now(ctx)), nil
	}
	parked, err := k.rentals.Get(ctx, id)
	if err != nil {
		return false, errors.Join(failure, err)
	}
	parked.Parked = true
	if err := k.rentals.Set(ctx, id, parked); err != nil {
		return false, errors.Join(failure, err)
	}
	return false, emit(ctx, &types.EventDeadlineFailed{RentalId: id, Error: failure.Error()})
}

// tryStep is step with a panic turned into an error, as a transaction's is: one
// bad record must not stop the chain.
func (k *Keeper) tryStep(ctx context.Context, params types.Params, id uint64) (r *types.Rental, err error) {
	defer func() {
		if p := recover(); p != nil {
			r, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	loaded, err := k.rentals.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return k.step(ctx, params, loaded)
}

// touch is the rental after all its passed deadlines: what a message must act on.
func (k *Keeper) touch(ctx context.Context, params types.Params, id uint64) (types.Rental, error) {
	r, err := k.Rental(ctx, id)
	if err != nil {
		return types.Rental{}, err
	}
	return k.advance(ctx, params, r)
}

// advance processes every passed deadline of the rental but its removal, so
// that a message finds it as if the chain had looked at it in time.
func (k *Keeper) advance(ctx context.Context, params types.Params, r types.Rental) (types.Rental, error) {
	for r.Open() && !r.DueAt.After(now(ctx)) {
		next, err := k.step(ctx, params, r)
		if err != nil {
			return types.Rental{}, err
		}
		r = *next
	}
	if r.Parked { // closed, and its removal failed
		r.Parked = false
		return r, k.rentals.Set(ctx, r.Id, r)
	}
	return r, nil
}

// step processes the one deadline that the rental reaches next, as of its own
// time and not of the block's, and queues the rental for the one after. It
// returns nil when the rental is gone. When the deadline turns out to lie in the
// future, the rental is queued for it and nothing else happens.
func (k *Keeper) step(ctx context.Context, params types.Params, r types.Rental) (*types.Rental, error) {
	at, why, err := k.nextDue(ctx, params, r)
	if err != nil {
		return nil, err
	}
	r.Parked = false
	if at.After(now(ctx)) {
		r.DueAt = at
		return &r, k.rentals.Set(ctx, r.Id, r)
	}
	switch why {
	case types.DeadlineReserved:
		err = k.startDue(ctx, params, &r)
	case types.DeadlineStart:
		err = k.close(ctx, params, &r, types.CLOSE_REASON_NOT_STARTED, at, at)
	case types.DeadlineSilence:
		err = k.checkSilence(ctx, params, &r, at)
	case types.DeadlineEnd:
		err = k.endPeriod(ctx, params, &r, at)
	case types.DeadlineNotice:
		err = k.closeAtDeadline(ctx, params, &r, r.NoticeReason(), at)
	case types.DeadlineWarning:
		err = k.warn(ctx, params, &r)
	case types.DeadlinePrune:
		return nil, k.rentals.Remove(ctx, r.Id)
	}
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// requeue stores the rental with the time of its next deadline.
func (k *Keeper) requeue(ctx context.Context, params types.Params, r *types.Rental) error {
	at, _, err := k.nextDue(ctx, params, *r)
	if err != nil {
		return err
	}
	r.DueAt = at
	return k.rentals.Set(ctx, r.Id, *r)
}

func (k *Keeper) nextDue(ctx context.Context, params types.Params, r types.Rental) (time.Time, types.Deadline, error) {
	var judgedAt time.Time
	if r.State == types.RENTAL_STATE_ACTIVE {
		at, exact, err := k.attestation.JudgedAt(ctx, r.CheckSlot)
		if err != nil {
			return time.Time{}, 0, err
		}
		// A slot without a closing block cannot be judged in this block, even if
		// the estimate says so.
		if soonest := now(ctx).Add(time.Second); !exact && at.Before(soonest) {
			at = soonest
		}
		judgedAt = at
	}
	at, why := r.NextDue(judgedAt, params.ClosedRetention)
	return at, why, nil
}
