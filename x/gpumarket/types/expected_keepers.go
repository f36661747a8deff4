package types

import (
	"context"
	"time"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// BankKeeper moves escrows and payments.
type BankKeeper interface {
	SendCoinsFromAccountToModule(ctx context.Context, sender sdk.AccAddress, module string, amt sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, module string, recipient sdk.AccAddress, amt sdk.Coins) error
	SendCoinsFromModuleToModule(ctx context.Context, sender, recipient string, amt sdk.Coins) error
	BurnCoins(ctx context.Context, module string, amt sdk.Coins) error
	GetBalance(ctx context.Context, addr sdk.AccAddress, denom string) sdk.Coin
	// BlockedAddr tells whether the bank refuses to pay the account from a module account.
	BlockedAddr(addr sdk.AccAddress) bool
}

// StakingKeeper says who may be rented from, and is told what is listed.
type StakingKeeper interface {
	// EnsureRentable returns a typed error when the operator is jailed, or under
	// its requirement for longer than the grace.
	EnsureRentable(ctx context.Context, operator sdk.AccAddress) error
	// EnsureCovered returns a typed error when the operator's own stake is under its requirement now.
	EnsureCovered(ctx context.Context, operator sdk.AccAddress) error
	// SetListedPrice records the listed price per hour of a GPU in the stake
	// denom (zero: not listed, or listed in another denom).
	SetListedPrice(ctx context.Context, operator sdk.AccAddress, hostID uint64, ordinal uint32, pricePerHour math.Int) error
	// GPURequirement returns the stake that the GPU asks of its operator now.
	GPURequirement(ctx context.Context, operator sdk.AccAddress, hostID uint64, ordinal uint32) (math.Int, error)
	// LockBond binds so much of the operator's free own stake; a typed error when
	// there isn't as much. ReleaseBond frees it again.
	LockBond(ctx context.Context, operator sdk.AccAddress, amount math.Int) error
	ReleaseBond(ctx context.Context, operator sdk.AccAddress, amount math.Int) error
	// Slash takes stake for one fault, once for each FaultID.
	Slash(ctx context.Context, req stakingext.SlashRequest) (stakingext.SlashResult, error)
	// UnbondingTime is the age from which a fault is too old to be punished.
	UnbondingTime(ctx context.Context) (time.Duration, error)
	// Operator returns the operator's record.
	Operator(ctx context.Context, operator sdk.AccAddress) (stakingext.Operator, error)
	// StakeDenom is the denom that requirements are in.
	StakeDenom(ctx context.Context) (string, error)
}

// AttestationKeeper says what exists and is alive.
type AttestationKeeper interface {
	Host(ctx context.Context, hostID uint64) (attestation.Host, error)
	GPU(ctx context.Context, hostID uint64, ordinal uint32) (attestation.Gpu, error)
	// VerifyAgentSignature checks domain ‖ SHA-256(doc) against the host's live agent keys.
	VerifyAgentSignature(ctx context.Context, hostID uint64, domain string, doc, signature []byte) error
	// SlotAt returns the slot that t lies in, and SlotStart its first second.
	SlotAt(ctx context.Context, t time.Time) (uint64, error)
	SlotStart(ctx context.Context, slot uint64) (time.Time, error)
	// JudgedAt returns the first second at which the bits of the slot can no
	// longer change: known exactly once the slot has a closing block, before
	// that the earliest it can be (exact is false).
	JudgedAt(ctx context.Context, slot uint64) (at time.Time, exact bool, err error)
	// GPUsUp tells for each ordinal whether its bit is set in the slot.
	GPUsUp(ctx context.Context, hostID, slot uint64, ordinals []uint32) (bool, error)
	// NetworkFault tells whether so many hosts missed the judged slot that it was
	// the network's fault and nobody's own.
	NetworkFault(ctx context.Context, slot uint64) (bool, error)
	// ClassesWith returns the classes whose GPUs all have at least so much memory
	// and weight, ascending.
	ClassesWith(ctx context.Context, minMemoryMiB, minWeightPPM uint64) ([]string, error)
	// TrustTier returns how far the host is proven, from 0 (declared).
	TrustTier(ctx context.Context, hostID uint64) (uint32, error)
	// ChallengeGPUs asks these GPUs of the host for a proof of compute in the next block.
	ChallengeGPUs(ctx context.Context, hostID uint64, ordinals []uint32, requester sdk.AccAddress) error
	// HostReliability returns the share of yesterday's slots, in PPM, that the
	// host's GPUs were up.
	HostReliability(ctx context.Context, host *attestation.Host) (uint64, error)
}
