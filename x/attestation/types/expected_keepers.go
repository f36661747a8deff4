package types

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// StakingKeeper holds what an operator has at risk.
type StakingKeeper interface {
	// HasOperator tells whether the account is a registered operator.
	HasOperator(ctx context.Context, operator sdk.AccAddress) (bool, error)
	// SetGPU records that a GPU of this weight asks for stake.
	SetGPU(ctx context.Context, operator sdk.AccAddress, hostID uint64, ordinal uint32, weightPPM uint64) error
	// RemoveGPU ends what the GPU asks for.
	RemoveGPU(ctx context.Context, operator sdk.AccAddress, hostID uint64, ordinal uint32) error
	// SlashEquivocation punishes the proven fault by the schedule: a fraction
	// and a jail, or everything and the tombstone the second time.
	SlashEquivocation(ctx context.Context, req stakingext.SlashRequest) (stakingext.SlashResult, error)
}
