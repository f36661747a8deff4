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
	// Operator returns the operator's record: what it has at stake, and must have.
	Operator(ctx context.Context, operator sdk.AccAddress) (stakingext.Operator, error)
	// SetGPU records that a GPU of this weight asks for stake.
	SetGPU(ctx context.Context, operator sdk.AccAddress, hostID uint64, ordinal uint32, weightPPM uint64) error
	// RemoveGPU ends what the GPU asks for.
	RemoveGPU(ctx context.Context, operator sdk.AccAddress, hostID uint64, ordinal uint32) error
	// SlashBySchedule punishes the proven fault by its row of the schedule.
	SlashBySchedule(ctx context.Context, fault stakingext.Fault, req stakingext.SlashRequest) (stakingext.SlashResult, error)
}
