package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// snapshotStake keeps what the operator had at stake when the day began, before its
// first change on the day. Snapshots that no open day needs any more go.
func (k *Keeper) snapshotStake(ctx context.Context, operator sdk.AccAddress) error {
	days, err := k.attestation.Params(ctx)
	if err != nil {
		return err
	}
	day := days.DayOf(days.SlotAt(now(ctx)))
	key := collections.Join(operator, day)
	if has, err := k.snapshots.Has(ctx, key); err != nil || has {
		return err
	}
	stake, requirement, err := k.stakeNow(ctx, operator)
	if err != nil {
		return err
	}
	name, err := k.addressCodec.BytesToString(operator)
	if err != nil {
		return err
	}
	if err := k.dropSnapshots(ctx, operator); err != nil {
		return err
	}
	return k.snapshots.Set(ctx, key, types.StakeSnapshot{Operator: name, Day: day, Stake: stake, Requirement: requirement})
}

// dropSnapshots removes the operator's snapshots of days that are closed. There is
// one per day at most, so there are about as many as open days.
func (k *Keeper) dropSnapshots(ctx context.Context, operator sdk.AccAddress) error {
	mining, err := k.mining.Get(ctx)
	if err != nil {
		return err
	}
	it, err := k.snapshots.Iterate(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, uint64](operator).EndExclusive(mining.NextClose))
	if err != nil {
		return err
	}
	keys, err := it.Keys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := k.snapshots.Remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// stakeAtStart returns the stake that counted and the requirement when the day
// began: those of the first snapshot of the day or later, and those of now when
// there is none, since then nothing has changed.
func (k *Keeper) stakeAtStart(ctx context.Context, operator sdk.AccAddress, day uint64) (stake, requirement math.Int, err error) {
	it, err := k.snapshots.Iterate(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, uint64](operator).StartInclusive(day))
	if err != nil {
		return math.Int{}, math.Int{}, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	if it.Valid() {
		s, err := it.Value()
		return s.Stake, s.Requirement, err
	}
	return k.stakeNow(ctx, operator)
}

// stakeNow is the stake that counts; an operator that is about to be registered has none.
func (k *Keeper) stakeNow(ctx context.Context, operator sdk.AccAddress) (stake, requirement math.Int, err error) {
	stake, requirement, err = k.staking.StakeOf(ctx, operator)
	if errors.Is(err, stakingext.ErrOperatorNotFound) {
		return math.ZeroInt(), math.ZeroInt(), nil
	}
	return stake, requirement, err
}
