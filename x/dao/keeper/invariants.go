package keeper

import (
	"context"
	"fmt"
	"time"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// CheckInvariants returns the invariants that do not hold, in words. It reads
// the whole state: for tests, simulations and an operator's query.
func (k *Keeper) CheckInvariants(ctx context.Context) ([]string, error) {
	gs, err := k.ExportGenesis(ctx)
	if err != nil {
		return nil, err
	}
	var broken []string
	if err := gs.Validate(k.addressCodec); err != nil {
		broken = append(broken, err.Error())
	}
	for _, check := range []func(context.Context, *types.GenesisState) ([]string, error){
		k.accountInvariant, k.streamInvariant, k.indexInvariant, k.disputeInvariant,
	} {
		found, err := check(ctx, gs)
		if err != nil {
			return nil, err
		}
		broken = append(broken, found...)
	}
	return broken, nil
}

// accountInvariant: the module's account holds, in each denom and to the last
// unit, what is not paid of the open streams and grants, the bonds of disputes
// and jurors, and what verdicts hold.
func (k *Keeper) accountInvariant(ctx context.Context, gs *types.GenesisState) ([]string, error) {
	want := sdk.NewCoins()
	for _, s := range gs.Streams {
		want = want.Add(s.Held())
	}
	for _, g := range gs.Grants {
		want = want.Add(g.Held())
	}
	bonds := math.ZeroInt()
	for _, d := range gs.Disputes {
		bonds = bonds.Add(d.Funds())
	}
	for _, j := range gs.Jurors {
		bonds = bonds.Add(j.Bond)
	}
	if bonds.IsPositive() {
		denom, err := k.staking.StakeDenom(ctx)
		if err != nil {
			return nil, err
		}
		want = want.Add(sdk.NewCoin(denom, bonds))
	}
	have, err := k.accountBalances(ctx)
	if err != nil {
		return nil, err
	}
	if !have.Equal(want) {
		return []string{fmt.Sprintf("account %s holds %s, the records say %s", types.ModuleName, have, want)}, nil
	}
	return nil, nil
}

// accountBalances reads all pages of the module account's balances.
func (k *Keeper) accountBalances(ctx context.Context) (sdk.Coins, error) {
	address, err := k.addressCodec.BytesToString(authtypes.NewModuleAddress(types.ModuleName))
	if err != nil {
		return nil, err
	}
	req := &banktypes.QueryAllBalancesRequest{Address: address}
	have := sdk.NewCoins()
	for {
		resp, err := k.bank.AllBalances(ctx, req)
		if err != nil {
			return nil, err
		}
		have = have.Add(resp.Balances...)
		if resp.Pagination == nil || len(resp.Pagination.NextKey) == 0 {
			return have, nil
		}
		req.Pagination = &query.PageRequest{Key: resp.Pagination.NextKey}
	}
}

// streamInvariant: nobody has withdrawn what the time has not earned yet.
func (k *Keeper) streamInvariant(ctx context.Context, gs *types.GenesisState) ([]string, error) {
	var broken []string
	for _, s := range gs.Streams {
		if vested := s.Vested(now(ctx)); s.Withdrawn.GT(vested) {
			broken = append(broken, fmt.Sprintf("stream %d: %s withdrawn of %s earned", s.Id, s.Withdrawn, vested))
		}
	}
	return broken, nil
}

// indexInvariant: the pauses and the decisions are in their indexes once each.
func (k *Keeper) indexInvariant(ctx context.Context, gs *types.GenesisState) ([]string, error) {
	var broken []string
	ends := 0
	if err := k.pauses.Indexes.end.Walk(ctx, nil, func(time.Time, string) (bool, error) {
		ends++
		return false, nil
	}); err != nil {
		return nil, err
	}
	if ends != len(gs.Pauses) {
		broken = append(broken, fmt.Sprintf("%d ends of pauses for %d pauses", ends, len(gs.Pauses)))
	}
	kinds := 0
	if err := k.decisions.Indexes.kind.Walk(ctx, nil, func(int32, uint64) (bool, error) {
		kinds++
		return false, nil
	}); err != nil {
		return nil, err
	}
	if kinds != len(gs.Decisions) {
		broken = append(broken, fmt.Sprintf("%d decisions by kind for %d decisions", kinds, len(gs.Decisions)))
	}
	return broken, nil
}
