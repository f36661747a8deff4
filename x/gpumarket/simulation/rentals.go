package simulation

import (
	"context"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/keeper"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// ConfirmStartFactory reports the start of a pending rental, by anyone.
func ConfirmStartFactory(k *keeper.Keeper, keys AgentKeys) simsx.SimMsgFactoryFn[*types.MsgConfirmStart] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgConfirmStart) {
		rental := anyRental(ctx, k, data, reporter, func(r types.Rental) bool { return r.State == types.RENTAL_STATE_PENDING })
		if reporter.IsSkipped() {
			return nil, nil
		}
		key := keys(must(k.Host(ctx, rental.HostId)))
		if key == nil {
			reporter.Skip("agent key not known")
			return nil, nil
		}
		sender := data.AnyAccount(reporter, simsx.WithSpendableBalance())
		msg := &types.MsgConfirmStart{Sender: sender.AddressBech32, RentalId: rental.Id,
			AgentSignature: signReport(key, types.DomainStart, &types.StartReport{
				ChainId: sdk.UnwrapSDKContext(ctx).ChainID(), HostId: rental.HostId, RentalId: rental.Id,
				ManifestDigest: rental.ManifestDigest,
			})}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).ConfirmStart(ctx, msg)
			return err
		})
		return []simsx.SimAccount{sender}, msg
	}
}

// ReportResultFactory reports the end of a workload, by anyone.
func ReportResultFactory(k *keeper.Keeper, keys AgentKeys) simsx.SimMsgFactoryFn[*types.MsgReportResult] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgReportResult) {
		rental := anyRental(ctx, k, data, reporter, func(r types.Rental) bool { return r.StartedAt != nil && r.Result == nil })
		if reporter.IsSkipped() {
			return nil, nil
		}
		key := keys(must(k.Host(ctx, rental.HostId)))
		if key == nil {
			reporter.Skip("agent key not known")
			return nil, nil
		}
		r := data.Rand()
		result := types.WorkloadResult{ExitKnown: r.Bool(), Seconds: r.Uint64InRange(0, 1<<20)}
		if result.ExitKnown {
			result.ExitCode = int32(r.Intn(256))
		}
		sender := data.AnyAccount(reporter, simsx.WithSpendableBalance())
		msg := &types.MsgReportResult{Sender: sender.AddressBech32, RentalId: rental.Id, Result: result,
			AgentSignature: signReport(key, types.DomainResult, &types.ResultReport{
				ChainId: sdk.UnwrapSDKContext(ctx).ChainID(), HostId: rental.HostId, RentalId: rental.Id, Result: result,
			})}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).ReportResult(ctx, msg)
			return err
		})
		return []simsx.SimAccount{sender}, msg
	}
}

// ExtendRentalFactory adds up to an hour to an active rental.
func ExtendRentalFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgExtendRental] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgExtendRental) {
		rental := anyRental(ctx, k, data, reporter, func(r types.Rental) bool {
			return r.State == types.RENTAL_STATE_ACTIVE && r.Subscription == nil
		})
		if reporter.IsSkipped() {
			return nil, nil
		}
		renter := data.GetAccount(reporter, rental.Renter)
		msg := &types.MsgExtendRental{Renter: rental.Renter, RentalId: rental.Id, Seconds: data.Rand().Uint64InRange(1, 3_601)}
		added := types.AmountFor(rental.Price.Amount, len(rental.Gpus), rental.DurationSeconds+msg.Seconds).Sub(rental.Escrowed)
		if !added.IsPositive() || !renter.LiquidBalance().BlockAmount(sdk.NewCoin(rental.Price.Denom, added)) {
			reporter.Skip("the renter cannot pay, or it costs nothing")
			return nil, nil
		}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).ExtendRental(ctx, msg)
			return err
		})
		return []simsx.SimAccount{renter}, msg
	}
}

// CloseRentalFactory closes an open rental, by its renter or its operator.
func CloseRentalFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgCloseRental] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgCloseRental) {
		rental := anyRental(ctx, k, data, reporter, types.Rental.Open)
		if reporter.IsSkipped() {
			return nil, nil
		}
		sender := rental.Renter
		if data.Rand().Bool() {
			sender = rental.Operator
		}
		msg := &types.MsgCloseRental{Sender: sender, RentalId: rental.Id}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).CloseRental(ctx, msg)
			return err
		})
		return []simsx.SimAccount{data.GetAccount(reporter, sender)}, msg
	}
}

// ProveRentalFactory asks for a proof of an active rental's GPUs.
func ProveRentalFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgProveRental] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgProveRental) {
		rental := anyRental(ctx, k, data, reporter, func(r types.Rental) bool { return r.State == types.RENTAL_STATE_ACTIVE })
		if reporter.IsSkipped() {
			return nil, nil
		}
		msg := &types.MsgProveRental{Renter: rental.Renter, RentalId: rental.Id}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).ProveRental(ctx, msg)
			return err
		})
		return []simsx.SimAccount{data.GetAccount(reporter, rental.Renter)}, msg
	}
}

// SettleFactory settles one or two rentals of any state, by anyone.
func SettleFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgSettle] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgSettle) {
		anything := func(types.Rental) bool { return true }
		ids := []uint64{anyRental(ctx, k, data, reporter, anything).Id}
		if reporter.IsSkipped() {
			return nil, nil
		}
		if data.Rand().Bool() {
			ids = append(ids, anyRental(ctx, k, data, reporter, anything).Id)
		}
		sender := data.AnyAccount(reporter, simsx.WithSpendableBalance())
		return []simsx.SimAccount{sender}, &types.MsgSettle{Sender: sender.AddressBech32, RentalIds: ids}
	}
}
