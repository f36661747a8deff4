package types

import (
	"cmp"
	"slices"
	"time"
)

// DefaultGenesis returns an empty market.
func DefaultGenesis() *GenesisState {
	return &GenesisState{Params: DefaultParams(), NextListingId: 1}
}

// Validate checks all that can be known without the bank and the address format.
func (gs GenesisState) Validate() error {
	if err := gs.Params.Validate(); err != nil {
		return err
	}
	if gs.NextListingId == 0 {
		return ErrInvalidGenesis.Wrap("next_listing_id is 0, listing ids begin at 1")
	}
	listings, err := gs.validateListings()
	if err != nil {
		return err
	}
	rentals, err := gs.validateRentals(listings)
	if err != nil {
		return err
	}
	if err := validateBookings(gs.Rentals); err != nil {
		return err
	}
	if err := gs.validateMarks(rentals); err != nil {
		return err
	}
	return gs.validateMatch(listings)
}

// hostGPU is one GPU of the chain.
type hostGPU struct {
	host    uint64
	ordinal uint32
}

func (gs GenesisState) validateListings() (map[uint64]Listing, error) {
	byID := make(map[uint64]Listing, len(gs.Listings))
	listed := make(map[hostGPU]uint64)
	for _, l := range gs.Listings {
		if l.Id == 0 || l.Id >= gs.NextListingId {
			return nil, ErrInvalidGenesis.Wrapf("listing id %d, want 1 to %d", l.Id, gs.NextListingId-1)
		}
		if _, ok := byID[l.Id]; ok {
			return nil, ErrInvalidGenesis.Wrapf("listing %d is there twice", l.Id)
		}
		if err := l.Validate(); err != nil {
			return nil, ErrInvalidGenesis.Wrapf("listing %d: %s", l.Id, err)
		}
		byID[l.Id] = l
		if l.Status == LISTING_STATUS_WITHDRAWN {
			continue
		}
		for _, ordinal := range l.Gpus {
			gpu := hostGPU{l.HostId, ordinal}
			if other, ok := listed[gpu]; ok {
				return nil, ErrInvalidGenesis.Wrapf("GPU %d of host %d is in listings %d and %d", ordinal, l.HostId, other, l.Id)
			}
			listed[gpu] = l.Id
		}
	}
	return byID, nil
}

// Validate checks what every stored listing is.
func (l Listing) Validate() error {
	switch {
	case l.Operator == "":
		return ErrNotOwner.Wrap("operator is empty")
	case !ascending(l.Gpus):
		return ErrInvalidGPUs.Wrapf("%v, want at least one, ascending", l.Gpus)
	case l.Class == "":
		return ErrClassChanged.Wrap("class is empty")
	case l.Tier != TIER_GENERAL && l.Tier != TIER_SELECTIVE:
		return ErrInvalidTier.Wrapf("%s", l.Tier)
	case l.Price.Validate() != nil || !l.Price.IsPositive() || l.Price.Amount.GT(priceLimit()):
		return ErrInvalidPrice.Wrapf("%s%s", l.Price.Amount, l.Price.Denom)
	case l.MinDurationSeconds == 0 || l.MinDurationSeconds > l.MaxDurationSeconds || l.MaxDurationSeconds > limitDuration:
		return ErrInvalidDuration.Wrapf("%d to %d s", l.MinDurationSeconds, l.MaxDurationSeconds)
	case l.NoticeSeconds > limitNotice:
		return ErrInvalidDuration.Wrapf("notice of %d s, want at most %d", l.NoticeSeconds, limitNotice)
	case l.MaxAheadSeconds > limitAhead:
		return ErrInvalidStart.Wrapf("max_ahead of %d s, want at most %d", l.MaxAheadSeconds, limitAhead)
	case l.Status < LISTING_STATUS_OPEN || l.Status > LISTING_STATUS_WITHDRAWN:
		return ErrInvalidStatus.Wrapf("%s", l.Status)
	case l.Tier != TIER_SELECTIVE && len(l.AllowList) > 0:
		return ErrInvalidAllowList.Wrapf("%d accounts on a %s listing", len(l.AllowList), l.Tier)
	case l.RentalsOpened > 1<<RentalIDShift:
		return ErrNoRentalNumber.Wrapf("%d rentals opened", l.RentalsOpened)
	}
	return l.checkInterruptiblePrice()
}

func (gs GenesisState) validateRentals(listings map[uint64]Listing) (map[uint64]Rental, error) {
	byID := make(map[uint64]Rental, len(gs.Rentals))
	for _, r := range gs.Rentals {
		if _, ok := byID[r.Id]; ok {
			return nil, ErrInvalidGenesis.Wrapf("rental %d is there twice", r.Id)
		}
		listing, ok := listings[r.ListingId]
		if !ok {
			return nil, ErrInvalidGenesis.Wrapf("rental %d is of listing %d, which is not there", r.Id, r.ListingId)
		}
		if r.Id>>RentalIDShift != r.ListingId || r.Id&(1<<RentalIDShift-1) >= listing.RentalsOpened {
			return nil, ErrInvalidGenesis.Wrapf("rental id %d is none of the %d that listing %d gave out",
				r.Id, listing.RentalsOpened, r.ListingId)
		}
		if r.HostId != listing.HostId || r.Operator != listing.Operator {
			return nil, ErrInvalidGenesis.Wrapf("rental %d has another host or operator than its listing", r.Id)
		}
		if err := r.Validate(); err != nil {
			return nil, ErrInvalidGenesis.Wrapf("rental %d: %s", r.Id, err)
		}
		byID[r.Id] = r
	}
	return byID, nil
}

// validateBookings checks that no GPU is booked twice at one time.
func validateBookings(rentals []Rental) error {
	type booking struct {
		gpu        hostGPU
		start, end time.Time
		rental     uint64
	}
	var all []booking
	for _, r := range rentals {
		if !r.Open() {
			continue
		}
		start, end := r.Window()
		for _, ordinal := range r.Gpus {
			all = append(all, booking{hostGPU{r.HostId, ordinal}, start, end, r.Id})
		}
	}
	slices.SortFunc(all, func(a, b booking) int {
		if c := compareGPU(a.gpu, b.gpu); c != 0 {
			return c
		}
		return a.start.Compare(b.start)
	})
	for i := 1; i < len(all); i++ {
		if a, b := all[i-1], all[i]; a.gpu == b.gpu && a.end.After(b.start) {
			return ErrInvalidGenesis.Wrapf("rentals %d and %d both book GPU %d of host %d",
				a.rental, b.rental, a.gpu.ordinal, a.gpu.host)
		}
	}
	return nil
}

func (gs GenesisState) validateMarks(rentals map[uint64]Rental) error {
	seen := make(map[NotRunningMark]bool, len(gs.NotRunning))
	for _, mark := range gs.NotRunning {
		if seen[mark] {
			return ErrInvalidGenesis.Wrapf("rental %d is marked twice for slot %d", mark.RentalId, mark.Slot)
		}
		seen[mark] = true
		if r, ok := rentals[mark.RentalId]; !ok || r.State != RENTAL_STATE_ACTIVE {
			return ErrInvalidGenesis.Wrapf("mark on rental %d, which is not active", mark.RentalId)
		}
	}
	return nil
}

func compareGPU(a, b hostGPU) int {
	return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.ordinal, b.ordinal))
}

func ascending(gpus []uint32) bool {
	for i := 1; i < len(gpus); i++ {
		if gpus[i-1] >= gpus[i] {
			return false
		}
	}
	return len(gpus) > 0
}
