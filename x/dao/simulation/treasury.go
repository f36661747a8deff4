package simulation

import (
	"context"
	"fmt"
	"time"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/keeper"
	"github.com/grafilab/grafi/x/dao/types"
)

// WithdrawStreamFactory pays what is due of a stream, by anyone.
func WithdrawStreamFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgWithdrawStream] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgWithdrawStream) {
		s := pick(data, reporter, "stream", must(k.ExportGenesis(ctx)).Streams, openStream)
		if reporter.IsSkipped() {
			return nil, nil
		}
		sender := data.AnyAccount(reporter, simsx.WithSpendableBalance())
		msg := &types.MsgWithdrawStream{Sender: sender.AddressBech32, StreamId: s.Id}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).WithdrawStream(ctx, msg)
			return err
		})
		return []simsx.SimAccount{sender}, msg
	}
}

// CreateStreamFactory proposes a stream of a part of the treasury. It begins
// after the vote, or at once when it passes.
func CreateStreamFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgCreateStream] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgCreateStream) {
		r := data.Rand()
		msg := &types.MsgCreateStream{
			Authority: data.ModuleAccountAddress(reporter, "gov"), Title: fmt.Sprintf("stream %d", r.Intn(1_000)),
			Recipient: data.AnyAccount(reporter).AddressBech32, Amount: partOfTreasury(ctx, k, data, reporter),
			Duration: time.Duration(1+r.Intn(20*86_400)) * time.Second,
		}
		if r.Intn(3) == 0 {
			start := sdk.UnwrapSDKContext(ctx).BlockTime().Add(time.Duration(r.Intn(30*86_400)) * time.Second)
			msg.StartsAt = &start
		}
		return nil, msg
	}
}

// CancelStreamFactory proposes to stop a stream.
func CancelStreamFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgCancelStream] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgCancelStream) {
		s := pick(data, reporter, "stream", must(k.ExportGenesis(ctx)).Streams, openStream)
		return nil, &types.MsgCancelStream{Authority: data.ModuleAccountAddress(reporter, "gov"), StreamId: s.Id}
	}
}

// CreateGrantFactory proposes a grant of parts of the treasury.
func CreateGrantFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgCreateGrant] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgCreateGrant) {
		r := data.Rand()
		msg := &types.MsgCreateGrant{
			Authority: data.ModuleAccountAddress(reporter, "gov"), Title: fmt.Sprintf("grant %d", r.Intn(1_000)),
			Recipient: data.AnyAccount(reporter).AddressBech32,
		}
		for i := range 1 + r.Intn(int(must(k.Params(ctx)).MaxMilestones)) {
			part := partOfTreasury(ctx, k, data, reporter)
			if reporter.IsSkipped() {
				return nil, nil
			}
			msg.Denom = part.Denom
			msg.Milestones = append(msg.Milestones, types.Milestone{
				Title: fmt.Sprintf("milestone %d", i), Amount: math.MaxInt(math.OneInt(), part.Amount.QuoRaw(10)),
			})
		}
		return nil, msg
	}
}

// ReleaseMilestoneFactory proposes to pay a milestone.
func ReleaseMilestoneFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgReleaseMilestone] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgReleaseMilestone) {
		g := pick(data, reporter, "grant", must(k.ExportGenesis(ctx)).Grants, openGrant)
		if reporter.IsSkipped() {
			return nil, nil
		}
		return nil, &types.MsgReleaseMilestone{
			Authority: data.ModuleAccountAddress(reporter, "gov"), GrantId: g.Id,
			Milestone: uint32(data.Rand().Intn(len(g.Milestones))),
		}
	}
}

// CancelGrantFactory proposes to stop a grant.
func CancelGrantFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgCancelGrant] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgCancelGrant) {
		g := pick(data, reporter, "grant", must(k.ExportGenesis(ctx)).Grants, openGrant)
		return nil, &types.MsgCancelGrant{Authority: data.ModuleAccountAddress(reporter, "gov"), GrantId: g.Id}
	}
}

func openStream(s types.Stream) bool { return s.State == types.STREAM_STATE_OPEN }
func openGrant(g types.Grant) bool   { return g.State == types.GRANT_STATE_OPEN }

// partOfTreasury is up to a half of what the treasury has of one denom, so that
// some proposals can be paid and some can't; it skips when there is nothing.
func partOfTreasury(ctx context.Context, k *keeper.Keeper, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) sdk.Coin {
	resp := must(keeper.NewQueryServer(k).Treasury(ctx, &types.QueryTreasuryRequest{}))
	coin := pick(data, reporter, "coin in the treasury", resp.Balances, func(c sdk.Coin) bool { return c.Amount.GT(math.NewInt(2)) })
	if reporter.IsSkipped() {
		return sdk.Coin{}
	}
	amount := must(data.Rand().PositiveSDKIntInRange(math.OneInt(), coin.Amount.QuoRaw(2).AddRaw(1)))
	return sdk.NewCoin(coin.Denom, amount)
}
