package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// SlashBySchedule punishes a fault by the row of the schedule that it has, for
// its first or a later time. The fraction, or for some faults the amount that
// the caller names, is taken as Slash does; then the operator is jailed for the
// term of the row, or for ever. The fault, the fraction and all_escrow of the
// request are set here, whatever the caller wrote.
func (k *Keeper) SlashBySchedule(ctx context.Context, fault types.Fault, req types.SlashRequest) (types.SlashResult, error) {
	record, err := k.Operator(ctx, req.Operator)
	if err != nil {
		return types.SlashResult{}, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.SlashResult{}, err
	}
	rule, err := params.Rule(fault)
	if err != nil {
		return types.SlashResult{}, err
	}
	penalty := rule.First
	if record.FaultCount(fault) > 0 {
		penalty = rule.Again
	}
	req.Fault, req.AllEscrow, req.FractionPPM = fault, penalty.AllEscrow, penalty.FractionPPM
	if !rule.ByAmount && !req.Amount.IsNil() {
		return types.SlashResult{}, types.ErrInvalidSlash.Wrapf("amount %s for fault %s, want none: the schedule has a fraction", req.Amount, fault)
	}
	if rule.ByAmount && req.Amount.IsNil() {
		return types.SlashResult{}, types.ErrInvalidSlash.Wrapf("no amount for fault %s, want one: the schedule has no fraction", fault)
	}
	result, err := k.slash(ctx, req, &record, rule.EscrowOnly)
	if err != nil {
		return types.SlashResult{}, err
	}
	if !record.Tombstoned && (penalty.Jail > 0 || penalty.Tombstone) {
		if err := jail(ctx, &record, penalty.Jail, penalty.Tombstone); err != nil {
			return types.SlashResult{}, err
		}
	}
	return result, k.saveOperator(ctx, req.Operator, record)
}

// SlashEquivocation punishes two contradictory attestations by the schedule.
func (k *Keeper) SlashEquivocation(ctx context.Context, req types.SlashRequest) (types.SlashResult, error) {
	return k.SlashBySchedule(ctx, types.FAULT_EQUIVOCATION, req)
}
