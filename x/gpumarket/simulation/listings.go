package simulation

import (
	"context"
	"errors"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/keeper"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// CreateListingFactory offers all GPUs of a host, or one of them: of the first host
// that may, since most have no known class, no stake or a listing already.
func CreateListingFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgCreateListing] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgCreateListing) {
		var operator simsx.SimAccount
		var msg *types.MsgCreateListing
		err := errors.New("no host with GPUs")
		for i := 0; i < tries && err != nil; i++ {
			var host attestationtypes.Host
			if host, operator = anyHost(ctx, k, data, reporter); reporter.IsSkipped() {
				return nil, nil
			}
			if host.GpuCount == 0 {
				continue
			}
			msg = randomListing(ctx, k, data, reporter, host)
			err = refusal(ctx, func(ctx context.Context) error {
				_, err := keeper.NewMsgServer(k).CreateListing(ctx, msg)
				return err
			})
		}
		if err != nil {
			reporter.Skip(err.Error())
		}
		return []simsx.SimAccount{operator}, msg
	}
}

func randomListing(ctx context.Context, k *keeper.Keeper, data *simsx.ChainDataSource, reporter simsx.SimulationReporter,
	host attestationtypes.Host,
) *types.MsgCreateListing {
	r := data.Rand()
	params := must(k.Params(ctx))
	msg := &types.MsgCreateListing{
		Operator: host.Operator, HostId: host.Id, Tier: types.TIER_GENERAL, Price: randomPrice(data, params),
		NoticeSeconds: r.Uint64InRange(0, params.MaxNoticeSeconds+1),
	}
	msg.InterruptiblePrice, msg.MaxAheadSeconds = randomOffers(data, params, msg.Price)
	if r.Bool() {
		msg.Gpus = []uint32{r.Uint32InRange(0, host.GpuCount)}
	}
	if r.Intn(4) == 0 {
		msg.Tier, msg.AllowList = types.TIER_SELECTIVE, []string{data.AnyAccount(reporter).AddressBech32}
	}
	return msg
}

// ChangeListingFactory sets other terms on a listing.
func ChangeListingFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgChangeListing] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgChangeListing) {
		l := anyListing(ctx, k, data, reporter, notWithdrawn)
		if reporter.IsSkipped() {
			return nil, nil
		}
		params := must(k.Params(ctx))
		msg := &types.MsgChangeListing{
			Operator: l.Operator, ListingId: l.Id, Price: randomPrice(data, params),
			NoticeSeconds: data.Rand().Uint64InRange(0, params.MaxNoticeSeconds+1),
		}
		msg.InterruptiblePrice, msg.MaxAheadSeconds = randomOffers(data, params, msg.Price)
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).ChangeListing(ctx, msg)
			return err
		})
		return []simsx.SimAccount{data.GetAccount(reporter, l.Operator)}, msg
	}
}

// SetListingStatusFactory pauses, reopens and now and then withdraws a listing.
func SetListingStatusFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgSetListingStatus] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgSetListingStatus) {
		l := anyListing(ctx, k, data, reporter, notWithdrawn)
		if reporter.IsSkipped() {
			return nil, nil
		}
		status := types.LISTING_STATUS_PAUSED
		switch {
		case data.Rand().Intn(10) == 0:
			status = types.LISTING_STATUS_WITHDRAWN
		case l.Status == types.LISTING_STATUS_PAUSED:
			status = types.LISTING_STATUS_OPEN
		}
		msg := &types.MsgSetListingStatus{Operator: l.Operator, ListingId: l.Id, Status: status}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).SetListingStatus(ctx, msg)
			return err
		})
		return []simsx.SimAccount{data.GetAccount(reporter, l.Operator)}, msg
	}
}

// UpdateParamsFactory proposes other params.
func UpdateParamsFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgUpdateParams] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgUpdateParams) {
		return nil, &types.MsgUpdateParams{
			Authority: data.ModuleAccountAddress(reporter, "gov"),
			Params:    RandomParams(data.Rand().Rand, must(k.Params(ctx)).AllowedDenoms[0]),
		}
	}
}

// randomOffers are an interruptible price and how far ahead can be reserved, most
// of the time.
func randomOffers(data *simsx.ChainDataSource, params types.Params, price sdk.Coin) (interruptible *sdk.Coin, ahead uint64) {
	r := data.Rand()
	if r.Intn(4) > 0 {
		amount := must(r.PositiveSDKIntInRange(math.OneInt(), price.Amount.AddRaw(1)))
		interruptible = &sdk.Coin{Denom: price.Denom, Amount: amount}
	}
	if r.Intn(4) > 0 {
		ahead = r.Uint64InRange(0, params.MaxAheadSeconds+1)
	}
	return interruptible, ahead
}

func notWithdrawn(l types.Listing) bool { return l.Status != types.LISTING_STATUS_WITHDRAWN }

// randomPrice is low most of the time, so that renters can pay and operators
// are covered.
func randomPrice(data *simsx.ChainDataSource, params types.Params) sdk.Coin {
	limit := params.MaxPrice
	if data.Rand().Intn(4) > 0 {
		limit = math.MinInt(limit, math.NewInt(1_000))
	}
	amount := must(data.Rand().PositiveSDKIntInRange(math.OneInt(), limit.AddRaw(1)))
	return sdk.NewCoin(params.AllowedDenoms[0], amount)
}
