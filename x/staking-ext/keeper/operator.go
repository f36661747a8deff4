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

// Registration is what a new operator tells about itself.
type Registration struct {
	Moniker, Website string
	Kind             types.OperatorKind
	CommissionPPM    uint64
	// Bond is the first stake; nil or zero for none.
	Bond sdk.Coin
}

// Register creates the operator, with its first bond if there is one.
func (k *Keeper) Register(ctx context.Context, operator sdk.AccAddress, r Registration) error {
	if err := types.ValidateDescription(r.Moniker, r.Website, r.CommissionPPM); err != nil {
		return err
	}
	if err := types.ValidateKind(r.Kind); err != nil {
		return err
	}
	if exists, err := k.operators.Has(ctx, operator); err != nil {
		return err
	} else if exists {
		return types.ErrOperatorExists.Wrapf("operator %s", k.name(operator))
	}
	withBond := !r.Bond.Amount.IsNil() && !r.Bond.Amount.IsZero()
	if withBond {
		if err := k.checkAmount(ctx, r.Bond); err != nil {
			return err
		}
		if err := k.lock(ctx, operator, r.Bond); err != nil {
			return err
		}
	}

	address, err := k.addressCodec.BytesToString(operator)
	if err != nil {
		return err
	}
	record := newOperator(address, r, blockTime(ctx))
	// Saved without stake first, so that a hook sees what was there before the bond.
	if err := k.operators.Set(ctx, operator, record); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventOperatorRegistered{Operator: address, Kind: r.Kind}); err != nil || !withBond {
		return err
	}
	if err := k.hooks.BeforeStakeChanged(ctx, operator); err != nil {
		return err
	}
	record.OwnStake = r.Bond.Amount
	if err := emit(ctx, &types.EventBonded{Operator: address, Amount: r.Bond.Amount.String()}); err != nil {
		return err
	}
	return k.saveOperator(ctx, operator, record)
}

func newOperator(address string, r Registration, now time.Time) types.Operator {
	zero := math.ZeroInt()
	return types.Operator{
		Address: address, Moniker: r.Moniker, Website: r.Website, Kind: r.Kind, CommissionPpm: r.CommissionPPM,
		OwnStake: zero, Requirement: zero, DelegatedTokens: zero, DelegationShares: zero,
		BondedFor: zero, CountedStake: zero, LeftTotal: zero,
		RegisteredAt: now, CommissionChangedAt: now, NextUnbondingId: 1, NextSlashId: 1,
	}
}

// Edit replaces the moniker, the website and the commission. The commission
// moves at most max_commission_change, once a day.
func (k *Keeper) Edit(ctx context.Context, operator sdk.AccAddress, moniker, website string, commissionPPM uint64) error {
	if err := types.ValidateDescription(moniker, website, commissionPPM); err != nil {
		return err
	}
	record, err := k.Operator(ctx, operator)
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if err := params.CheckCommission(record, commissionPPM, blockTime(ctx)); err != nil {
		return err
	}
	if commissionPPM != record.CommissionPpm {
		record.CommissionChangedAt = blockTime(ctx)
	}
	record.Moniker, record.Website, record.CommissionPpm = moniker, website, commissionPPM
	if err := k.operators.Set(ctx, operator, record); err != nil {
		return err
	}
	return emit(ctx, &types.EventOperatorEdited{Operator: record.Address})
}

// HasOperator tells whether the account is a registered operator.
func (k *Keeper) HasOperator(ctx context.Context, operator sdk.AccAddress) (bool, error) {
	return k.operators.Has(ctx, operator)
}

// Operator returns the operator's record, or ErrOperatorNotFound.
func (k *Keeper) Operator(ctx context.Context, operator sdk.AccAddress) (types.Operator, error) {
	record, err := k.operators.Get(ctx, operator)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Operator{}, types.ErrOperatorNotFound.Wrapf("operator %s", k.name(operator))
	}
	return record, err
}

// EnsureRentable returns a typed error when the operator is jailed, or under
// its requirement for longer than the grace.
func (k *Keeper) EnsureRentable(ctx context.Context, operator sdk.AccAddress) error {
	record, err := k.Operator(ctx, operator)
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	return record.EnsureRentable(blockTime(ctx), params.TopUpGrace)
}

// EnsureCovered returns a typed error when the operator's counted stake is under
// its requirement now, whatever is left of the grace.
func (k *Keeper) EnsureCovered(ctx context.Context, operator sdk.AccAddress) error {
	record, err := k.Operator(ctx, operator)
	if err != nil {
		return err
	}
	if !record.IsCovered() {
		return types.ErrBelowRequirement.Wrapf("operator %s: counted stake %s, want %s",
			record.Address, record.CountedStake, record.Requirement)
	}
	return nil
}

// saveOperator counts the stake under the params of now, writes the record and
// keeps below_since in step with it: it is set, with an event, at the moment the stake falls under the requirement, and
// cleared at the moment it no longer is.
func (k *Keeper) saveOperator(ctx context.Context, operator sdk.AccAddress, record types.Operator) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	record.CountedStake = params.Count(record.OwnStake, record.DelegatedTokens)
	switch {
	case record.IsCovered():
		record.BelowSince = nil
	case record.BelowSince == nil:
		now := blockTime(ctx)
		record.BelowSince = &now
		if err := emit(ctx, &types.EventStakeBelowRequirement{
			Operator: record.Address, CountedStake: record.CountedStake.String(), Requirement: record.Requirement.String(),
		}); err != nil {
			return err
		}
	}
	return k.operators.Set(ctx, operator, record)
}

// name prints an address in an error, also one that can't be encoded.
func (k *Keeper) name(address sdk.AccAddress) string {
	s, err := k.addressCodec.BytesToString(address)
	if err != nil {
		return address.String()
	}
	return s
}

// blockTime is the only clock of the module.
func blockTime(ctx context.Context) time.Time { return sdk.UnwrapSDKContext(ctx).BlockTime() }
