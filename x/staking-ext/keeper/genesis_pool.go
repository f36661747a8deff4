package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// initPool writes delegations and what leaves them, with their keys.
func (k *Keeper) initPool(ctx context.Context, gs types.GenesisState) error {
	for _, d := range gs.Delegations {
		key, err := k.poolKey(d.Delegator, d.Operator)
		if err != nil {
			return err
		}
		if err := k.delegations.Set(ctx, key, d.Shares); err != nil {
			return err
		}
		if err := k.delegators.Set(ctx, collections.Join(key.K2(), key.K1())); err != nil {
			return err
		}
	}
	for _, e := range gs.Undelegations {
		key, err := k.poolKey(e.Delegator, e.Operator)
		if err != nil {
			return err
		}
		if err := k.addUndelegation(ctx, collections.Join3(key.K1(), key.K2(), e.Id), e); err != nil {
			return err
		}
	}
	for _, e := range gs.Redelegations {
		key, err := k.poolKey(e.Delegator, e.To)
		if err != nil {
			return err
		}
		if err := k.addRedelegation(ctx, collections.Join3(key.K1(), key.K2(), e.Id), e); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) poolKey(delegator, operator string) (poolKey, error) {
	first, err := k.addressCodec.StringToBytes(delegator)
	if err != nil {
		return poolKey{}, err
	}
	second, err := k.addressCodec.StringToBytes(operator)
	return collections.Join(sdk.AccAddress(first), sdk.AccAddress(second)), err
}

func (k *Keeper) exportPool(ctx context.Context, gs *types.GenesisState) error {
	err := k.delegations.Walk(ctx, nil, func(key poolKey, shares math.Int) (bool, error) {
		gs.Delegations = append(gs.Delegations, types.Delegation{
			Delegator: k.name(key.K1()), Operator: k.name(key.K2()), Shares: shares,
		})
		return false, nil
	})
	if err != nil {
		return err
	}
	if gs.Undelegations, err = values(ctx, k.undelegations); err != nil {
		return err
	}
	gs.Redelegations, err = values(ctx, k.redelegations)
	return err
}

// initSlashes writes slash records, prefix sums and remembered faults.
func (k *Keeper) initSlashes(ctx context.Context, gs types.GenesisState) error {
	for _, r := range gs.Slashes {
		operator, err := k.addressCodec.StringToBytes(r.Operator)
		if err != nil {
			return err
		}
		if err := k.setSlash(ctx, operator, r); err != nil {
			return err
		}
	}
	for _, m := range gs.Left {
		operator, err := k.addressCodec.StringToBytes(m.Operator)
		if err != nil {
			return err
		}
		if err := k.setMark(ctx, operator, m); err != nil {
			return err
		}
	}
	for _, p := range gs.Punished {
		if err := k.rememberFault(ctx, p); err != nil {
			return err
		}
	}
	if gs.ForgottenUntil.IsZero() {
		return nil
	}
	return k.forgottenUntil.Set(ctx, gs.ForgottenUntil.UnixNano())
}

func (k *Keeper) exportSlashes(ctx context.Context, gs *types.GenesisState) error {
	var err error
	if gs.Slashes, err = values(ctx, k.slashes); err != nil {
		return err
	}
	if gs.Left, err = values(ctx, k.left); err != nil {
		return err
	}
	if gs.Punished, err = values(ctx, k.punished); err != nil {
		return err
	}
	forgotten, err := k.forgottenUntil.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	gs.ForgottenUntil = time.Unix(0, forgotten).UTC()
	return nil
}
