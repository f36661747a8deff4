package simulation

import (
	"context"
	"errors"
	"slices"

	"cosmossdk.io/core/address"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"
	simtypes "github.com/cosmos/cosmos-sdk/types/simulation"

	"github.com/grafilab/grafi/x/rewards/keeper"
	"github.com/grafilab/grafi/x/rewards/types"
)

const (
	// tries is how many random accounts are looked at for one that fits.
	tries = 20
	// hostTries is how many hosts are looked at for one with something to claim:
	// ids count from 1.
	hostTries = 30
	// operatorTries is how many accounts are looked at for an operator.
	operatorTries = 100
)

// ClaimMiningFactory claims what some or all GPUs of a host earned on a closed day.
func ClaimMiningFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgClaimMining] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgClaimMining) {
		queries := keeper.NewQueryServer(k)
		mining := must(queries.Mining(ctx, &types.QueryMiningRequest{})).Mining
		if mining.NextExpire == mining.NextClose {
			reporter.Skip("no closed day")
			return nil, nil
		}
		r := data.Rand()
		day := r.Uint64InRange(mining.NextExpire, mining.NextClose)
		for range hostTries {
			host := r.Uint64InRange(1, hostTries+1)
			ordinal, ok := claimable(ctx, queries, day, host)
			if !ok {
				continue
			}
			why, err := queries.Explain(ctx, &types.QueryExplainRequest{Day: day, HostId: host, Ordinal: ordinal})
			if err != nil || !why.Claimable.IsPositive() || !data.HasAccount(why.Operator) {
				continue // the operator has reached its cap, or isn't simulated
			}
			msg := &types.MsgClaimMining{Operator: why.Operator, Day: day, HostId: host}
			if r.Bool() {
				msg.Ordinals = []uint32{ordinal}
			}
			if tooLate(ctx, k, data.AddressCodec(), msg) {
				break
			}
			return []simsx.SimAccount{data.GetAccount(reporter, why.Operator)}, msg
		}
		reporter.Skip("nothing to claim")
		return nil, nil
	}
}

// tooLate tells whether the day is over for claims though no block has ended it yet.
func tooLate(ctx context.Context, k *keeper.Keeper, addresses address.Codec, msg *types.MsgClaimMining) bool {
	cached, _ := sdk.UnwrapSDKContext(ctx).CacheContext()
	_, err := k.ClaimMining(cached, must(addresses.StringToBytes(msg.Operator)), msg.Day, msg.HostId, msg.Ordinals)
	return errors.Is(err, types.ErrDayExpired)
}

// claimable returns a GPU of the host that has a reward of the day to claim.
func claimable(ctx context.Context, queries types.QueryServer, day, host uint64) (ordinal uint32, ok bool) {
	resp, err := queries.HostDay(ctx, &types.QueryHostDayRequest{Day: day, HostId: host})
	if err != nil || resp.Status != types.DAY_STATUS_CLOSED { // no such host, or too late
		return 0, false
	}
	for _, g := range resp.Gpus {
		if g.Reward.IsPositive() && !g.Claimed {
			return g.Ordinal, true
		}
	}
	return 0, false
}

// WithdrawReleasedFactory withdraws what has flowed of an operator's escrow.
func WithdrawReleasedFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgWithdrawReleased] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgWithdrawReleased) {
		queries := keeper.NewQueryServer(k)
		account := data.AnyAccountN(operatorTries, reporter, simsx.SimAccountFilterFn(func(a simsx.SimAccount) bool {
			resp := must(queries.Tranches(ctx, &types.QueryTranchesRequest{Operator: a.AddressBech32}))
			return resp.Withdrawable.IsPositive()
		}))
		return []simsx.SimAccount{account}, &types.MsgWithdrawReleased{Operator: account.AddressBech32}
	}
}

// perhapsOperators returns the account itself and a few random others: there may
// be 1,000, and each is a query.
func perhapsOperators(data *simsx.ChainDataSource, self simtypes.Account) []simtypes.Account {
	all := data.AllAccounts()
	first := data.Rand().Intn(len(all))
	others := slices.DeleteFunc(slices.Clone(all[first:min(first+operatorTries, len(all))]),
		func(a simtypes.Account) bool { return a.Address.Equals(self.Address) })
	return append(others, self)
}

// ClaimStakingRewardsFactory claims at every operator where an account earned
// something, or at one of them.
func ClaimStakingRewardsFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgClaimStakingRewards] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgClaimStakingRewards) {
		queries := keeper.NewQueryServer(k)
		var operators []string
		account := data.AnyAccountN(tries, reporter, simsx.SimAccountFilterFn(func(a simsx.SimAccount) bool {
			operators = nil
			// Its own earnings as an operator, and those with some that it may stake with.
			for _, o := range perhapsOperators(data, a.Account) {
				operator := must(data.AddressCodec().BytesToString(o.Address))
				resp, err := queries.StakingRewards(ctx, &types.QueryStakingRewardsRequest{Delegator: a.AddressBech32, Operator: operator})
				if err == nil && !resp.Rewards.IsZero() && len(operators) < types.MaxClaimOperators { // others are no operators
					operators = append(operators, operator)
				}
			}
			return len(operators) > 0
		}))
		if !reporter.IsSkipped() && data.Rand().Bool() {
			operators = operators[:1]
		}
		return []simsx.SimAccount{account}, &types.MsgClaimStakingRewards{Delegator: account.AddressBech32, Operators: operators}
	}
}

// UpdateParamsFactory proposes other params.
func UpdateParamsFactory(*keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgUpdateParams] {
	return func(_ context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgUpdateParams) {
		return nil, &types.MsgUpdateParams{
			Authority: data.ModuleAccountAddress(reporter, "gov"), Params: RandomParams(data.Rand().Rand),
		}
	}
}

// must turns an error of the store into a failure of the run.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
