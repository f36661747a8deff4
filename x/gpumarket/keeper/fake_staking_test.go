package keeper_test

import (
	"context"
	"fmt"
	"time"

	"cosmossdk.io/math"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// fakeStaking says yes until it is told otherwise, and remembers prices.
type fakeStaking struct {
	notRentable, notCovered error
	jailed                  sdk.AccAddress
	kind                    stakingext.OperatorKind
	prices                  map[string]math.Int // "host/ordinal"
	key                     storetypes.StoreKey // what a failed message must roll back
	requirement             int64               // of each GPU
	slashFails              error
	unbonding               time.Duration
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

func (s *fakeStaking) Operator(ctx context.Context, op sdk.AccAddress) (stakingext.Operator, error) {
	_, bonded := s.own(ctx)
	return stakingext.Operator{Address: str(op), Kind: s.kind, BondedFor: math.NewInt(bonded)}, nil
}

func (s *fakeStaking) GPURequirement(context.Context, sdk.AccAddress, uint64, uint32) (math.Int, error) {
	return math.NewInt(s.requirement), s.slashFails
}

func (s *fakeStaking) UnbondingTime(context.Context) (time.Duration, error) {
	if s.unbonding == 0 {
		return 21 * 24 * time.Hour, nil
	}
	return s.unbonding, nil
}

// own is the operator's own stake: what is free and what is locked.
func (s *fakeStaking) own(ctx context.Context) (free, bonded int64) {
	store := sdk.UnwrapSDKContext(ctx).KVStore(s.key)
	return int64(sdk.BigEndianToUint64(store.Get([]byte("free")))), int64(sdk.BigEndianToUint64(store.Get([]byte("bonded"))))
}

func (s *fakeStaking) setOwn(ctx context.Context, free, bonded int64) {
	store := sdk.UnwrapSDKContext(ctx).KVStore(s.key)
	store.Set([]byte("free"), sdk.Uint64ToBigEndian(uint64(free)))
	store.Set([]byte("bonded"), sdk.Uint64ToBigEndian(uint64(bonded)))
}

func (s *fakeStaking) LockBond(ctx context.Context, _ sdk.AccAddress, amount math.Int) error {
	free, bonded := s.own(ctx)
	if !amount.IsPositive() || free < amount.Int64() {
		return errNoFreeStake
	}
	s.setOwn(ctx, free-amount.Int64(), bonded+amount.Int64())
	return nil
}

func (s *fakeStaking) ReleaseBond(ctx context.Context, _ sdk.AccAddress, amount math.Int) error {
	free, bonded := s.own(ctx)
	if !amount.IsPositive() || bonded < amount.Int64() {
		return errNoFreeStake
	}
	s.setOwn(ctx, free+amount.Int64(), bonded-amount.Int64())
	return nil
}

// Slash takes what is free, pays the victim first and burns the rest.
func (s *fakeStaking) Slash(ctx context.Context, req stakingext.SlashRequest) (stakingext.SlashResult, error) {
	if s.slashFails != nil {
		return stakingext.SlashResult{}, s.slashFails
	}
	store := sdk.UnwrapSDKContext(ctx).KVStore(s.key)
	if store.Has([]byte(req.FaultID)) {
		return stakingext.SlashResult{}, stakingext.ErrAlreadySlashed.Wrap(req.FaultID)
	}
	if req.CommittedAt.After(sdk.UnwrapSDKContext(ctx).BlockTime()) || !req.Operator.Equals(operator) {
		return stakingext.SlashResult{}, stakingext.ErrInvalidSlash.Wrap(req.FaultID)
	}
	store.Set([]byte(req.FaultID), []byte{1})
	s.slashes = append(s.slashes, req)
	free, bonded := s.own(ctx)
	taken := math.MinInt(req.Amount, math.NewInt(free))
	s.setOwn(ctx, free-taken.Int64(), bonded)
	result := stakingext.NewSlashResult()
	result.FromOwnStake = taken
	if !req.Victim.Empty() {
		result.Victim = math.MinInt(taken, req.VictimLoss)
		return result, s.pay(ctx, req.Victim, coin(result.Victim.Int64()))
	}
	return result, nil
}

func (f *fixture) freeStake() int64 {
	free, _ := f.staking.own(f.ctx)
	return free
}

func (f *fixture) bonded() int64 {
	_, bonded := f.staking.own(f.ctx)
	return bonded
}
