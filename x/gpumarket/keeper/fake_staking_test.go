package keeper_test

import (
	"context"
	"fmt"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// fakeStaking says yes until it is told otherwise, and remembers prices.
type fakeStaking struct {
	notRentable, notCovered error
	jailed                  sdk.AccAddress
	kind                    stakingext.OperatorKind
	prices                  map[string]math.Int // "host/ordinal"
	free, bonded            int64               // own stake
	requirement             int64               // of each GPU
	slashFails              error
	faults                  map[string]bool
	slashes                 []stakingext.SlashRequest
	pay                     func(context.Context, sdk.AccAddress, sdk.Coin) error
}

func (s *fakeStaking) EnsureRentable(_ context.Context, op sdk.AccAddress) error {
	if s.jailed.Equals(op) {
		return stakingext.ErrJailed
	}
	return s.notRentable
}

func (s *fakeStaking) EnsureCovered(context.Context, sdk.AccAddress) error { return s.notCovered }
func (s *fakeStaking) StakeDenom(context.Context) (string, error)          { return denom, nil }

func (s *fakeStaking) SetListedPrice(_ context.Context, _ sdk.AccAddress, host uint64, ordinal uint32, price math.Int) error {
	s.prices[fmt.Sprintf("%d/%d", host, ordinal)] = price
	return nil
}

func (s *fakeStaking) Operator(_ context.Context, op sdk.AccAddress) (stakingext.Operator, error) {
	return stakingext.Operator{Address: str(op), Kind: s.kind}, nil
}

func (s *fakeStaking) GPURequirement(context.Context, sdk.AccAddress, uint64, uint32) (math.Int, error) {
	return math.NewInt(s.requirement), s.slashFails
}

func (s *fakeStaking) LockBond(_ context.Context, _ sdk.AccAddress, amount math.Int) error {
	if s.free < amount.Int64() {
		return errNoFreeStake
	}
	s.free, s.bonded = s.free-amount.Int64(), s.bonded+amount.Int64()
	return nil
}

func (s *fakeStaking) ReleaseBond(_ context.Context, _ sdk.AccAddress, amount math.Int) error {
	if s.bonded < amount.Int64() {
		return errNoFreeStake
	}
	s.free, s.bonded = s.free+amount.Int64(), s.bonded-amount.Int64()
	return nil
}

// Slash takes what is free, pays the victim first and burns the rest.
func (s *fakeStaking) Slash(ctx context.Context, req stakingext.SlashRequest) (stakingext.SlashResult, error) {
	if s.slashFails != nil {
		return stakingext.SlashResult{}, s.slashFails
	}
	if s.faults[req.FaultID] {
		return stakingext.SlashResult{}, stakingext.ErrAlreadySlashed.Wrap(req.FaultID)
	}
	if req.CommittedAt.After(sdk.UnwrapSDKContext(ctx).BlockTime()) || !req.Operator.Equals(operator) {
		return stakingext.SlashResult{}, stakingext.ErrInvalidSlash.Wrap(req.FaultID)
	}
	s.faults[req.FaultID] = true
	s.slashes = append(s.slashes, req)
	taken := math.MinInt(req.Amount, math.NewInt(s.free))
	s.free -= taken.Int64()
	result := stakingext.NewSlashResult()
	result.FromOwnStake = taken
	if !req.Victim.Empty() {
		result.Victim = math.MinInt(taken, req.VictimLoss)
		return result, s.pay(ctx, req.Victim, coin(result.Victim.Int64()))
	}
	return result, nil
}
