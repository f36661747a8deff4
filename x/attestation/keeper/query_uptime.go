package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/attestation/types"
)

// Anchor implements types.QueryServer.
func (s queryServer) Anchor(ctx context.Context, req *types.QueryAnchorRequest) (*types.QueryAnchorResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	anchor, err := s.k.Anchor(ctx, req.Slot)
	if err != nil {
		return nil, asStatus(err)
	}
	anchor.Slot = req.Slot
	return &types.QueryAnchorResponse{Anchor: anchor}, nil
}

// Clock implements types.QueryServer.
func (s queryServer) Clock(ctx context.Context, req *types.QueryClockRequest) (*types.QueryClockResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	params, err := s.k.params.Get(ctx)
	if err != nil {
		return nil, asStatus(err)
	}
	last, err := getOr(ctx, s.k.lastClosed, 0)
	if err != nil {
		return nil, asStatus(err)
	}
	oldest, err := s.k.oldestAccepted(ctx, params, last)
	if err != nil {
		return nil, asStatus(err)
	}
	now := blockTime(ctx)
	slot := params.SlotAt(now)
	return &types.QueryClockResponse{
		Time: now, Slot: slot, Day: params.DayOf(slot), LastClosedSlot: last, OldestAcceptedSlot: oldest,
	}, nil
}

// oldestAccepted returns the first slot whose window is still open, last + 1
// when there is none. Anchors are in the order of their times, so the walk goes
// back from the newest and ends at the first window that is over, or at the
// floor, which closes nothing that can be attested.
func (k *Keeper) oldestAccepted(ctx context.Context, params types.Params, last uint64) (uint64, error) {
	floor, err := getOr(ctx, k.floor, 0)
	if err != nil {
		return 0, err
	}
	oldest, open := last+1, false
	err = k.anchors.Walk(ctx, new(collections.Range[uint64]).Descending(), func(closed uint64, a types.Anchor) (bool, error) {
		if open { // the record above closed the slots after this one
			oldest = closed + 1
		}
		open = closed > floor && params.Accepts(&a, blockTime(ctx))
		return !open, nil
	})
	return oldest, err
}

// HostSlot implements types.QueryServer.
func (s queryServer) HostSlot(ctx context.Context, req *types.QueryHostSlotRequest) (*types.QueryHostSlotResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	host, err := s.k.Host(ctx, req.HostId)
	if err != nil {
		return nil, asStatus(err)
	}
	attested, up, err := s.k.HostSlot(ctx, &host, req.Slot)
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryHostSlotResponse{Attested: attested, Up: up}, nil
}

// HostDay implements types.QueryServer.
func (s queryServer) HostDay(ctx context.Context, req *types.QueryHostDayRequest) (*types.QueryHostDayResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	host, err := s.k.Host(ctx, req.HostId)
	if err != nil {
		return nil, asStatus(err)
	}
	params, err := s.k.params.Get(ctx)
	if err != nil {
		return nil, asStatus(err)
	}
	slots, err := s.k.HostDay(ctx, &host, req.Day)
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryHostDayResponse{SlotsUp: slots, SlotsPerDay: params.SlotsPerDay}, nil
}

// Slot implements types.QueryServer.
func (s queryServer) Slot(ctx context.Context, req *types.QuerySlotRequest) (*types.QuerySlotResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	if _, err := s.k.Anchor(ctx, req.Slot); err != nil {
		return nil, asStatus(err)
	}
	up, page, err := query.CollectionPaginate(ctx, s.k.up, req.Pagination,
		func(key recordKey, bits []byte) (types.SlotBitmap, error) {
			return types.SlotBitmap{Slot: key.K1(), Bucket: key.K2(), Bits: bits}, nil
		},
		query.WithCollectionPaginationPairPrefix[uint64, uint64](req.Slot))
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QuerySlotResponse{Up: up, Pagination: page}, nil
}

// Invariants implements types.QueryServer.
func (s queryServer) Invariants(ctx context.Context, req *types.QueryInvariantsRequest) (*types.QueryInvariantsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	broken, err := s.k.CheckInvariants(ctx)
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryInvariantsResponse{Broken: broken}, nil
}
