package types

import "cosmossdk.io/collections"

const (
	// ModuleName is also the name of the account that holds every escrow.
	ModuleName = "gpumarket"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
	// StakersAccount collects the stakers' share of the service fee.
	StakersAccount = "staker_fees"
	// TreasuryAccount collects the treasury's share of the service fee.
	TreasuryAccount = "treasury"
	// PPM is one whole in parts per million.
	PPM = 1_000_000
	// RentalIDShift is the width of the number: a rental's id is listing id × 2^24 + its number on the
	// listing, so that two listings never share a counter and an id stays
	// below 2^53 (exact in JavaScript) for 2^29 listings.
	RentalIDShift = 24
)

// Domains under which an agent key signs reports.
const (
	DomainStart  = "grafi/start/v1"
	DomainResult = "grafi/result/v1"
)

// Prefixes of the store; never renumbered.
var (
	ParamsPrefix             = collections.NewPrefix(0)
	ListingsPrefix           = collections.NewPrefix(1)
	ListingSeqPrefix         = collections.NewPrefix(2)
	ListingsByOperatorPrefix = collections.NewPrefix(3)
	ListingsByHostPrefix     = collections.NewPrefix(4)
	ListingsByClassPrefix    = collections.NewPrefix(5)
	ListedGPUsPrefix         = collections.NewPrefix(6)
	RentalsPrefix            = collections.NewPrefix(7)
	RentalsByRenterPrefix    = collections.NewPrefix(8)
	RentalsByOperatorPrefix  = collections.NewPrefix(9)
	OpenByHostPrefix         = collections.NewPrefix(10)
	BookingsPrefix           = collections.NewPrefix(11)
	DueQueuePrefix           = collections.NewPrefix(12)
	NotRunningPrefix         = collections.NewPrefix(13)
	OffersPrefix             = collections.NewPrefix(14)
	DayVolumesPrefix         = collections.NewPrefix(15)
	InvitationsPrefix        = collections.NewPrefix(16)
	InvitationsByAcctPrefix  = collections.NewPrefix(17)
	InvitationQueuePrefix    = collections.NewPrefix(18)
	PriceBucketsPrefix       = collections.NewPrefix(19)
	PairVolumesPrefix        = collections.NewPrefix(20)
)
