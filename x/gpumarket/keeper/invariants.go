package keeper

import (
	"context"
	"fmt"
	"slices"
	"time"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// CheckInvariants returns the invariants that do not hold, in words. It reads
// the whole state: for tests, simulations and an operator's query.
func (k *Keeper) CheckInvariants(ctx context.Context) ([]string, error) {
	gs, err := k.ExportGenesis(ctx)
	if err != nil {
		return nil, err
	}
	var broken []string
	// Each record is sound, escrowed = escrow + paid + refunded, no GPU is in two
	// listings, no booking overlaps and no GPU is in two live rentals.
	if err := gs.Validate(); err != nil {
		broken = append(broken, err.Error())
	}
	checks := []func(context.Context, *types.GenesisState) ([]string, error){
		func(ctx context.Context, gs *types.GenesisState) ([]string, error) {
			return k.escrowInvariant(ctx, gs.Params, gs.Rentals)
		},
		k.bondInvariant, k.calendarInvariant, k.queueInvariant, k.openInvariant, k.listedInvariant,
		k.offerInvariant, k.invitationInvariant, k.indexInvariant,
	}
	for _, check := range checks {
		found, err := check(ctx, gs)
		if err != nil {
			return nil, err
		}
		broken = append(broken, found...)
	}
	return broken, nil
}

// escrowInvariant: the module's account holds, in each denom, the sum of the
// open escrows, failover reserves and subscription balances.
func (k *Keeper) escrowInvariant(ctx context.Context, params types.Params, rentals []types.Rental) ([]string, error) {
	denoms := slices.Clone(params.AllowedDenoms)
	sums := make(map[string]math.Int)
	for _, r := range rentals {
		denom := r.Price.Denom
		if _, ok := sums[denom]; !ok {
			sums[denom] = math.ZeroInt()
			denoms = append(denoms, denom)
		}
		sums[denom] = sums[denom].Add(r.Held())
	}
	slices.Sort(denoms)
	var broken []string
	for _, denom := range slices.Compact(denoms) {
		want, ok := sums[denom]
		if !ok {
			want = math.ZeroInt()
		}
		if got := k.bank.GetBalance(ctx, authtypes.NewModuleAddress(types.ModuleName), denom); !got.Amount.Equal(want) {
			broken = append(broken, fmt.Sprintf("escrow account holds %s, the rentals need %s%s", got, want, denom))
		}
	}
	return broken, nil
}

// bondInvariant: what is locked of each operator's stake is the sum of the bonds
// of its reservations.
func (k *Keeper) bondInvariant(ctx context.Context, gs *types.GenesisState) ([]string, error) {
	var operators []string
	bonds := make(map[string]math.Int)
	for _, l := range gs.Listings {
		if _, ok := bonds[l.Operator]; !ok {
			operators, bonds[l.Operator] = append(operators, l.Operator), math.ZeroInt()
		}
	}
	for _, r := range gs.Rentals {
		bonds[r.Operator] = bonds[r.Operator].Add(r.Bonded())
	}
	var broken []string
	for _, name := range operators {
		addr, err := k.addressCodec.StringToBytes(name)
		if err != nil {
			return nil, err
		}
		operator, err := k.staking.Operator(ctx, addr)
		if err != nil {
			return nil, err
		}
		if !operator.BondedFor.Equal(bonds[name]) {
			broken = append(broken, fmt.Sprintf("operator %s has %s locked, its reservations need %s", name, operator.BondedFor, bonds[name]))
		}
	}
	return broken, nil
}

// calendarInvariant: the calendar has exactly the windows of the open rentals.
func (k *Keeper) calendarInvariant(ctx context.Context, gs *types.GenesisState) ([]string, error) {
	var broken []string
	want := 0
	for _, r := range gs.Rentals {
		if !r.Open() {
			continue
		}
		start, end := r.Window()
		want += len(r.Gpus)
		for _, ordinal := range r.Gpus {
			b, err := k.bookings.Get(ctx, collections.Join3(r.HostId, ordinal, start))
			if err != nil || b.RentalId != r.Id || !b.Start.Equal(start) || !b.End.Equal(end) {
				broken = append(broken, fmt.Sprintf("rental %d has no booking of its window for GPU %d", r.Id, ordinal))
			}
		}
	}
	got := 0
	err := k.bookings.Walk(ctx, nil, func(bookingKey, types.Booking) (bool, error) {
		got++
		return false, nil
	})
	if got != want {
		broken = append(broken, fmt.Sprintf("the calendar has %d bookings, the open rentals need %d", got, want))
	}
	return broken, err
}

// queueInvariant: every rental that is not parked is in the due queue once,
// under its own time.
func (k *Keeper) queueInvariant(ctx context.Context, gs *types.GenesisState) ([]string, error) {
	var broken []string
	want := 0
	for _, r := range gs.Rentals {
		if r.Parked {
			continue
		}
		want++
		queued, err := k.rentals.Indexes.due.Has(ctx, collections.Join(r.DueAt, r.Id))
		if err != nil {
			return nil, err
		}
		if !queued {
			broken = append(broken, fmt.Sprintf("rental %d is not queued for %s", r.Id, r.DueAt))
		}
	}
	got := 0
	err := k.rentals.Indexes.due.Walk(ctx, nil, func(collections.Pair[time.Time, uint64]) (bool, error) {
		got++
		return false, nil
	})
	if got != want {
		broken = append(broken, fmt.Sprintf("the due queue has %d entries, the rentals need %d", got, want))
	}
	return broken, err
}

// openInvariant: the index by host has exactly the open rentals.
func (k *Keeper) openInvariant(ctx context.Context, gs *types.GenesisState) ([]string, error) {
	var broken []string
	want := 0
	for _, r := range gs.Rentals {
		if !r.Open() {
			continue
		}
		want++
		indexed, err := k.rentals.Indexes.openByHost.Has(ctx, collections.Join(r.HostId, r.Id))
		if err != nil {
			return nil, err
		}
		if !indexed {
			broken = append(broken, fmt.Sprintf("open rental %d is not indexed under host %d", r.Id, r.HostId))
		}
	}
	got := 0
	err := k.rentals.Indexes.openByHost.Walk(ctx, nil, func(collections.Pair[uint64, uint64]) (bool, error) {
		got++
		return false, nil
	})
	if got != want {
		broken = append(broken, fmt.Sprintf("%d rentals are indexed as open, %d are", got, want))
	}
	return broken, err
}

// listedInvariant: the index of listed GPUs names exactly the GPUs of the
// listings that are not withdrawn.
func (k *Keeper) listedInvariant(ctx context.Context, gs *types.GenesisState) ([]string, error) {
	var broken []string
	want := 0
	for _, l := range gs.Listings {
		if l.Status == types.LISTING_STATUS_WITHDRAWN {
			continue
		}
		want += len(l.Gpus)
		for _, ordinal := range l.Gpus {
			if id, err := k.listedGPUs.Get(ctx, collections.Join(l.HostId, ordinal)); err != nil || id != l.Id {
				broken = append(broken, fmt.Sprintf("GPU %d of host %d is not indexed under listing %d", ordinal, l.HostId, l.Id))
			}
		}
	}
	got := 0
	err := k.listedGPUs.Walk(ctx, nil, func(collections.Pair[uint64, uint32], uint64) (bool, error) {
		got++
		return false, nil
	})
	if got != want {
		broken = append(broken, fmt.Sprintf("%d GPUs are indexed as listed, %d are", got, want))
	}
	return broken, err
}
