package simulation

import (
	"context"
	"time"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/keeper"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// RequestComputeFactory asks for a few GPUs of a class that is on offer.
func RequestComputeFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgRequestCompute] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgRequestCompute) {
		l := anyListing(ctx, k, data, reporter, func(l types.Listing) bool {
			return l.Status == types.LISTING_STATUS_OPEN && l.Tier == types.TIER_GENERAL
		})
		if reporter.IsSkipped() {
			return nil, nil
		}
		r := data.Rand()
		renter := data.AnyAccount(reporter, simsx.WithDenomBalance(l.Price.Denom))
		if reporter.IsSkipped() {
			return nil, nil
		}
		req := types.ComputeRequest{
			Class: l.Class, GpuCount: uint32(1 + r.Intn(len(l.Gpus)+1)), MaxPrice: l.Price,
			DurationSeconds: r.Uint64InRange(l.MinDurationSeconds, min(l.MinDurationSeconds+86_400, l.MaxDurationSeconds)+1),
			Placement:       types.Placement(1 + r.Intn(3)), ManifestDigest: make([]byte, types.DigestSize),
			CloseOnExit: r.Bool(), Region: l.Country,
		}
		r.Read(req.ManifestDigest)
		if r.Intn(4) == 0 {
			req.Class, req.MinWeightPpm = "", 1
		}
		switch r.Intn(4) {
		case 0:
			start := sdk.UnwrapSDKContext(ctx).BlockTime().Add(time.Duration(1+r.Intn(7_200)) * time.Second)
			req.StartAt = &start
		case 1:
			req.Interruptible = true
		}
		if r.Intn(3) == 0 {
			most := sdk.NewCoin(l.Price.Denom, l.Price.Amount.MulRaw(2))
			req.FailoverMaxPrice = &most
		}
		most := req.MaxPrice
		if req.FailoverMaxPrice != nil {
			most = *req.FailoverMaxPrice
		}
		cost := sdk.NewCoin(most.Denom, types.AmountFor(most.Amount, int(req.GpuCount), req.DurationSeconds))
		if !cost.IsPositive() || !renter.LiquidBalance().BlockAmount(cost) {
			reporter.Skip("the renter cannot pay, or it costs nothing")
			return nil, nil
		}
		msg := &types.MsgRequestCompute{Renter: renter.AddressBech32, Request: req}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).RequestCompute(ctx, msg)
			return err
		})
		return []simsx.SimAccount{renter}, msg
	}
}

func selective(l types.Listing) bool {
	return l.Tier == types.TIER_SELECTIVE && l.Status != types.LISTING_STATUS_WITHDRAWN
}

// InviteRenterFactory invites an account to a selective listing.
func InviteRenterFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgInviteRenter] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgInviteRenter) {
		l := anyListing(ctx, k, data, reporter, selective)
		account := data.AnyAccount(reporter)
		if reporter.IsSkipped() {
			return nil, nil
		}
		msg := &types.MsgInviteRenter{Operator: l.Operator, ListingId: l.Id, Account: account.AddressBech32}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).InviteRenter(ctx, msg)
			return err
		})
		return []simsx.SimAccount{data.GetAccount(reporter, l.Operator)}, msg
	}
}

// RequestAccessFactory asks for a place on a selective listing.
func RequestAccessFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgRequestAccess] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgRequestAccess) {
		l := anyListing(ctx, k, data, reporter, selective)
		account := data.AnyAccount(reporter, simsx.WithSpendableBalance())
		if reporter.IsSkipped() {
			return nil, nil
		}
		msg := &types.MsgRequestAccess{Account: account.AddressBech32, ListingId: l.Id}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).RequestAccess(ctx, msg)
			return err
		})
		return []simsx.SimAccount{account}, msg
	}
}

// AnswerInvitationFactory accepts most of the open invitations.
func AnswerInvitationFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgAnswerInvitation] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgAnswerInvitation) {
		i := pick(data, reporter, "invitation", must(k.ExportGenesis(ctx)).Invitations,
			func(i types.Invitation) bool { return data.HasAccount(i.Account) })
		if reporter.IsSkipped() {
			return nil, nil
		}
		msg := &types.MsgAnswerInvitation{
			Sender: i.Account, ListingId: i.ListingId, Account: i.Account, Accept: data.Rand().Intn(4) > 0,
		}
		if i.By == types.INVITATION_SIDE_RENTER {
			msg.Sender = must(k.Listing(ctx, i.ListingId)).Operator
		}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).AnswerInvitation(ctx, msg)
			return err
		})
		return []simsx.SimAccount{data.GetAccount(reporter, msg.Sender)}, msg
	}
}

// RevokeAccessFactory takes an account off an allow-list, or an invitation back.
func RevokeAccessFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgRevokeAccess] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgRevokeAccess) {
		gs := must(k.ExportGenesis(ctx))
		l := pick(data, reporter, "listing", gs.Listings, func(l types.Listing) bool { return selective(l) && len(l.AllowList) > 0 })
		msg := &types.MsgRevokeAccess{Operator: l.Operator, ListingId: l.Id}
		if reporter.IsSkipped() {
			return nil, nil
		}
		msg.Account = l.AllowList[data.Rand().Intn(len(l.AllowList))]
		for _, i := range gs.Invitations {
			if i.ListingId == l.Id && i.By == types.INVITATION_SIDE_OPERATOR && data.Rand().Bool() {
				msg.Account = i.Account
			}
		}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).RevokeAccess(ctx, msg)
			return err
		})
		return []simsx.SimAccount{data.GetAccount(reporter, l.Operator)}, msg
	}
}
