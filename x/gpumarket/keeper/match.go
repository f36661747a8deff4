package keeper

import (
	"context"
	"errors"
	"slices"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// RequestCompute rents the cheapest offers of the General Cloud that fit, all or
// nothing, and takes the renter's money once for all of them. It returns the new
// rentals; those of a request that needed several have the first one's id as group.
func (k *Keeper) RequestCompute(ctx context.Context, renter sdk.AccAddress, req types.ComputeRequest) ([]types.Rental, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	m, err := k.place(cached, params, renter, newSearch(params, req))
	if err != nil {
		return nil, err
	}
	if err := k.charge(cached, renter, m); err != nil {
		return nil, err
	}
	event := types.EventComputeMatched{Escrow: sdk.NewCoin(m.cost.Denom, math.ZeroInt())}
	for _, r := range m.rentals {
		event.Renter = r.Renter
		event.RentalIds = append(event.RentalIds, r.Id)
		event.GpuCount += uint32(len(r.Gpus))
		event.Escrow.Amount = event.Escrow.Amount.Add(r.Escrow)
	}
	write()
	return m.rentals, emit(ctx, &event)
}

// charge takes the renter's money for all the rentals of a match.
func (k *Keeper) charge(ctx context.Context, renter sdk.AccAddress, m match) error {
	if err := k.bank.SendCoinsFromAccountToModule(ctx, renter, types.ModuleName, sdk.NewCoins(m.cost)); err != nil {
		return errorsmod.Wrapf(err, "escrow of %s for %d rentals", m.cost, len(m.rentals))
	}
	return nil
}

// search is a request and what bounds it.
type search struct {
	req  types.ComputeRequest
	scan int // most offers to read
	gang int // most listings to take
	// For a failover: the host that failed, and that others must be alive.
	notHost  uint64
	alive    bool
	replaces uint64
}

func newSearch(params types.Params, req types.ComputeRequest) search {
	return search{req: req, scan: int(params.MaxScan), gang: int(params.MaxGang)}
}

// match is what a search made of the offers.
type match struct {
	rentals    []types.Rental
	cost       sdk.Coin // escrows and failover reserves
	candidates []types.Candidate
	bounded    bool // it ended at its bound and not at the end of the offers
}

// place searches and opens the rentals in ctx, without their money: the caller
// moves it, or throws ctx away. The candidates that were read are told even when
// it fails.
func (k *Keeper) place(ctx context.Context, params types.Params, renter sdk.AccAddress, s search) (match, error) {
	m := match{cost: sdk.Coin{Denom: s.req.MaxPrice.Denom, Amount: math.ZeroInt()}}
	if err := s.req.Validate(params); err != nil {
		return m, err
	}
	stream, err := k.offersFor(ctx, s.req)
	if err != nil {
		return m, err
	}
	left := s.req.GpuCount
	for left > 0 && len(m.rentals) < s.gang {
		group, tooHigh, err := k.nextGroup(ctx, stream, s, &m)
		if err != nil {
			return m, err
		}
		if len(group) == 0 {
			break
		}
		if tooHigh != nil {
			m.candidates = append(m.candidates, passOver(group[0].Candidate, tooHigh))
			break
		}
		for _, c := range group {
			if left == 0 || len(m.rentals) == s.gang {
				c.Verdict, c.Reason = types.CANDIDATE_VERDICT_NOT_NEEDED, "enough was found before"
				m.candidates = append(m.candidates, c.Candidate)
				continue
			}
			r, why, err := k.try(ctx, params, renter, s, c, left, m.rentals)
			if err != nil {
				return m, err
			}
			if why != nil {
				m.candidates = append(m.candidates, passOver(c.Candidate, why))
				continue
			}
			c.Verdict = types.CANDIDATE_VERDICT_CHOSEN
			m.candidates = append(m.candidates, c.Candidate)
			m.rentals = append(m.rentals, r)
			m.cost.Amount = m.cost.Amount.Add(r.Held())
			left -= uint32(len(r.Gpus))
		}
	}
	if len(m.rentals) == 0 || left > 0 && s.req.Placement != types.PLACEMENT_SPREAD {
		return m, m.noMatch(s, left)
	}
	return m, k.group(ctx, m.rentals)
}

// nextGroup reads the offers of the next price, and only one of them when it is
// over what the renter pays: so are all that follow. None: the end of the offers,
// or of the scan.
func (k *Keeper) nextGroup(ctx context.Context, stream *offerStream, s search, m *match) (group []candidate, tooHigh, err error) {
	key, err := stream.price(ctx, k)
	if err != nil || key == nil {
		return nil, nil, err
	}
	limit := s.scan - len(m.candidates)
	if limit == 0 {
		m.bounded = true
		return nil, nil, nil
	}
	price := sdk.NewCoin(m.cost.Denom, types.PriceOfKey(key))
	if price.Amount.GT(s.req.MaxPrice.Amount) {
		limit = 1
		tooHigh = types.ErrPriceTooHigh.Wrapf("the price is %s, max_price is %s", price, s.req.MaxPrice.Amount)
	}
	ids, err := stream.take(ctx, k, key, limit)
	if err != nil {
		return nil, nil, err
	}
	group, err = k.rank(ctx, price, ids)
	return group, tooHigh, err
}

// offersFor returns the offers that the request looks at, in the order of price.
func (k *Keeper) offersFor(ctx context.Context, req types.ComputeRequest) (*offerStream, error) {
	classes := []string{req.Class}
	if req.Class == "" {
		var err error
		if classes, err = k.attestation.ClassesWith(ctx, req.MinMemoryMib, req.MinWeightPpm); err != nil {
			return nil, err
		}
	}
	set := types.OffersVacant
	switch {
	case req.Interruptible:
		set = types.InterruptibleVacant
	case req.StartAt != nil: // what is taken now may be free by then
		set = types.OffersAll
	}
	return newOfferStream(set, classes, req.MaxPrice.Denom, types.Country(req.Region)), nil
}

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

// group links the rentals of one request to the first of them.
func (k *Keeper) group(ctx context.Context, rentals []types.Rental) error {
	if len(rentals) < 2 {
		return nil
	}
	rentals[0].GroupId = rentals[0].Id
	return k.rentals.Set(ctx, rentals[0].Id, rentals[0])
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
