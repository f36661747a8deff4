package keeper

import (
	"context"

	"cosmossdk.io/math"

	errorsmod "cosmossdk.io/errors"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// Slash takes a fraction of what the operator has at risk: own stake first,
// then the unbonding entries begun after the fault, oldest first. What is taken
// goes to the victim up to its loss, to the reporter, to the insurance account,
// and the rest is burned. An operator gains nothing by its own fault: as victim
// or reporter it counts as absent.
//
// How old a fault may be is the caller's business; whatever its age, an entry
// begun before it is out of reach.
func (k *Keeper) Slash(ctx context.Context, req types.SlashRequest) (types.SlashResult, error) {
	record, err := k.Operator(ctx, req.Operator)
	if err != nil {
		return types.SlashResult{}, err
	}
	result, err := k.slash(ctx, req, &record)
	if err != nil {
		return types.SlashResult{}, err
	}
	return result, k.saveOperator(ctx, req.Operator, record)
}

// SlashEquivocation punishes the proven fault by the schedule: the first time
// equivocation_slash_ppm and a jail of equivocation_jail, the second time
// everything and the tombstone. The fault and the fraction of the request are
// set here, whatever the caller wrote.
func (k *Keeper) SlashEquivocation(ctx context.Context, req types.SlashRequest) (types.SlashResult, error) {
	record, err := k.Operator(ctx, req.Operator)
	if err != nil {
		return types.SlashResult{}, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.SlashResult{}, err
	}
	again := record.Equivocations > 0
	req.Fault, req.FractionPPM = types.FAULT_EQUIVOCATION, params.EquivocationSlashPpm
	if again {
		req.FractionPPM = types.PPM
	}
	result, err := k.slash(ctx, req, &record)
	if err != nil {
		return types.SlashResult{}, err
	}
	record.Equivocations++
	if !record.Tombstoned {
		if err := jail(ctx, &record, params.EquivocationJail, again); err != nil {
			return types.SlashResult{}, err
		}
	}
	return result, k.saveOperator(ctx, req.Operator, record)
}

// slash moves the money and changes the record, which the caller saves.
func (k *Keeper) slash(ctx context.Context, req types.SlashRequest, record *types.Operator) (types.SlashResult, error) {
	if err := req.Validate(blockTime(ctx)); err != nil {
		return types.SlashResult{}, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.SlashResult{}, err
	}
	result, err := k.take(ctx, req, record)
	if err != nil {
		return types.SlashResult{}, err
	}

	loss := math.ZeroInt()
	if !req.Victim.Empty() && !req.Victim.Equals(req.Operator) {
		loss = req.VictimLoss
	}
	reported := !req.Reporter.Empty() && !req.Reporter.Equals(req.Operator)
	result.Victim, result.Reporter, result.Insurance, result.Burned = params.SplitSlash(result.Taken(), loss, reported)
	if err := k.distribute(ctx, req, params.StakeDenom, result); err != nil {
		return types.SlashResult{}, errorsmod.Wrapf(err, "slash of %s", record.Address)
	}
	return result, emit(ctx, &types.EventSlashed{
		Operator: record.Address, Fault: req.Fault, Taken: result.Taken().String(),
		FromOwnStake: result.FromOwnStake.String(), FromUnbonding: result.FromUnbonding.String(),
		ToVictim: result.Victim.String(), ToReporter: result.Reporter.String(),
		ToInsurance: result.Insurance.String(), Burned: result.Burned.String(),
	})
}

// take lowers the own stake in the record, and the entries in the store. An
// entry that has nothing left is removed.
func (k *Keeper) take(ctx context.Context, req types.SlashRequest, record *types.Operator) (types.SlashResult, error) {
	all, err := k.entries(ctx, req.Operator)
	if err != nil {
		return types.SlashResult{}, err
	}
	var reached []types.UnbondingEntry
	var amounts []math.Int
	for _, e := range all {
		if e.Reaches(req.CommittedAt) {
			reached = append(reached, e)
			amounts = append(amounts, e.Amount)
		}
	}
	fromOwn, fromEntries := types.TakeSlash(record.OwnStake, amounts, req.FractionPPM)

	record.OwnStake = record.OwnStake.Sub(fromOwn)
	fromUnbonding := math.ZeroInt()
	for i, entry := range reached {
		if fromEntries[i].IsZero() {
			continue
		}
		fromUnbonding = fromUnbonding.Add(fromEntries[i])
		entry.Amount = entry.Amount.Sub(fromEntries[i])
		if entry.Amount.IsZero() {
			err = k.removeEntry(ctx, req.Operator, entry)
		} else {
			err = k.addEntry(ctx, req.Operator, entry)
		}
		if err != nil {
			return types.SlashResult{}, err
		}
	}
	return types.SlashResult{FromOwnStake: fromOwn, FromUnbonding: fromUnbonding}, nil
}

// distribute moves each part out of the module's account.
func (k *Keeper) distribute(ctx context.Context, req types.SlashRequest, denom string, r types.SlashResult) error {
	coins := func(amount math.Int) sdk.Coins { return sdk.NewCoins(sdk.NewCoin(denom, amount)) }
	if r.Victim.IsPositive() {
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, req.Victim, coins(r.Victim)); err != nil {
			return errorsmod.Wrapf(err, "victim's part %s", r.Victim)
		}
	}
	if r.Reporter.IsPositive() {
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, req.Reporter, coins(r.Reporter)); err != nil {
			return errorsmod.Wrapf(err, "reporter's part %s", r.Reporter)
		}
	}
	if r.Insurance.IsPositive() {
		if err := k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, types.InsuranceAccount, coins(r.Insurance)); err != nil {
			return errorsmod.Wrapf(err, "insurance part %s", r.Insurance)
		}
	}
	if r.Burned.IsPositive() {
		if err := k.bank.BurnCoins(ctx, types.ModuleName, coins(r.Burned)); err != nil {
			return errorsmod.Wrapf(err, "burned part %s", r.Burned)
		}
	}
	return nil
}
