package simulation

import (
	"context"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/keeper"
	"github.com/grafilab/grafi/x/staking-ext/types"
)

// tries is how many random accounts are looked at for one that fits.
const tries = 20

// RegisterOperatorFactory registers an account that is no operator yet, in half
// of the cases with a first bond.
func RegisterOperatorFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgRegisterOperator] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgRegisterOperator) {
		denom := must(k.StakeDenom(ctx))
		account := data.AnyAccountN(tries, reporter, simsx.WithDenomBalance(denom),
			simsx.SimAccountFilterFn(func(a simsx.SimAccount) bool { return !must(k.HasOperator(ctx, a.Address)) }))
		if reporter.IsSkipped() {
			return nil, nil
		}
		r := data.Rand()
		bond := sdk.NewCoin(denom, math.ZeroInt())
		if r.Bool() {
			bond = account.LiquidBalance().RandSubsetCoin(reporter, denom)
		}
		return []simsx.SimAccount{account}, &types.MsgRegisterOperator{
			Operator: account.AddressBech32, Moniker: randomMoniker(r.Rand), Website: randomWebsite(r.Rand),
			Kind: randomKind(r.Rand), CommissionPpm: r.Uint64InRange(0, types.PPM+1), Bond: bond,
		}
	}
}

// nextCommission is one that the operator may have now: another one only when
// the last change is a day ago.
func nextCommission(ctx context.Context, k *keeper.Keeper, r *simsx.XRand, o types.Operator) uint64 {
	params := simParams(ctx, k)
	lowest := o.CommissionPpm - min(o.CommissionPpm, params.MaxCommissionChangePpm)
	next := r.Uint64InRange(lowest, min(o.CommissionPpm+params.MaxCommissionChangePpm, types.PPM)+1)
	if params.CheckCommission(o, next, simsx.BlockTime(ctx)) != nil {
		return o.CommissionPpm
	}
	return next
}

func simParams(ctx context.Context, k *keeper.Keeper) types.Params {
	return must(keeper.NewQueryServer(k).Params(ctx, &types.QueryParamsRequest{})).Params
}

// EditOperatorFactory edits any operator.
func EditOperatorFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgEditOperator] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgEditOperator) {
		account := anyOperator(ctx, k, data, reporter, func(types.Operator) bool { return true })
		if reporter.IsSkipped() {
			return nil, nil
		}
		r := data.Rand()
		return []simsx.SimAccount{account}, &types.MsgEditOperator{
			Operator: account.AddressBech32, Moniker: randomMoniker(r.Rand), Website: randomWebsite(r.Rand),
			CommissionPpm: nextCommission(ctx, k, r, must(k.Operator(ctx, account.Address))),
		}
	}
}

// BondFactory bonds a part of the balance of an operator that may still bond.
func BondFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgBond] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgBond) {
		account := anyOperator(ctx, k, data, reporter, func(o types.Operator) bool { return !o.Tombstoned })
		if reporter.IsSkipped() {
			return nil, nil
		}
		amount := account.LiquidBalance().RandSubsetCoin(reporter, must(k.StakeDenom(ctx)))
		return []simsx.SimAccount{account}, &types.MsgBond{Operator: account.AddressBech32, Amount: amount}
	}
}

// UnbondFactory unbonds a part of what lies above an operator's requirement.
func UnbondFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgUnbond] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgUnbond) {
		params := simParams(ctx, k)
		account := anyOperator(ctx, k, data, reporter, func(o types.Operator) bool { return params.FreeStake(o).IsPositive() })
		if reporter.IsSkipped() {
			return nil, nil
		}
		open := must(keeper.NewQueryServer(k).Unbonding(ctx, &types.QueryUnbondingRequest{Operator: account.AddressBech32}))
		if len(open.Entries) >= int(params.MaxUnbondingEntries) {
			reporter.Skip("max unbonding entries")
			return nil, nil
		}
		free := params.FreeStake(must(k.Operator(ctx, account.Address)))
		amount := must(data.Rand().PositiveSDKIntn(free))
		return []simsx.SimAccount{account}, &types.MsgUnbond{
			Operator: account.AddressBech32, Amount: sdk.NewCoin(params.StakeDenom, amount),
		}
	}
}

// UnjailFactory unjails an operator whose term is over.
func UnjailFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgUnjail] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgUnjail) {
		now := simsx.BlockTime(ctx)
		account := anyOperator(ctx, k, data, reporter, func(o types.Operator) bool {
			return o.Jailed && !o.Tombstoned && !now.Before(o.JailedUntil)
		})
		return []simsx.SimAccount{account}, &types.MsgUnjail{Operator: account.AddressBech32}
	}
}

// UpdateParamsFactory proposes other params in the same denom.
func UpdateParamsFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgUpdateParams] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgUpdateParams) {
		return nil, &types.MsgUpdateParams{
			Authority: data.ModuleAccountAddress(reporter, "gov"),
			Params:    RandomParams(data.Rand().Rand, must(k.StakeDenom(ctx))),
		}
	}
}

// anyOperator returns an account whose operator fits, or skips.
func anyOperator(ctx context.Context, k *keeper.Keeper, data *simsx.ChainDataSource, reporter simsx.SimulationReporter,
	fits func(types.Operator) bool,
) simsx.SimAccount {
	return data.AnyAccountN(tries, reporter, simsx.SimAccountFilterFn(func(a simsx.SimAccount) bool {
		return must(k.HasOperator(ctx, a.Address)) && fits(must(k.Operator(ctx, a.Address)))
	}))
}

// must turns an error of the store into a failure of the run.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
