package types

import (
	"cosmossdk.io/collections"

	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
)

const (
	// ModuleName is also the name of the account that holds what is committed
	// to streams and grants, bonds of disputes and jurors, and held slashes.
	ModuleName = "dao"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
	// TreasuryAccount is what governance may spend: x/gpumarket pays its share
	// of the service fee into it.
	TreasuryAccount = gpumarket.TreasuryAccount
	// PPM is one whole in parts per million.
	PPM = 1_000_000
)

// Prefixes of the store; never renumbered.
var (
	ParamsPrefix             = collections.NewPrefix(0)
	StreamsPrefix            = collections.NewPrefix(1)
	StreamSeqPrefix          = collections.NewPrefix(2)
	GrantsPrefix             = collections.NewPrefix(3)
	GrantSeqPrefix           = collections.NewPrefix(4)
	PausesPrefix             = collections.NewPrefix(5)
	PausesByEndPrefix        = collections.NewPrefix(6)
	GuardianPausesPrefix     = collections.NewPrefix(7)
	DecisionsPrefix          = collections.NewPrefix(8)
	DecisionSeqPrefix        = collections.NewPrefix(9)
	DecisionsByKindPrefix    = collections.NewPrefix(10)
	DisputesPrefix           = collections.NewPrefix(11)
	DisputeSeqPrefix         = collections.NewPrefix(12)
	DisputesByClaimantPrefix = collections.NewPrefix(13)
	DisputesBySubjectPrefix  = collections.NewPrefix(14)
	DisputesByDuePrefix      = collections.NewPrefix(15)
	JurorsPrefix             = collections.NewPrefix(16)
	SeatsPrefix              = collections.NewPrefix(17)
	SeatsByJurorPrefix       = collections.NewPrefix(18)
)
