package keeper

import (
	"context"
	"errors"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// candidate is an offer with what its place in the order depends on.
type candidate struct {
	types.Candidate
	region string
}

// rank reads the offers of one price and brings them into their order.
func (k *Keeper) rank(ctx context.Context, price sdk.Coin, ids []uint64) ([]candidate, error) {
	group := make([]candidate, 0, len(ids))
	for _, id := range ids {
		l, err := k.Listing(ctx, id)
		if err != nil {
			return nil, err
		}
		host, err := k.attestation.Host(ctx, l.HostId)
		if err != nil {
			return nil, err
		}
		c := candidate{Candidate: types.Candidate{ListingId: id, HostId: l.HostId, Price: price}, region: host.Region}
		if c.TrustTier, err = k.attestation.TrustTier(ctx, l.HostId); err != nil {
			return nil, err
		}
		if c.ReliabilityPpm, err = k.attestation.HostReliability(ctx, &host); err != nil {
			return nil, err
		}
		group = append(group, c)
	}
	slices.SortFunc(group, func(a, b candidate) int { return types.CompareCandidates(a.Candidate, b.Candidate) })
	return group, nil
}

// try opens a rental on the offer, of as many GPUs as are wanted and placed so.
// why tells what is in its way; err is an error that ends the search.
func (k *Keeper) try(
	ctx context.Context, params types.Params, renter sdk.AccAddress, s search, c candidate, left uint32, before []types.Rental,
) (r types.Rental, why, err error) {
	if why := s.unfit(c); why != nil {
		return r, why, nil
	}
	req := RentRequest{
		ListingID: c.ListingId, GPUCount: left, DurationSeconds: s.req.DurationSeconds, MaxPrice: s.req.MaxPrice,
		ManifestDigest: s.req.ManifestDigest, CloseOnExit: s.req.CloseOnExit, StartAt: s.req.StartAt,
		Interruptible: s.req.Interruptible, FailoverMaxPrice: s.req.FailoverMaxPrice,
	}
	d, why, err := k.offerOf(ctx, params, renter, req, s.req.Placement == types.PLACEMENT_ONE_HOST)
	if why != nil || err != nil {
		return r, why, err
	}
	if s.alive {
		if why, err := k.notAlive(ctx, d.rental); why != nil || err != nil {
			return r, why, err
		}
	}
	if len(before) > 0 {
		d.rental.GroupId = before[0].Id
	}
	if s.replaces != 0 {
		d.rental.Failover.Replaces = s.replaces
	}
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	if err := k.open(cached, d); err != nil {
		why, err = refusal(err)
		return r, why, err
	}
	write()
	return d.rental, nil, nil
}

// offerOf prepares a rental of the wanted GPUs; unless they must be on one host, of
// as many of them as the listing has.
func (k *Keeper) offerOf(
	ctx context.Context, params types.Params, renter sdk.AccAddress, req RentRequest, all bool,
) (d deal, why, err error) {
	l, err := k.Listing(ctx, req.ListingID)
	if err != nil {
		return d, nil, err
	}
	if most := uint32(len(l.Gpus)); req.GPUCount > most {
		if all {
			return d, types.ErrNoFreeGPUs.Wrapf("listing %d has %d GPUs in all, want %d", l.Id, most, req.GPUCount), nil
		}
		req.GPUCount = most
	}
	d, err = k.prepare(ctx, renter, req)
	if !all && errors.Is(err, types.ErrNoFreeGPUs) || errors.Is(err, types.ErrClassChanged) {
		fits, countErr := k.countGPUs(ctx, params, l, req)
		if countErr != nil {
			return d, nil, countErr
		}
		if 0 < fits && fits < req.GPUCount {
			req.GPUCount = fits
			d, err = k.prepare(ctx, renter, req)
		}
	}
	why, err = refusal(err)
	return d, why, err
}

// countGPUs returns how many GPUs the listing could give to the request.
func (k *Keeper) countGPUs(ctx context.Context, params types.Params, l types.Listing, req RentRequest) (uint32, error) {
	host, err := k.attestation.Host(ctx, l.HostId)
	if err != nil {
		return 0, err
	}
	from := now(ctx)
	if req.StartAt != nil {
		from = *req.StartAt
	}
	length := params.StartTimeout + seconds(req.DurationSeconds)
	f, err := k.freeGPUs(ctx, params, l, host, len(l.Gpus), from, from.Add(length))
	if err != nil || req.Interruptible || len(f.held) == 0 {
		return uint32(len(f.free)), err
	}
	if soonest := now(ctx).Add(params.PreemptNotice); from.Before(soonest) {
		if f, err = k.freeGPUs(ctx, params, l, host, len(l.Gpus), soonest, soonest.Add(length)); err != nil {
			return 0, err
		}
	}
	return uint32(len(f.free) + len(f.held)), nil
}

// newestJudged returns the newest slot whose bits can no longer change; ok is
// false on a chain that has none yet.
func (k *Keeper) newestJudged(ctx context.Context) (slot uint64, ok bool, err error) {
	current, err := k.attestation.SlotAt(ctx, now(ctx))
	if err != nil {
		return 0, false, err
	}
	for slot = current; slot > 0 && current-slot <= types.MaxSilenceSlots; slot-- {
		at, exact, err := k.attestation.JudgedAt(ctx, slot-1)
		if err != nil {
			return 0, false, err
		}
		if exact && !at.After(now(ctx)) {
			return slot - 1, true, nil
		}
	}
	return 0, false, nil
}

// notAlive tells why the GPUs of the rental are not known to be up.
func (k *Keeper) notAlive(ctx context.Context, r types.Rental) (why, err error) {
	slot, ok, err := k.newestJudged(ctx)
	if err != nil || !ok {
		return nil, err
	}
	up, err := k.attestation.GPUsUp(ctx, r.HostId, slot, r.Gpus)
	if err != nil || up {
		return nil, err
	}
	return types.ErrHostNotActive.Wrapf("host %d did not attest slot %d", r.HostId, slot), nil
}
