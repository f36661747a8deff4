package simulation

import (
	"context"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/staking-ext/keeper"
	"github.com/grafilab/grafi/x/staking-ext/types"
)

// DelegateFactory delegates a part of any balance to an operator that takes stake.
func DelegateFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgDelegate] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgDelegate) {
		denom := must(k.StakeDenom(ctx))
		operator := anyOperator(ctx, k, data, reporter, takesStake)
		if reporter.IsSkipped() {
			return nil, nil
		}
		account := data.AnyAccountN(tries, reporter, simsx.WithDenomBalance(denom), simsx.ExcludeAccounts(operator))
		if reporter.IsSkipped() {
			return nil, nil
		}
		if !hasRoom(ctx, k, account, operator) {
			reporter.Skip("max delegations")
			return nil, nil
		}
		amount := account.LiquidBalance().RandSubsetCoin(reporter, denom)
		if reporter.IsSkipped() {
			return nil, nil
		}
		record := must(k.Operator(ctx, operator.Address))
		if _, err := types.SharesFor(amount.Amount, record.DelegatedTokens, record.DelegationShares); err != nil {
			reporter.Skip("the pool takes no such amount")
			return nil, nil
		}
		return []simsx.SimAccount{account}, &types.MsgDelegate{
			Delegator: account.AddressBech32, Operator: operator.AddressBech32, Amount: amount,
		}
	}
}

// UndelegateFactory takes a random part, or all, of a free delegation.
func UndelegateFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgUndelegate] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgUndelegate) {
		account, view := anyFreeDelegation(ctx, k, data, reporter)
		if reporter.IsSkipped() {
			return nil, nil
		}
		open := must(keeper.NewQueryServer(k).Undelegations(ctx, &types.QueryUndelegationsRequest{
			Delegator: account.AddressBech32, Pagination: &query.PageRequest{Limit: 1_000},
		}))
		at := 0
		for _, u := range open.Undelegations {
			if u.Entry.Operator == view.Delegation.Operator {
				at++
			}
		}
		if at >= int(simParams(ctx, k).MaxUnbondingEntries) {
			reporter.Skip("max undelegations")
			return nil, nil
		}
		return []simsx.SimAccount{account}, &types.MsgUndelegate{
			Delegator: account.AddressBech32, Operator: view.Delegation.Operator, Amount: part(ctx, k, data.Rand(), view),
		}
	}
}

// RedelegateFactory moves a random part, or all, of a free delegation.
func RedelegateFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgRedelegate] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgRedelegate) {
		account, view := anyFreeDelegation(ctx, k, data, reporter)
		if reporter.IsSkipped() {
			return nil, nil
		}
		to := anyOperator(ctx, k, data, reporter, func(o types.Operator) bool {
			return takesStake(o) && o.Address != view.Delegation.Operator && o.Address != account.AddressBech32
		})
		if reporter.IsSkipped() {
			return nil, nil
		}
		if !hasRoom(ctx, k, account, to) || openRedelegations(ctx, k, account, to) >= int(simParams(ctx, k).MaxUnbondingEntries) {
			reporter.Skip("max delegations or redelegations")
			return nil, nil
		}
		amount := part(ctx, k, data.Rand(), view)
		moved := amount.Amount
		if moved.IsZero() {
			moved = view.Tokens
		}
		record := must(k.Operator(ctx, to.Address))
		if _, err := types.SharesFor(moved, record.DelegatedTokens, record.DelegationShares); err != nil || !freeTokens(ctx, k, view).IsPositive() {
			reporter.Skip("the pool takes no such amount")
			return nil, nil
		}
		return []simsx.SimAccount{account}, &types.MsgRedelegate{
			Delegator: account.AddressBech32, From: view.Delegation.Operator, To: to.AddressBech32, Amount: amount,
		}
	}
}

func takesStake(o types.Operator) bool { return !o.Jailed && !o.Tombstoned }

// hasRoom tells whether the account may delegate to the operator, which it
// perhaps does already.
func hasRoom(ctx context.Context, k *keeper.Keeper, account, operator simsx.SimAccount) bool {
	if must(k.Delegation(ctx, account.Address, operator.Address)).IsPositive() {
		return true
	}
	most := simParams(ctx, k).MaxDelegations
	held := must(keeper.NewQueryServer(k).Delegations(ctx, &types.QueryDelegationsRequest{
		Delegator: account.AddressBech32, Pagination: &query.PageRequest{Limit: uint64(most)},
	}))
	return len(held.Delegations) < int(most)
}

func openRedelegations(ctx context.Context, k *keeper.Keeper, account, to simsx.SimAccount) int {
	open := must(keeper.NewQueryServer(k).Redelegations(ctx, &types.QueryRedelegationsRequest{
		Delegator: account.AddressBech32, Pagination: &query.PageRequest{Limit: 1_000},
	}))
	at := 0
	for _, r := range open.Redelegations {
		if r.Entry.To == to.AddressBech32 {
			at++
		}
	}
	return at
}

// anyFreeDelegation returns an account with a delegation of which something is
// worth something and not locked, nor about to pay for a slash.
func anyFreeDelegation(ctx context.Context, k *keeper.Keeper, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) (simsx.SimAccount, types.DelegationView) {
	var found types.DelegationView
	account := data.AnyAccountN(tries, reporter, simsx.SimAccountFilterFn(func(a simsx.SimAccount) bool {
		views := must(keeper.NewQueryServer(k).Delegations(ctx, &types.QueryDelegationsRequest{Delegator: a.AddressBech32})).Delegations
		for _, v := range views {
			if freeTokens(ctx, k, v).IsPositive() {
				found = v
				return true
			}
		}
		return false
	}))
	return account, found
}

// freeTokens is what the shares that no redelegation locks are worth.
func freeTokens(ctx context.Context, k *keeper.Keeper, v types.DelegationView) math.Int {
	address := must(k.AddressCodec().StringToBytes(v.Delegation.Operator))
	o := must(k.Operator(ctx, address))
	return types.TokensOf(v.Delegation.Shares.Sub(v.LockedShares), o.DelegatedTokens, o.DelegationShares)
}

// part is a part of what is free, or zero for all of it.
func part(ctx context.Context, k *keeper.Keeper, r *simsx.XRand, v types.DelegationView) sdk.Coin {
	amount := math.ZeroInt()
	if r.Bool() {
		amount = must(r.PositiveSDKIntn(freeTokens(ctx, k, v)))
	}
	return sdk.NewCoin(must(k.StakeDenom(ctx)), amount)
}
