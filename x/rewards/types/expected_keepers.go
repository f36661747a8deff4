package types

import (
	"context"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// BankKeeper mints and moves what is earned.
type BankKeeper interface {
	MintCoins(ctx context.Context, module string, amt sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, module string, recipient sdk.AccAddress, amt sdk.Coins) error
	SendCoinsFromModuleToModule(ctx context.Context, sender, recipient string, amt sdk.Coins) error
	GetBalance(ctx context.Context, addr sdk.AccAddress, denom string) sdk.Coin
	GetSupply(ctx context.Context, denom string) sdk.Coin
	GetAllBalances(ctx context.Context, addr sdk.AccAddress) sdk.Coins
	// BlockedAddr tells whether the bank refuses to pay the account from a module account.
	BlockedAddr(addr sdk.AccAddress) bool
}

// StakingKeeper knows what operators and their public stakers have at risk.
type StakingKeeper interface {
	// Operator returns the operator's record.
	Operator(ctx context.Context, operator sdk.AccAddress) (stakingext.Operator, error)
	// StakeOf returns the stake that counts, own and delegated, and what the
	// operator's GPUs ask for.
	StakeOf(ctx context.Context, operator sdk.AccAddress) (counted, requirement math.Int, err error)
	// Delegation returns the shares of the operator's pool that an account has;
	// zero for none.
	Delegation(ctx context.Context, delegator, operator sdk.AccAddress) (math.Int, error)
	// WalkDelegations visits every delegation to the operator; for invariants only.
	WalkDelegations(ctx context.Context, operator sdk.AccAddress,
		visit func(delegator sdk.AccAddress, shares math.Int) (stop bool, err error)) error
	// StakeDenom is the denom of stake and of what is mined.
	StakeDenom(ctx context.Context) (string, error)
}

// AttestationKeeper knows what exists and was alive.
type AttestationKeeper interface {
	Params(ctx context.Context) (attestation.Params, error)
	Host(ctx context.Context, hostID uint64) (attestation.Host, error)
	// HostFacts returns what is proven of a host and its GPUs, as it counts on a day.
	HostFacts(ctx context.Context, hostID, day uint64) (attestation.HostFacts, error)
	// ClassWeight returns the mining weight H of a class in PPM; 0 for no class.
	ClassWeight(ctx context.Context, class string) (uint64, error)
	// SlotsUp returns the slots of the day in which each GPU of the bucket was up.
	SlotsUp(ctx context.Context, day, bucket uint64) (attestation.Counts, error)
	// Anchor returns the closing block of a slot; ErrSlotOpen while there is none,
	// ErrSlotPruned when it is no longer kept.
	Anchor(ctx context.Context, slot uint64) (attestation.Anchor, error)
}
