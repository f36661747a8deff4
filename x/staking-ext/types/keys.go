package types

import "cosmossdk.io/collections"

const (
	// ModuleName is also the name of the account that holds all bonded and
	// unbonding stake.
	ModuleName = "stakingext"
	// StoreKey is the key of the module's store. It can't be the module's name:
	// the SDK refuses a store name that starts with another's ("staking").
	StoreKey = "operatorstake"
	// InsuranceAccount is the module account that gets the insurance share of a slash.
	InsuranceAccount = "insurance"
	// PPM is one whole in parts per million.
	PPM = 1_000_000
)

// Prefixes of the store; never renumbered.
var (
	ParamsPrefix         = collections.NewPrefix(0)
	OperatorsPrefix      = collections.NewPrefix(1)
	RequirementsPrefix   = collections.NewPrefix(2)
	UnbondingPrefix      = collections.NewPrefix(3)
	UnbondingQueuePrefix = collections.NewPrefix(4)
)
