package simulation

import (
	"context"
	"time"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"

	"github.com/grafilab/grafi/x/dao/keeper"
	"github.com/grafilab/grafi/x/dao/types"
)

// paused are messages that no simulated operation sends: the others have to go on.
var paused = []string{
	"/cosmos.vesting.v1beta1.MsgCreateVestingAccount",
	"/cosmos.vesting.v1beta1.MsgCreatePermanentLockedAccount",
	"/cosmos.vesting.v1beta1.MsgCreatePeriodicVestingAccount",
}

// PauseFactory pauses messages as the guardian.
func PauseFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgPause] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgPause) {
		guardian := guardian(ctx, k, data, reporter)
		if reporter.IsSkipped() {
			return nil, nil
		}
		msg := &types.MsgPause{
			Sender: guardian.AddressBech32, TypeUrls: somePaused(data), Reason: "simulated emergency",
			Duration: randomPause(data, must(k.Params(ctx)).MaxGuardianPause),
		}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).Pause(ctx, msg)
			return err
		})
		return []simsx.SimAccount{guardian}, msg
	}
}

// PauseByVoteFactory proposes a pause.
func PauseByVoteFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgPause] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgPause) {
		return nil, &types.MsgPause{
			Sender: data.ModuleAccountAddress(reporter, "gov"), TypeUrls: somePaused(data), Reason: "voted emergency",
			Duration: randomPause(data, must(k.Params(ctx)).MaxPause),
		}
	}
}

// UnpauseFactory lifts one of the guardian's pauses.
func UnpauseFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgUnpause] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgUnpause) {
		guardian := guardian(ctx, k, data, reporter)
		if reporter.IsSkipped() {
			return nil, nil
		}
		p := pick(data, reporter, "pause", must(k.ExportGenesis(ctx)).Pauses,
			func(p types.Pause) bool { return p.PausedBy == guardian.AddressBech32 })
		msg := &types.MsgUnpause{Sender: guardian.AddressBech32, TypeUrls: []string{p.TypeUrl}}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).Unpause(ctx, msg)
			return err
		})
		return []simsx.SimAccount{guardian}, msg
	}
}

// UpdateParamsFactory proposes other params, and another guardian.
func UpdateParamsFactory(_ *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgUpdateParams] {
	return func(_ context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgUpdateParams) {
		return nil, &types.MsgUpdateParams{
			Authority: data.ModuleAccountAddress(reporter, "gov"),
			Params:    RandomParams(data.Rand().Rand, data.AnyAccount(reporter).AddressBech32),
		}
	}
}

func guardian(ctx context.Context, k *keeper.Keeper, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) simsx.SimAccount {
	address := must(k.Params(ctx)).Guardian
	if !data.HasAccount(address) {
		reporter.Skip("the guardian is not a simulated account")
		return simsx.SimAccount{}
	}
	return data.GetAccount(reporter, address)
}

func somePaused(data *simsx.ChainDataSource) []string {
	first := data.Rand().Intn(len(paused))
	return paused[first : first+1+data.Rand().Intn(len(paused)-first)]
}

func randomPause(data *simsx.ChainDataSource, most time.Duration) time.Duration {
	return time.Second + time.Duration(data.Rand().Int63n(int64(most-time.Second)+1)).Truncate(time.Second)
}
