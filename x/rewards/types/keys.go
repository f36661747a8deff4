package types

import "cosmossdk.io/collections"

const (
	// ModuleName is also the name of the account that mints, and that holds what
	// is mined and not paid out yet.
	ModuleName = "rewards"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
	// StakersAccount collects the stakers' share of the service fee, and holds what
	// public stakers and operators can claim of their stake's earnings. x/gpumarket
	// pays into it by this name.
	StakersAccount = "staker_fees"
	// PPM is one whole in parts per million.
	PPM = 1_000_000
	// BucketSize is the number of GPUs that share one record; that of x/attestation.
	BucketSize = 4096
)

// Prefixes of the store; never renumbered.
var (
	ParamsPrefix       = collections.NewPrefix(0)
	MiningPrefix       = collections.NewPrefix(1)
	DaysPrefix         = collections.NewPrefix(2)
	HistogramsPrefix   = collections.NewPrefix(3)
	WeightsPrefix      = collections.NewPrefix(4)
	FactorsPrefix      = collections.NewPrefix(5)
	ClaimedPrefix      = collections.NewPrefix(6)
	OperatorDaysPrefix = collections.NewPrefix(7)
	SnapshotsPrefix    = collections.NewPrefix(8)
	RentedPrefix       = collections.NewPrefix(9)
	TranchesPrefix     = collections.NewPrefix(10)
	StakerPoolsPrefix  = collections.NewPrefix(11)
	StakersPrefix      = collections.NewPrefix(12)
	StreamPrefix       = collections.NewPrefix(13)
)
