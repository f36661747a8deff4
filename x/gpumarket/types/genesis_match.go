package types

import (
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// validateMatch checks the invitations and the records of the price index.
func (gs GenesisState) validateMatch(listings map[uint64]Listing) error {
	type invited struct {
		listing uint64
		account string
	}
	seen := make(map[invited]bool, len(gs.Invitations))
	for _, i := range gs.Invitations {
		l, ok := listings[i.ListingId]
		if !ok || l.Tier != TIER_SELECTIVE {
			return ErrInvalidGenesis.Wrapf("invitation to listing %d, which is no selective one", i.ListingId)
		}
		if err := i.Validate(); err != nil {
			return ErrInvalidGenesis.Wrapf("invitation to listing %d: %s", i.ListingId, err)
		}
		key := invited{i.ListingId, i.Account}
		if seen[key] {
			return ErrInvalidGenesis.Wrapf("%s is invited to listing %d twice", i.Account, i.ListingId)
		}
		seen[key] = true
	}
	return gs.validateIndex()
}

// Validate checks what every stored invitation is.
func (i Invitation) Validate() error {
	switch {
	case i.Account == "":
		return ErrInvalidRenter.Wrap("account is empty")
	case i.By != INVITATION_SIDE_OPERATOR && i.By != INVITATION_SIDE_RENTER:
		return ErrInvalidGenesis.Wrapf("by is %s", i.By)
	case !i.ExpiresAt.After(i.CreatedAt):
		return ErrInvalidGenesis.Wrapf("expires at %s, made at %s", i.ExpiresAt, i.CreatedAt)
	}
	return nil
}

func (gs GenesisState) validateIndex() error {
	type record struct {
		class, denom, renter, operator string
		at                             uint64
	}
	seen := make(map[record]bool)
	check := func(what string, r record, gpuSeconds uint64) error {
		if r.class == "" || sdk.ValidateDenom(r.denom) != nil || gpuSeconds == 0 {
			return ErrInvalidGenesis.Wrapf("%s: class %q, denom %q, %d GPU-seconds", what, r.class, r.denom, gpuSeconds)
		}
		if seen[r] {
			return ErrInvalidGenesis.Wrapf("%s: %v is there twice", what, r)
		}
		seen[r] = true
		return nil
	}
	for _, b := range gs.PriceBuckets {
		if err := check("price_buckets", record{class: b.Class, denom: b.Denom, at: b.Hour}, uint64(len(b.Volumes))); err != nil {
			return err
		}
		last := math.ZeroInt()
		for _, v := range b.Volumes {
			if v.Price.IsNil() || v.Price.LTE(last) || v.Price.GT(priceLimit()) || v.GpuSeconds == 0 {
				return ErrInvalidGenesis.Wrapf("price_buckets: %d GPU-seconds at %s, want prices ascending", v.GpuSeconds, v.Price)
			}
			last = v.Price
		}
	}
	clear(seen)
	for _, d := range gs.DayVolumes {
		if err := check("day_volumes", record{class: d.Class, denom: d.Denom, at: d.Day}, d.GpuSeconds); err != nil {
			return err
		}
	}
	clear(seen)
	for _, p := range gs.PairVolumes {
		if p.Renter == "" || p.Operator == "" {
			return ErrInvalidGenesis.Wrap("pair_volumes: renter or operator is empty")
		}
		r := record{class: p.Class, denom: p.Denom, renter: p.Renter, operator: p.Operator, at: p.Day}
		if err := check("pair_volumes", r, p.GpuSeconds); err != nil {
			return err
		}
	}
	return nil
}
