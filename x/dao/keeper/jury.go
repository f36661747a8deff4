package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// Juror returns a juror, or ErrNotJuror.
func (k *Keeper) Juror(ctx context.Context, address sdk.AccAddress) (types.Juror, error) {
	j, err := k.jurors.Get(ctx, address)
	if errors.Is(err, collections.ErrNotFound) {
		return j, types.ErrNotJuror.Wrapf("%s", address)
	}
	return j, err
}

// JoinJury locks a juror's bond. One that is a juror already fills its bond up
// to the param, counts with its stake of now, and stays.
func (k *Keeper) JoinJury(ctx context.Context, address sdk.AccAddress) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	stake, err := k.staking.VotingStake(ctx, address)
	if err != nil {
		return err
	}
	if stake.LT(params.MinJurorStake) {
		return types.ErrStakeTooLow.Wrapf("%s has %s, want at least %s", address, stake, params.MinJurorStake)
	}
	j, err := k.jurors.Get(ctx, address)
	if errors.Is(err, collections.ErrNotFound) {
		if err := k.checkPlace(ctx, params); err != nil {
			return err
		}
		j = types.Juror{Bond: math.ZeroInt()}
		if j.Address, err = k.addressCodec.BytesToString(address); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	missing := math.MaxInt(params.JurorBond.Sub(j.Bond), math.ZeroInt())
	if err := k.lock(ctx, address, missing, "bond of a juror"); err != nil {
		return err
	}
	j.Bond = j.Bond.Add(missing)
	j.Weight, j.JoinedAt, j.Leaving = stake, now(ctx), false
	if err := k.jurors.Set(ctx, address, j); err != nil {
		return err
	}
	return emit(ctx, &types.EventJurorJoined{Juror: j.Address, Weight: stake})
}

// checkPlace counts the jurors, of which there are at most max_jurors.
func (k *Keeper) checkPlace(ctx context.Context, params types.Params) error {
	jurors := uint32(0)
	err := k.jurors.Walk(ctx, nil, func(sdk.AccAddress, types.Juror) (bool, error) {
		jurors++
		return jurors == params.MaxJurors, nil
	})
	if err == nil && jurors >= params.MaxJurors {
		return types.ErrJuryFull.Wrapf("there are %d jurors, the most", jurors)
	}
	return err
}

// LeaveJury returns a juror's bond, now or with its last open seat. It tells
// whether the juror has left.
func (k *Keeper) LeaveJury(ctx context.Context, address sdk.AccAddress) (bool, error) {
	j, err := k.Juror(ctx, address)
	if err != nil {
		return false, err
	}
	if j.OpenSeats == 0 {
		return true, k.removeJuror(ctx, address, j)
	}
	if j.Leaving {
		return false, types.ErrOpenSeats.Wrapf("%s leaves with the last of its %d seats", j.Address, j.OpenSeats)
	}
	j.Leaving = true
	if err := k.jurors.Set(ctx, address, j); err != nil {
		return false, err
	}
	return false, emit(ctx, &types.EventJurorLeaving{Juror: j.Address})
}

func (k *Keeper) removeJuror(ctx context.Context, address sdk.AccAddress, j types.Juror) error {
	if err := k.payTo(ctx, j.Address, j.Bond); err != nil {
		return err
	}
	if err := k.jurors.Remove(ctx, address); err != nil {
		return err
	}
	return emit(ctx, &types.EventJurorLeft{Juror: j.Address, Bond: j.Bond})
}

// vacate ends a juror's duty in a panel. One that didn't reveal loses a part of
// its bond, and is not drawn again until it has filled it up.
func (k *Keeper) vacate(ctx context.Context, params types.Params, seat types.PanelSeat) error {
	address, err := k.parse("juror", seat.Juror)
	if err != nil {
		return err
	}
	j, err := k.Juror(ctx, address)
	if err != nil {
		return err
	}
	j.OpenSeats--
	if seat.Vote == types.VERDICT_UNSPECIFIED {
		lost := params.ForfeitOf(j.Bond)
		if err := k.toTreasury(ctx, lost); err != nil {
			return err
		}
		j.Bond = j.Bond.Sub(lost)
		if err := emit(ctx, &types.EventVoteMissed{DisputeId: seat.DisputeId, Juror: seat.Juror, Lost: lost}); err != nil {
			return err
		}
	}
	if j.Leaving && j.OpenSeats == 0 {
		return k.removeJuror(ctx, address, j)
	}
	return k.jurors.Set(ctx, address, j)
}

// jurorStake is what a juror counts with in a draw: its stake now, or nothing
// when it is under the least.
func (k *Keeper) jurorStake(ctx context.Context, params types.Params, juror sdk.AccAddress) (math.Int, error) {
	stake, err := k.staking.VotingStake(ctx, juror)
	if err == nil && stake.LT(params.MinJurorStake) {
		return math.ZeroInt(), nil
	}
	return stake, err
}

// JurorStake is what the account would count with in a draw now: 0 when it may
// not be a juror.
func (k *Keeper) JurorStake(ctx context.Context, account sdk.AccAddress) (math.Int, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return math.Int{}, err
	}
	return k.jurorStake(ctx, params, account)
}

// StakeDenom is the denom of all bonds.
func (k *Keeper) StakeDenom(ctx context.Context) (string, error) { return k.staking.StakeDenom(ctx) }
