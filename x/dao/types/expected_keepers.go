package types

import (
	"context"
	"time"

	"cosmossdk.io/core/address"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// BankKeeper moves the treasury's coins and the bonds of disputes.
type BankKeeper interface {
	SendCoinsFromAccountToModule(ctx context.Context, sender sdk.AccAddress, module string, amt sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, module string, recipient sdk.AccAddress, amt sdk.Coins) error
	SendCoinsFromModuleToModule(ctx context.Context, sender, recipient string, amt sdk.Coins) error
	BurnCoins(ctx context.Context, module string, amt sdk.Coins) error
	GetBalance(ctx context.Context, addr sdk.AccAddress, denom string) sdk.Coin
	AllBalances(ctx context.Context, req *banktypes.QueryAllBalancesRequest) (*banktypes.QueryAllBalancesResponse, error)
	// BlockedAddr tells whether the bank refuses to pay the account from a module account.
	BlockedAddr(addr sdk.AccAddress) bool
}

// ChainStakingKeeper is x/staking: the validators and their delegators.
type ChainStakingKeeper interface {
	ValidatorAddressCodec() address.Codec
	IterateBondedValidatorsByPower(ctx context.Context,
		fn func(index int64, validator stakingtypes.ValidatorI) (stop bool)) error
	IterateDelegations(ctx context.Context, delegator sdk.AccAddress,
		fn func(index int64, delegation stakingtypes.DelegationI) (stop bool)) error
}

// StakingKeeper is x/staking-ext: the operators, their stake and their stakers.
type StakingKeeper interface {
	// StakeDenom is the denom of all stake and of all bonds.
	StakeDenom(ctx context.Context) (string, error)
	// VotingStake is the account's own stake as an operator plus the tokens of
	// its delegations to operators; what is unbonding is not in it.
	VotingStake(ctx context.Context, account sdk.AccAddress) (math.Int, error)
	// TotalStake is the sum of VotingStake of all accounts.
	TotalStake(ctx context.Context) (math.Int, error)
	// Slash takes an operator's stake; with HoldIn the caller distributes it.
	Slash(ctx context.Context, req stakingext.SlashRequest) (stakingext.SlashResult, error)
	// SlashRecord returns one executed slash of the operator.
	SlashRecord(ctx context.Context, operator sdk.AccAddress, id uint64) (stakingext.SlashRecord, error)
	// UnbondingTime is the age from which a fault can't take stake any more.
	UnbondingTime(ctx context.Context) (time.Duration, error)
	// PayFromInsurance pays up to amount to the account and returns what it paid.
	PayFromInsurance(ctx context.Context, to sdk.AccAddress, amount math.Int) (math.Int, error)
}

// MarketKeeper knows what was rented.
type MarketKeeper interface {
	Rental(ctx context.Context, id uint64) (gpumarket.Rental, error)
}
