package keeper_test

import (
	"context"
	"fmt"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"

	"github.com/grafilab/grafi/x/staking-ext/keeper"
	"github.com/grafilab/grafi/x/staking-ext/types"
)

// fakeHooks writes down what it is told, with what the keeper says at that
// moment, and gives rewards from a module account.
type fakeHooks struct {
	k     *keeper.Keeper
	bank  bankkeeper.BaseKeeper
	calls []string
	// escrow is what TakeRewards has; nil for nothing.
	escrow math.Int
	err    error
}

func (h *fakeHooks) BeforeStakeChanged(ctx context.Context, operator sdk.AccAddress) error {
	o, err := h.k.Operator(ctx, operator)
	if err != nil {
		return err
	}
	h.calls = append(h.calls, fmt.Sprintf("%s had %s+%s of %s", name(operator), o.OwnStake, o.DelegatedTokens, o.Requirement))
	return h.err
}

func (h *fakeHooks) BeforeDelegationChanged(ctx context.Context, delegator, operator sdk.AccAddress, shares math.Int) error {
	now, err := h.k.Delegation(ctx, delegator, operator)
	if err != nil {
		return err
	}
	if !now.Equal(shares) {
		return fmt.Errorf("told %s shares while there are %s", shares, now)
	}
	h.calls = append(h.calls, fmt.Sprintf("%s had %s of %s", name(delegator), shares, name(operator)))
	return h.err
}

func (h *fakeHooks) TakeRewards(ctx context.Context, _ sdk.AccAddress, limit math.Int) (math.Int, error) {
	if h.escrow.IsNil() {
		return math.ZeroInt(), nil
	}
	part := math.MinInt(h.escrow, limit)
	h.escrow = h.escrow.Sub(part)
	if !part.IsPositive() {
		return part, nil
	}
	return part, h.bank.SendCoinsFromModuleToModule(ctx, rewards, types.ModuleName, sdk.NewCoins(sdk.NewCoin(denom, part)))
}

// brokenHooks gives rewards that it should not.
type brokenHooks struct {
	*fakeHooks
	gives math.Int
}

func (h brokenHooks) TakeRewards(context.Context, sdk.AccAddress, math.Int) (math.Int, error) {
	return h.gives, nil
}

// told returns the calls since the last time.
func (h *fakeHooks) told() []string {
	calls := h.calls
	h.calls = nil
	return calls
}

// name is the readable part of a test account.
func name(a sdk.AccAddress) string {
	for i, c := range a {
		if c == '_' {
			return string(a[:i])
		}
	}
	return a.String()
}

func registrationOf(bond int64) keeper.Registration {
	return keeper.Registration{Moniker: "Carol", Kind: types.OPERATOR_KIND_CONTRIBUTOR, Bond: coin(bond)}
}
