package types

import "cosmossdk.io/collections"

const (
	// ModuleName is also the name of the account that holds all bonded stake, own
	// and delegated.
	ModuleName = "stakingext"
	// UnbondingAccount is the module account that holds all that is on its way
	// out, so that the bonded total is a balance of the bank.
	UnbondingAccount = "stakingext_unbonding"
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

	DelegationsPrefix       = collections.NewPrefix(5)
	DelegatorsPrefix        = collections.NewPrefix(6)
	UndelegationsPrefix     = collections.NewPrefix(7)
	UndelegationQueuePrefix = collections.NewPrefix(8)
	RedelegationsPrefix     = collections.NewPrefix(9)
	RedelegationQueuePrefix = collections.NewPrefix(10)
	SlashRecordsPrefix      = collections.NewPrefix(11)
	SlashRecordQueuePrefix  = collections.NewPrefix(12)
	PoolSlashesPrefix       = collections.NewPrefix(13)
	LeftMarksPrefix         = collections.NewPrefix(14)
	PunishedPrefix          = collections.NewPrefix(15)
	PunishedQueuePrefix     = collections.NewPrefix(16)
	ForgottenUntilPrefix    = collections.NewPrefix(17)
	RequirementQueuePrefix  = collections.NewPrefix(18)
)
