package simulation

import (
	"context"
	"time"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/keeper"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// RentFactory rents from an open listing: now, later or interruptibly, and now and
// then with a failover.
func RentFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgRent] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgRent) {
		l, renter := anyOffer(ctx, k, data, reporter)
		if reporter.IsSkipped() {
			return nil, nil
		}
		r := data.Rand()
		msg := &types.MsgRent{
			Renter: renter.AddressBech32, ListingId: l.Id, GpuCount: uint32(1 + r.Intn(len(l.Gpus))), DurationSeconds: randomDuration(data, l),
			MaxPrice: l.Price, ManifestDigest: randomDigest(data), CloseOnExit: r.Bool(),
		}
		switch r.Intn(4) {
		case 0:
			if l.MaxAheadSeconds > 0 {
				at := sdk.UnwrapSDKContext(ctx).BlockTime().Add(time.Duration(r.Uint64InRange(1, l.MaxAheadSeconds+1)) * time.Second)
				msg.StartAt = &at
			}
		case 1:
			msg.Interruptible = true
		}
		most := l.Price.Amount
		if r.Intn(4) == 0 {
			most = most.MulRaw(2)
			msg.FailoverMaxPrice = &sdk.Coin{Denom: l.Price.Denom, Amount: most}
		}
		spend(reporter, &renter, l.Price.Denom, types.AmountFor(most, int(msg.GpuCount), msg.DurationSeconds))
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).Rent(ctx, msg)
			return err
		})
		return []simsx.SimAccount{renter}, msg
	}
}

// SubscribeFactory subscribes with money for up to four periods.
func SubscribeFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgSubscribe] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgSubscribe) {
		l, renter := anyOffer(ctx, k, data, reporter)
		if reporter.IsSkipped() {
			return nil, nil
		}
		r := data.Rand()
		msg := &types.MsgSubscribe{
			Renter: renter.AddressBech32, ListingId: l.Id, GpuCount: uint32(1 + r.Intn(len(l.Gpus))), PeriodSeconds: min(randomDuration(data, l), l.MinDurationSeconds+3_600),
			MaxPrice: l.Price, ManifestDigest: randomDigest(data), CloseOnExit: r.Intn(4) == 0,
		}
		period := types.AmountFor(l.Price.Amount, int(msg.GpuCount), msg.PeriodSeconds)
		msg.Deposit = sdk.NewCoin(l.Price.Denom, period.MulRaw(int64(1+r.Intn(4))).AddRaw(10)) // a period may cost one unit more
		msg.Cap = sdk.NewCoin(l.Price.Denom, period.MulRaw(int64(1+r.Intn(8))).AddRaw(10))
		spend(reporter, &renter, l.Price.Denom, msg.Deposit.Amount)
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).Subscribe(ctx, msg)
			return err
		})
		return []simsx.SimAccount{renter}, msg
	}
}

// TopUpFactory pays one more period of a subscription, by anyone.
func TopUpFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgTopUpSubscription] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgTopUpSubscription) {
		rental := anyRental(ctx, k, data, reporter, renewed)
		if reporter.IsSkipped() {
			return nil, nil
		}
		sender := data.AnyAccount(reporter, simsx.WithDenomBalance(rental.Price.Denom))
		if reporter.IsSkipped() {
			return nil, nil
		}
		msg := &types.MsgTopUpSubscription{
			Sender: sender.AddressBech32, RentalId: rental.Id,
			Amount: sdk.NewCoin(rental.Price.Denom, math.MaxInt(rental.NextPeriod(), math.OneInt())),
		}
		spend(reporter, &sender, msg.Amount.Denom, msg.Amount.Amount)
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).TopUpSubscription(ctx, msg)
			return err
		})
		return []simsx.SimAccount{sender}, msg
	}
}

// CancelSubscriptionFactory ends the renewal of a subscription.
func CancelSubscriptionFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgCancelSubscription] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgCancelSubscription) {
		rental := anyRental(ctx, k, data, reporter, renewed)
		if reporter.IsSkipped() {
			return nil, nil
		}
		msg := &types.MsgCancelSubscription{Renter: rental.Renter, RentalId: rental.Id}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).CancelSubscription(ctx, msg)
			return err
		})
		return []simsx.SimAccount{data.GetAccount(reporter, rental.Renter)}, msg
	}
}

func renewed(r types.Rental) bool {
	return r.Open() && r.Subscription != nil && !r.Subscription.Cancelled
}

// anyOffer returns an open listing and an account that may rent from it, or skips.
func anyOffer(ctx context.Context, k *keeper.Keeper, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) (types.Listing, simsx.SimAccount) {
	l := anyListing(ctx, k, data, reporter, func(l types.Listing) bool { return l.Status == types.LISTING_STATUS_OPEN })
	if reporter.IsSkipped() {
		return l, simsx.SimAccount{}
	}
	if l.Tier == types.TIER_SELECTIVE {
		if len(l.AllowList) == 0 {
			reporter.Skip("nobody may rent")
			return l, simsx.SimAccount{}
		}
		return l, data.GetAccount(reporter, l.AllowList[0])
	}
	return l, data.AnyAccount(reporter, simsx.WithDenomBalance(l.Price.Denom))
}

// spend takes the price out of what the account can still pay in this block, or skips.
func spend(reporter simsx.SimulationReporter, account *simsx.SimAccount, denom string, amount math.Int) {
	if reporter.IsSkipped() {
		return
	}
	if !amount.IsPositive() || !account.LiquidBalance().BlockAmount(sdk.NewCoin(denom, amount)) {
		reporter.Skip("the account cannot pay, or it costs nothing")
	}
}

func randomDuration(data *simsx.ChainDataSource, l types.Listing) uint64 {
	return data.Rand().Uint64InRange(l.MinDurationSeconds, min(l.MinDurationSeconds+86_400, l.MaxDurationSeconds)+1)
}

func randomDigest(data *simsx.ChainDataSource) []byte {
	digest := make([]byte, types.DigestSize)
	data.Rand().Read(digest)
	return digest
}
