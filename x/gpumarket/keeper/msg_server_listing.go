package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// CreateListing implements types.MsgServer.
func (s msgServer) CreateListing(ctx context.Context, msg *types.MsgCreateListing) (*types.MsgCreateListingResponse, error) {
	operator, err := s.account("operator", msg.Operator)
	if err != nil {
		return nil, err
	}
	allowList, err := s.allowList(msg.AllowList)
	if err != nil {
		return nil, err
	}
	listing, err := s.k.CreateListing(ctx, operator, NewListing{
		HostID: msg.HostId, GPUs: msg.Gpus, Tier: msg.Tier, AllowList: allowList,
		Terms: Terms{
			Price: msg.Price, InterruptiblePrice: msg.InterruptiblePrice,
			MinDurationSeconds: msg.MinDurationSeconds, MaxDurationSeconds: msg.MaxDurationSeconds,
			NoticeSeconds: msg.NoticeSeconds, MaxAheadSeconds: msg.MaxAheadSeconds,
		},
	})
	if err != nil {
		return nil, err
	}
	return &types.MsgCreateListingResponse{ListingId: listing.Id}, nil
}

// allowList returns the accounts in the form that addresses are compared in.
func (s msgServer) allowList(accounts []string) ([]string, error) {
	var parsed []string
	seen := make(map[string]bool, len(accounts))
	for _, account := range accounts {
		addr, err := s.account("allow_list", account)
		if err != nil {
			return nil, err
		}
		canonical, err := s.k.addressCodec.BytesToString(addr)
		if err != nil {
			return nil, err
		}
		if seen[canonical] {
			return nil, types.ErrInvalidAllowList.Wrapf("%s is there twice", canonical)
		}
		seen[canonical] = true
		parsed = append(parsed, canonical)
	}
	return parsed, nil
}

// ChangeListing implements types.MsgServer.
func (s msgServer) ChangeListing(ctx context.Context, msg *types.MsgChangeListing) (*types.MsgChangeListingResponse, error) {
	operator, err := s.account("operator", msg.Operator)
	if err != nil {
		return nil, err
	}
	if err := s.k.ChangeListing(ctx, operator, msg.ListingId, Terms{
		Price: msg.Price, InterruptiblePrice: msg.InterruptiblePrice,
		MinDurationSeconds: msg.MinDurationSeconds, MaxDurationSeconds: msg.MaxDurationSeconds,
		NoticeSeconds: msg.NoticeSeconds, MaxAheadSeconds: msg.MaxAheadSeconds,
	}); err != nil {
		return nil, err
	}
	return &types.MsgChangeListingResponse{}, nil
}

// SetListingStatus implements types.MsgServer.
func (s msgServer) SetListingStatus(ctx context.Context, msg *types.MsgSetListingStatus) (*types.MsgSetListingStatusResponse, error) {
	operator, err := s.account("operator", msg.Operator)
	if err != nil {
		return nil, err
	}
	if err := s.k.SetListingStatus(ctx, operator, msg.ListingId, msg.Status); err != nil {
		return nil, err
	}
	return &types.MsgSetListingStatusResponse{}, nil
}
