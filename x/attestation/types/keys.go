package types

import "cosmossdk.io/collections"

const (
	// ModuleName names the module; it holds no money.
	ModuleName = "attestation"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
	// BucketSize is the number of hosts or GPUs whose bits share one record.
	BucketSize = 4096
	// PPM is one whole in parts per million.
	PPM = 1_000_000
)

// Domains under which an agent key signs. The signed bytes are always
// domain ‖ SHA-256(canonical proto).
const (
	DomainAttestation = "grafi/attestation/v1"
	DomainAgentKey    = "grafi/agent-key/v1"
	DomainCommit      = "grafi/challenge-commit/v1"
	DomainOpening     = "grafi/challenge-opening/v1"
	DomainReport      = "grafi/device-report/v1"
	DomainProbe       = "grafi/probe/v1"
)

// Prefixes of the store; never renumbered.
var (
	ParamsPrefix          = collections.NewPrefix(0)
	ClassesPrefix         = collections.NewPrefix(1)
	PendingClassesPrefix  = collections.NewPrefix(2)
	HostsPrefix           = collections.NewPrefix(3)
	HostsByOperatorPrefix = collections.NewPrefix(4)
	HostByAgentKeyPrefix  = collections.NewPrefix(5)
	HostSeqPrefix         = collections.NewPrefix(6)
	GPUsPrefix            = collections.NewPrefix(7)
	NextGPUPrefix         = collections.NewPrefix(8)
	AnchorsPrefix         = collections.NewPrefix(9)
	LastClosedSlotPrefix  = collections.NewPrefix(10)
	AttestedPrefix        = collections.NewPrefix(11)
	UpPrefix              = collections.NewPrefix(12)
	CountersPrefix        = collections.NewPrefix(13)
	FaultsPrefix          = collections.NewPrefix(14)
	ClassQueuePrefix      = collections.NewPrefix(15)
	RefreshFromPrefix     = collections.NewPrefix(16)
	FloorPrefix           = collections.NewPrefix(17)
	SignersPrefix         = collections.NewPrefix(18)
	AttestedHostsPrefix   = collections.NewPrefix(19)
	ChallengeClockPrefix  = collections.NewPrefix(20)
	ChallengesPrefix      = collections.NewPrefix(21)
	ChallengeIDsPrefix    = collections.NewPrefix(22)
	ComputeProofsPrefix   = collections.NewPrefix(23)
	ChallengeQueuePrefix  = collections.NewPrefix(24)
	ChallengeDuePrefix    = collections.NewPrefix(25)
	OperatorCountPrefix   = collections.NewPrefix(26)

	ConnectionsPrefix  = collections.NewPrefix(33)
	ProberScoresPrefix = collections.NewPrefix(34)
	ProbeBeaconsPrefix = collections.NewPrefix(35)

	DevicesPrefix          = collections.NewPrefix(28)
	DevicesByGPUPrefix     = collections.NewPrefix(29)
	CertificatesPrefix     = collections.NewPrefix(30)
	RevocationsPrefix      = collections.NewPrefix(31)
	RecentBlocksPrefix     = collections.NewPrefix(32)
	DeviceQueuePrefix      = collections.NewPrefix(40)
	CertificateQueuePrefix = collections.NewPrefix(41)
	CertificateCountPrefix = collections.NewPrefix(42)
)
