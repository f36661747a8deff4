package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// msgServer parses, calls one keeper method and answers. Events are the
// keeper's: most of the facts also happen without a message.
type msgServer struct{ k *Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServer returns the module's message handlers.
func NewMsgServer(k *Keeper) types.MsgServer { return msgServer{k: k} }

func (s msgServer) account(field, value string) (sdk.AccAddress, error) {
	addr, err := s.k.addressCodec.StringToBytes(value)
	if err != nil {
		return nil, sdkerrors.ErrInvalidAddress.Wrapf("%s %q: %s", field, value, err)
	}
	return addr, nil
}

// Rent implements types.MsgServer.
func (s msgServer) Rent(ctx context.Context, msg *types.MsgRent) (*types.MsgRentResponse, error) {
	renter, err := s.account("renter", msg.Renter)
	if err != nil {
		return nil, err
	}
	r, err := s.k.Rent(ctx, renter, RentRequest{
		ListingID: msg.ListingId, GPUCount: msg.GpuCount, DurationSeconds: msg.DurationSeconds,
		MaxPrice: msg.MaxPrice, ManifestDigest: msg.ManifestDigest, CloseOnExit: msg.CloseOnExit,
		StartAt: msg.StartAt, Interruptible: msg.Interruptible, FailoverMaxPrice: msg.FailoverMaxPrice,
	})
	if err != nil {
		return nil, err
	}
	return &types.MsgRentResponse{RentalId: r.Id}, nil
}

// ConfirmStart implements types.MsgServer.
func (s msgServer) ConfirmStart(ctx context.Context, msg *types.MsgConfirmStart) (*types.MsgConfirmStartResponse, error) {
	if _, err := s.account("sender", msg.Sender); err != nil {
		return nil, err
	}
	r, err := s.k.ConfirmStart(ctx, msg.RentalId, msg.AgentSignature)
	if err != nil {
		return nil, err
	}
	return &types.MsgConfirmStartResponse{EndsAt: *r.EndsAt}, nil
}

// ReportResult implements types.MsgServer.
func (s msgServer) ReportResult(ctx context.Context, msg *types.MsgReportResult) (*types.MsgReportResultResponse, error) {
	if _, err := s.account("sender", msg.Sender); err != nil {
		return nil, err
	}
	if err := s.k.ReportResult(ctx, msg.RentalId, msg.Result, msg.AgentSignature); err != nil {
		return nil, err
	}
	return &types.MsgReportResultResponse{}, nil
}

// ExtendRental implements types.MsgServer.
func (s msgServer) ExtendRental(ctx context.Context, msg *types.MsgExtendRental) (*types.MsgExtendRentalResponse, error) {
	renter, err := s.account("renter", msg.Renter)
	if err != nil {
		return nil, err
	}
	if err := s.k.ExtendRental(ctx, renter, msg.RentalId, msg.Seconds); err != nil {
		return nil, err
	}
	return &types.MsgExtendRentalResponse{}, nil
}

// CloseRental implements types.MsgServer.
func (s msgServer) CloseRental(ctx context.Context, msg *types.MsgCloseRental) (*types.MsgCloseRentalResponse, error) {
	sender, err := s.account("sender", msg.Sender)
	if err != nil {
		return nil, err
	}
	closesAt, err := s.k.CloseRental(ctx, sender, msg.RentalId)
	if err != nil {
		return nil, err
	}
	return &types.MsgCloseRentalResponse{ClosesAt: closesAt}, nil
}

// ProveRental implements types.MsgServer.
func (s msgServer) ProveRental(ctx context.Context, msg *types.MsgProveRental) (*types.MsgProveRentalResponse, error) {
	renter, err := s.account("renter", msg.Renter)
	if err != nil {
		return nil, err
	}
	if _, err := s.k.ProveRental(ctx, renter, msg.RentalId); err != nil {
		return nil, err
	}
	return &types.MsgProveRentalResponse{}, nil
}

// Settle implements types.MsgServer.
func (s msgServer) Settle(ctx context.Context, msg *types.MsgSettle) (*types.MsgSettleResponse, error) {
	if _, err := s.account("sender", msg.Sender); err != nil {
		return nil, err
	}
	paid, err := s.k.Settle(ctx, msg.RentalIds)
	if err != nil {
		return nil, err
	}
	return &types.MsgSettleResponse{Paid: paid}, nil
}

// UpdateParams implements types.MsgServer.
func (s msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	authority, err := s.k.addressCodec.BytesToString(s.k.authority)
	if err != nil {
		return nil, err
	}
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), authority, msg.Authority); err != nil {
		return nil, err
	}
	if err := s.k.UpdateParams(ctx, msg.Authority, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, nil
}
