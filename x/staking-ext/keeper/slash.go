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

// recordTime is how long a slash record is kept once nothing can owe it any
// more, for disputes.
const recordTime = 30 * 24 * time.Hour

// Slash takes a fraction of what the operator has at risk, or an amount, once
// for each fault: rewards that are not released, own stake, own unbonding
// entries begun after the fault, and last the public stakers' tier pro rata. It
// goes to the victim up to its loss, to the reporter, to the insurance account,
// and the rest is burned. An operator gains nothing by its own fault: as victim
// or reporter it counts as absent.
//
// The cost doesn't depend on the number of stakers: what is leaving the pool
// pays when it is looked at next.
func (k *Keeper) Slash(ctx context.Context, req types.SlashRequest) (types.SlashResult, error) {
	record, err := k.Operator(ctx, req.Operator)
	if err != nil {
		return types.SlashResult{}, err
	}
	result, err := k.slash(ctx, req, &record, false)
	if err != nil {
		return types.SlashResult{}, err
	}
	return result, k.saveOperator(ctx, req.Operator, record)
}

// slash moves the money and changes the operator's record, which the caller saves.
func (k *Keeper) slash(ctx context.Context, req types.SlashRequest, operator *types.Operator, escrowOnly bool) (types.SlashResult, error) {
	none := types.SlashResult{}
	params, err := k.params.Get(ctx)
	if err != nil {
		return none, err
	}
	if err := req.Validate(blockTime(ctx)); err != nil {
		return none, err
	}
	if err := k.checkFault(ctx, req, params.UnbondingTime); err != nil {
		return none, err
	}
	if err := k.hooks.BeforeStakeChanged(ctx, req.Operator); err != nil {
		return none, err
	}
	reached, err := k.reached(ctx, req, *operator)
	if err != nil {
		return none, err
	}
	asked := req.Amount
	if asked.IsNil() {
		asked = types.Fraction(reached.Total(), req.FractionPPM)
	}
	result := types.NewSlashResult()
	if result.FromRewards, asked, err = k.takeRewards(ctx, req, asked); err != nil {
		return none, err
	}
	if escrowOnly {
		asked = math.ZeroInt()
	}
	take := types.TakeSlash(asked, reached.AtRisk)
	if err := k.apply(ctx, req.Operator, operator, reached, take, params.StakeDenom, &result); err != nil {
		return none, err
	}
	if err := k.distribute(ctx, req, params, &result); err != nil {
		return none, err
	}
	return result, k.writeSlash(ctx, req, operator, reached, take, params, &result)
}

// reach is what a slash can take, and the records that it takes from.
type reach struct {
	types.AtRisk
	entries    []types.UnbondingEntry
	leftBefore math.Int
}

func (k *Keeper) reached(ctx context.Context, req types.SlashRequest, operator types.Operator) (reach, error) {
	r := reach{AtRisk: types.AtRisk{Own: operator.OwnStake, Delegated: operator.DelegatedTokens}}
	all, err := k.entries(ctx, req.Operator)
	if err != nil {
		return r, err
	}
	for _, e := range all {
		if e.Reaches(req.CommittedAt) {
			r.entries = append(r.entries, e)
			r.Entries = append(r.Entries, e.Amount)
		}
	}
	if r.leftBefore, err = k.leftAt(ctx, req.Operator, req.CommittedAt); err != nil {
		return r, err
	}
	r.Leaving = math.MaxInt(operator.LeftTotal.Sub(r.leftBefore), math.ZeroInt())
	return r, nil
}

// takeRewards asks the hook for rewards that are not released. An amount, or a
// fraction without AllEscrow, is covered by them first; with AllEscrow all of
// them are taken on top. It returns what they gave and what is still asked.
func (k *Keeper) takeRewards(ctx context.Context, req types.SlashRequest, asked math.Int) (taken, rest math.Int, err error) {
	limit := asked
	if req.AllEscrow {
		limit = types.MaxAmount
	}
	taken, err = k.hooks.TakeRewards(ctx, req.Operator, limit)
	switch {
	case err != nil:
		return taken, asked, err
	case taken.IsNil() || taken.IsNegative() || taken.GT(limit):
		return taken, asked, types.ErrInvalidSlash.Wrapf("rewards gave %s, want 0 to %s", taken, limit)
	case req.AllEscrow:
		return taken, asked, nil
	default:
		return taken, asked.Sub(taken), nil
	}
}

// apply lowers the own stake and the pool in the record, and the entries in the
// store, and gathers what was taken in the module's account. An entry that has
// nothing left is removed.
func (k *Keeper) apply(ctx context.Context, address sdk.AccAddress, operator *types.Operator, r reach, take types.Take,
	denom string, result *types.SlashResult,
) error {
	operator.OwnStake = operator.OwnStake.Sub(take.Own)
	operator.DelegatedTokens = operator.DelegatedTokens.Sub(take.Delegated)
	result.FromOwnStake, result.FromDelegated, result.Owed = take.Own, take.Delegated, take.Owed
	for i, entry := range r.entries {
		part := take.Entries[i]
		if part.IsZero() {
			continue
		}
		result.FromUnbonding = result.FromUnbonding.Add(part)
		entry.Amount = entry.Amount.Sub(part)
		change := k.addEntry
		if entry.Amount.IsZero() {
			change = k.removeEntry
		}
		if err := change(ctx, address, entry); err != nil {
			return err
		}
	}
	if !result.FromUnbonding.IsPositive() {
		return nil
	}
	return k.bank.SendCoinsFromModuleToModule(ctx, types.UnbondingAccount, types.ModuleName,
		sdk.NewCoins(sdk.NewCoin(denom, result.FromUnbonding)))
}

// writeSlash keeps the record by which leaving stake pays its part, remembers
// the fault and counts it.
func (k *Keeper) writeSlash(ctx context.Context, req types.SlashRequest, operator *types.Operator, r reach, take types.Take,
	params types.Params, result *types.SlashResult,
) error {
	now := blockTime(ctx)
	record := types.SlashRecord{
		Operator: operator.Address, Id: operator.NextSlashId, Fault: req.Fault, FaultId: req.FaultID,
		CommittedAt: req.CommittedAt, ExecutedAt: now, KeptUntil: keptUntil(now, params.UnbondingTime, operator.LeavingUntil),
		RateNum: take.RateNum, RateDen: take.RateDen, LeftBefore: r.leftBefore,
		FromRewards: result.FromRewards, FromOwnStake: result.FromOwnStake, FromUnbonding: result.FromUnbonding,
		FromDelegated: result.FromDelegated, Owed: result.Owed,
		ToVictim: result.Victim, ToReporter: result.Reporter, ToInsurance: result.Insurance, Burned: result.Burned,
		Held: result.Held, HeldIn: req.HoldIn,
	}
	result.RecordID = record.Id
	operator.NextSlashId++
	operator.CountFault(req.Fault)
	if take.RateNum.IsPositive() && operator.LeftTotal.GT(r.leftBefore) {
		// The record is forgotten one day, and faults after this one must not need it then.
		operator.LeftTotal = record.Apply(operator.LeftTotal)
		if err := k.markNow(ctx, req.Operator, operator, params.UnbondingTime); err != nil {
			return err
		}
	}
	if err := k.setSlash(ctx, req.Operator, record); err != nil {
		return err
	}
	if err := k.rememberFault(ctx, types.PunishedFault{Id: req.FaultID, CommittedAt: req.CommittedAt}); err != nil {
		return err
	}
	return emit(ctx, &types.EventSlashed{
		Operator: operator.Address, Fault: req.Fault, FaultId: req.FaultID, SlashId: record.Id, Taken: result.Taken().String(),
		FromRewards: result.FromRewards.String(), FromOwnStake: result.FromOwnStake.String(),
		FromUnbonding: result.FromUnbonding.String(), FromDelegated: result.FromDelegated.String(), Owed: result.Owed.String(),
		ToVictim: result.Victim.String(), ToReporter: result.Reporter.String(),
		ToInsurance: result.Insurance.String(), Burned: result.Burned.String(), Held: result.Held.String(),
	})
}

// keptUntil is recordTime after the last moment at which something that the
// record reaches can be on its way out.
func keptUntil(now time.Time, unbonding time.Duration, leavingUntil time.Time) time.Time {
	until := now.Add(unbonding)
	if leavingUntil.After(until) {
		until = leavingUntil
	}
	return until.Add(recordTime)
}

// setSlash writes a record with its keys.
func (k *Keeper) setSlash(ctx context.Context, operator sdk.AccAddress, record types.SlashRecord) error {
	id := collections.Join(operator, record.Id)
	if err := k.slashes.Set(ctx, id, record); err != nil {
		return err
	}
	if record.RateNum.IsPositive() {
		if err := k.poolSlashes.Set(ctx, id); err != nil {
			return err
		}
	}
	return k.slashQueue.Set(ctx, collections.Join3(record.KeptUntil.UnixNano(), operator, record.Id))
}

// SlashRecord returns one executed slash, or ErrSlashNotFound when there was
// none or it is not kept any more.
func (k *Keeper) SlashRecord(ctx context.Context, operator sdk.AccAddress, id uint64) (types.SlashRecord, error) {
	record, err := k.slashes.Get(ctx, collections.Join(operator, id))
	if errors.Is(err, collections.ErrNotFound) {
		return record, types.ErrSlashNotFound.Wrapf("slash %d of operator %s", id, k.name(operator))
	}
	return record, err
}
