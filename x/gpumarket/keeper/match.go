package keeper

import (
	"context"

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

// group links the rentals of one request to the first of them.
func (k *Keeper) group(ctx context.Context, rentals []types.Rental) error {
	if len(rentals) < 2 {
		return nil
	}
	rentals[0].GroupId = rentals[0].Id
	return k.rentals.Set(ctx, rentals[0].Id, rentals[0])
}
