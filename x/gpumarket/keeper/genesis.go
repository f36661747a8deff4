package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// InitGenesis fills the empty store. The calendar, the due queue and the index
// of listed GPUs are derived. It refuses a state whose escrow account does not
// hold what the rentals say, so it runs after x/bank.
func (k *Keeper) InitGenesis(ctx context.Context, gs types.GenesisState) error {
	if err := gs.Validate(); err != nil {
		return err
	}
	if err := k.checkParams(gs.Params); err != nil {
		return err
	}
	if err := k.params.Set(ctx, gs.Params); err != nil {
		return err
	}
	if err := k.listingSeq.Set(ctx, gs.NextListingId); err != nil {
		return err
	}
	for _, l := range gs.Listings {
		if err := k.listings.Set(ctx, l.Id, l); err != nil {
			return types.ErrInvalidGenesis.Wrapf("listing %d: %s", l.Id, err)
		}
		if l.Status == types.LISTING_STATUS_WITHDRAWN {
			continue
		}
		for _, ordinal := range l.Gpus {
			if err := k.listedGPUs.Set(ctx, collections.Join(l.HostId, ordinal), l.Id); err != nil {
				return err
			}
		}
	}
	for _, r := range gs.Rentals {
		if err := k.rentals.Set(ctx, r.Id, r); err != nil {
			return types.ErrInvalidGenesis.Wrapf("rental %d: %s", r.Id, err)
		}
		if !r.Open() {
			continue
		}
		if err := k.enter(ctx, r); err != nil {
			return err
		}
	}
	for _, mark := range gs.NotRunning {
		if err := k.notRunning.Set(ctx, collections.Join(mark.RentalId, mark.Slot)); err != nil {
			return err
		}
	}
	if err := k.initMatch(ctx, gs); err != nil {
		return err
	}
	broken, err := k.escrowInvariant(ctx, gs.Params, gs.Rentals)
	if err != nil {
		return err
	}
	if len(broken) > 0 {
		return types.ErrInvalidGenesis.Wrapf("%q", broken)
	}
	return nil
}

// ExportGenesis returns the whole state.
func (k *Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	var (
		gs  types.GenesisState
		err error
	)
	if gs.Params, err = k.params.Get(ctx); err != nil {
		return nil, err
	}
	if gs.NextListingId, err = k.listingSeq.Peek(ctx); err != nil {
		return nil, err
	}
	if err := k.listings.Walk(ctx, nil, func(_ uint64, l types.Listing) (bool, error) {
		gs.Listings = append(gs.Listings, l)
		return false, nil
	}); err != nil {
		return nil, err
	}
	if err := k.rentals.Walk(ctx, nil, func(_ uint64, r types.Rental) (bool, error) {
		gs.Rentals = append(gs.Rentals, r)
		return false, nil
	}); err != nil {
		return nil, err
	}
	if err := k.notRunning.Walk(ctx, nil, func(key collections.Pair[uint64, uint64]) (bool, error) {
		gs.NotRunning = append(gs.NotRunning, types.NotRunningMark{RentalId: key.K1(), Slot: key.K2()})
		return false, nil
	}); err != nil {
		return nil, err
	}
	return &gs, k.exportMatch(ctx, &gs)
}
