package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// offerInvariant: every open general listing is among the offers once, under its
// own price, and among the vacant ones when it can give a GPU.
func (k *Keeper) offerInvariant(ctx context.Context, gs *types.GenesisState) ([]string, error) {
	var broken []string
	want := 0
	for _, l := range gs.Listings {
		if !offered(l) {
			continue
		}
		free, takeable, err := k.vacancy(ctx, l, nil)
		if err != nil {
			return nil, err
		}
		wants := map[types.OfferSet]bool{
			types.OffersAll: true, types.OffersVacant: takeable, types.InterruptibleVacant: free,
		}
		for _, set := range types.OfferSets {
			keys, err := offerKeys(l, set)
			if err != nil {
				return nil, err
			}
			for _, key := range keys {
				is, err := k.offers.Has(ctx, key)
				if err != nil {
					return nil, err
				}
				if is {
					want++
				}
				if is != wants[set] {
					broken = append(broken, fmt.Sprintf("listing %d among the offers %q: %t, want %t", l.Id, key.K1(), is, wants[set]))
				}
			}
		}
	}
	got := 0
	err := k.offers.Walk(ctx, nil, func(offerKey) (bool, error) {
		got++
		return false, nil
	})
	if got != want {
		broken = append(broken, fmt.Sprintf("there are %d offers, the listings have %d", got, want))
	}
	return broken, err
}

// invitationInvariant: each invitation is indexed by its account and queued once.
func (k *Keeper) invitationInvariant(ctx context.Context, gs *types.GenesisState) ([]string, error) {
	var broken []string
	for _, i := range gs.Invitations {
		account, err := k.addressCodec.StringToBytes(i.Account)
		if err != nil {
			return nil, err
		}
		indexed, err := k.invitationsByAccount.Has(ctx, collections.Join(sdk.AccAddress(account), i.ListingId))
		if err != nil {
			return nil, err
		}
		queued, err := k.invitationQueue.Has(ctx, collections.Join3(i.ExpiresAt, i.ListingId, sdk.AccAddress(account)))
		if err != nil {
			return nil, err
		}
		if !indexed || !queued {
			broken = append(broken, fmt.Sprintf("invitation of %s to listing %d is not indexed", i.Account, i.ListingId))
		}
	}
	indexed, queued := 0, 0
	if err := k.invitationsByAccount.Walk(ctx, nil, func(collections.Pair[sdk.AccAddress, uint64]) (bool, error) {
		indexed++
		return false, nil
	}); err != nil {
		return nil, err
	}
	err := k.invitationQueue.Walk(ctx, nil, func(expiryKey) (bool, error) {
		queued++
		return false, nil
	})
	if n := len(gs.Invitations); indexed != n || queued != n {
		broken = append(broken, fmt.Sprintf("%d invitations, %d are indexed, %d queued", n, indexed, queued))
	}
	return broken, err
}

// indexInvariant: what a day counted is the sum of what its pairs did.
func (k *Keeper) indexInvariant(_ context.Context, gs *types.GenesisState) ([]string, error) {
	type marketDay struct {
		class, denom string
		day          uint64
	}
	days := make(map[marketDay]uint64)
	for _, p := range gs.PairVolumes {
		days[marketDay{p.Class, p.Denom, p.Day}] += p.GpuSeconds
	}
	var newest uint64
	for _, d := range gs.DayVolumes {
		newest = max(newest, d.Day)
	}
	var broken []string
	for _, d := range gs.DayVolumes {
		// The pairs of a day that is over are pruned a few at a time.
		if pairs := days[marketDay{d.Class, d.Denom, d.Day}]; d.Day == newest && pairs != d.GpuSeconds {
			broken = append(broken, fmt.Sprintf("%s on day %d: counted %d GPU-seconds, its pairs %d", d.Class, d.Day, d.GpuSeconds, pairs))
		}
	}
	return broken, nil
}
