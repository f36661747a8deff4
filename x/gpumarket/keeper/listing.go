package keeper

import (
	"context"
	"errors"
	"slices"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// NewListing is what an operator asks for; see MsgCreateListing.
type NewListing struct {
	HostID    uint64
	GPUs      []uint32 // empty: every GPU of the host
	Tier      types.Tier
	AllowList []string // parsed by the caller
	Terms
}

// Terms are what an operator may change of a listing.
type Terms struct {
	Price              sdk.Coin
	InterruptiblePrice *sdk.Coin // nil: not offered
	MinDurationSeconds uint64    // 0: the least that the params allow
	MaxDurationSeconds uint64    // 0: the most that the params allow
	NoticeSeconds      uint64
	MaxAheadSeconds    uint64 // 0: cannot be reserved
}

// apply sets the terms of the listing.
func (t Terms) apply(p types.Params, l *types.Listing) {
	l.Price, l.InterruptiblePrice = t.Price, t.InterruptiblePrice
	l.MinDurationSeconds, l.MaxDurationSeconds = t.MinDurationSeconds, t.MaxDurationSeconds
	l.NoticeSeconds, l.MaxAheadSeconds = t.NoticeSeconds, t.MaxAheadSeconds
	if l.MinDurationSeconds == 0 {
		l.MinDurationSeconds = p.MinDurationSeconds
	}
	if l.MaxDurationSeconds == 0 {
		l.MaxDurationSeconds = p.MaxDurationSeconds
	}
}

// CreateListing offers GPUs of one of the operator's hosts. All are of one
// class, none is in another listing, and the operator's own stake covers its
// requirement with the new price counted.
func (k *Keeper) CreateListing(ctx context.Context, operator sdk.AccAddress, n NewListing) (types.Listing, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Listing{}, err
	}
	owner, err := k.addressCodec.BytesToString(operator)
	if err != nil {
		return types.Listing{}, err
	}
	l := types.Listing{
		HostId: n.HostID, Operator: owner, Tier: n.Tier, AllowList: n.AllowList,
		Status: types.LISTING_STATUS_OPEN, CreatedAt: now(ctx),
	}
	n.apply(params, &l)
	if err := k.checkTerms(ctx, params, l); err != nil {
		return types.Listing{}, err
	}
	if err := checkTier(params, l); err != nil {
		return types.Listing{}, err
	}
	if l.Gpus, l.Class, err = k.offeredGPUs(ctx, owner, n.HostID, n.GPUs); err != nil {
		return types.Listing{}, err
	}
	if err := k.staking.EnsureRentable(ctx, operator); err != nil {
		return types.Listing{}, err
	}
	if err := k.priceGPUs(ctx, operator, l, l.Price); err != nil {
		return types.Listing{}, err
	}
	if err := k.staking.EnsureCovered(ctx, operator); err != nil {
		return types.Listing{}, err
	}
	if l.Id, err = k.listingSeq.Next(ctx); err != nil {
		return types.Listing{}, err
	}
	for _, ordinal := range l.Gpus {
		if err := k.listedGPUs.Set(ctx, collections.Join(l.HostId, ordinal), l.Id); err != nil {
			return types.Listing{}, err
		}
	}
	if err := k.storeListing(ctx, nil, &l); err != nil {
		return types.Listing{}, err
	}
	return l, emit(ctx, &types.EventListingCreated{
		ListingId: l.Id, HostId: l.HostId, Operator: l.Operator, Class: l.Class, Price: l.Price,
	})
}

func (k *Keeper) checkTerms(ctx context.Context, p types.Params, l types.Listing) error {
	if err := p.CheckPrices(l); err != nil {
		return err
	}
	if l.MinDurationSeconds < p.MinDurationSeconds || l.MaxDurationSeconds > p.MaxDurationSeconds ||
		l.MinDurationSeconds > l.MaxDurationSeconds {
		return types.ErrInvalidDuration.Wrapf("%d to %d s, want a range within %d to %d",
			l.MinDurationSeconds, l.MaxDurationSeconds, p.MinDurationSeconds, p.MaxDurationSeconds)
	}
	if l.NoticeSeconds > p.MaxNoticeSeconds {
		return types.ErrInvalidDuration.Wrapf("notice of %d s, want at most %d", l.NoticeSeconds, p.MaxNoticeSeconds)
	}
	if l.MaxAheadSeconds > p.MaxAheadSeconds {
		return types.ErrInvalidStart.Wrapf("max_ahead of %d s, want at most %d", l.MaxAheadSeconds, p.MaxAheadSeconds)
	}
	if l.MaxAheadSeconds == 0 {
		return nil
	}
	if denom, err := k.staking.StakeDenom(ctx); err != nil {
		return err
	} else if l.Price.Denom != denom {
		return types.ErrNotReservable.Wrapf("the bond is in %s, the price in %s", denom, l.Price.Denom)
	}
	return nil
}

func checkTier(p types.Params, l types.Listing) error {
	switch l.Tier {
	case types.TIER_GENERAL:
		if len(l.AllowList) > 0 {
			return types.ErrInvalidAllowList.Wrapf("%d accounts, want none on a general listing", len(l.AllowList))
		}
	case types.TIER_SELECTIVE:
		if n := len(l.AllowList); n > int(p.MaxAllowList) { // none: those who are invited
			return types.ErrInvalidAllowList.Wrapf("%d accounts, want at most %d", n, p.MaxAllowList)
		}
	default:
		return types.ErrInvalidTier.Wrapf("%s, want general or selective", l.Tier)
	}
	return nil
}

// offeredGPUs returns the ordinals in ascending order and their common class.
func (k *Keeper) offeredGPUs(ctx context.Context, owner string, hostID uint64, gpus []uint32) ([]uint32, string, error) {
	host, err := k.attestation.Host(ctx, hostID)
	if err != nil {
		return nil, "", err
	}
	if host.Operator != owner {
		return nil, "", types.ErrNotOwner.Wrapf("host %d belongs to %s", hostID, host.Operator)
	}
	if host.Status != attestationtypes.HOST_STATUS_ACTIVE {
		return nil, "", types.ErrHostNotActive.Wrapf("host %d is %s", hostID, host.Status)
	}
	if len(gpus) > int(host.GpuCount) {
		return nil, "", types.ErrInvalidGPUs.Wrapf("%d ordinals, host %d has %d GPUs", len(gpus), hostID, host.GpuCount)
	}
	gpus = slices.Clone(gpus)
	if len(gpus) == 0 {
		for ordinal := range host.GpuCount {
			gpus = append(gpus, ordinal)
		}
	}
	slices.Sort(gpus)
	var class string
	for i, ordinal := range gpus {
		if ordinal >= host.GpuCount || i > 0 && ordinal == gpus[i-1] {
			return nil, "", types.ErrInvalidGPUs.Wrapf("ordinal %d, want each once and under %d", ordinal, host.GpuCount)
		}
		gpu, err := k.attestation.GPU(ctx, hostID, ordinal)
		if err != nil {
			return nil, "", err
		}
		if i == 0 {
			class = gpu.Class
		}
		if gpu.Class == "" || gpu.Class != class {
			return nil, "", types.ErrClassChanged.Wrapf("GPU %d is %q, want one known class for all", ordinal, gpu.Class)
		}
		if other, err := k.listedGPUs.Get(ctx, collections.Join(hostID, ordinal)); err == nil {
			return nil, "", types.ErrGPUListed.Wrapf("GPU %d is in listing %d", ordinal, other)
		} else if !errors.Is(err, collections.ErrNotFound) {
			return nil, "", err
		}
	}
	if len(gpus) == 0 {
		return nil, "", types.ErrInvalidGPUs.Wrapf("host %d has no GPU", hostID)
	}
	return gpus, class, nil
}

// priceGPUs tells x/staking-ext what the listing's GPUs cost; a price in
// another denom than the stake's counts as zero there.
func (k *Keeper) priceGPUs(ctx context.Context, operator sdk.AccAddress, l types.Listing, price sdk.Coin) error {
	amount, err := k.stakedPrice(ctx, price)
	if err != nil {
		return err
	}
	for _, ordinal := range l.Gpus {
		if err := k.staking.SetListedPrice(ctx, operator, l.HostId, ordinal, amount); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) stakedPrice(ctx context.Context, price sdk.Coin) (math.Int, error) {
	denom, err := k.staking.StakeDenom(ctx)
	if err != nil {
		return math.Int{}, err
	}
	if price.Denom != denom {
		return math.ZeroInt(), nil
	}
	return price.Amount, nil
}

// ownListing returns a listing that the operator may still change.
func (k *Keeper) ownListing(ctx context.Context, operator sdk.AccAddress, id uint64) (types.Listing, error) {
	l, err := k.Listing(ctx, id)
	if err != nil {
		return types.Listing{}, err
	}
	owner, err := k.addressCodec.BytesToString(operator)
	if err != nil {
		return types.Listing{}, err
	}
	if l.Operator != owner {
		return types.Listing{}, types.ErrNotOwner.Wrapf("listing %d belongs to %s", id, l.Operator)
	}
	if l.Status == types.LISTING_STATUS_WITHDRAWN {
		return types.Listing{}, types.ErrListingNotOpen.Wrapf("listing %d is withdrawn for good", id)
	}
	return l, nil
}
