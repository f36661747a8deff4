package keeper_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	minttypes "github.com/cosmos/cosmos-sdk/x/mint/types"

	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/x/rewards/types"
)

// block runs the beginning of a block at this time after the first one.
func (f *stakeFixture) block(t *testing.T, after time.Duration) {
	t.Helper()
	f.at(begin.Add(after))
	require.NoError(t, f.k.PayStream(f.ctx))
}

func (f *stakeFixture) validators() int64 { return f.moduleBalance(authtypes.FeeCollectorName) }

// TestStream is the table of the README.
func TestStream(t *testing.T) {
	f := newStakeFixture(t)
	resp, err := f.queries.ValidatorStream(f.ctx, &types.QueryValidatorStreamRequest{})
	require.NoError(t, err)
	require.Equal(t, types.QueryValidatorStreamResponse{Due: math.ZeroInt()}, *resp)

	for _, tc := range []struct {
		after time.Duration
		want  int64 // in sum
	}{
		{0, 0}, {59 * time.Second, 0}, {time.Minute, 72_916_666}, {61 * time.Second, 72_916_666},
		{2*time.Minute - time.Nanosecond, 72_916_666}, {2 * time.Minute, 145_833_333}, {time.Hour, 4_375_000_000},
		{oneDay, 105_000_000_000}, {3_000*oneDay - time.Second, 314_999_998_784_722},
		{3_000 * oneDay, 315_000_000_000_000}, {3_000*oneDay + time.Second, 315_000_000_000_000}, {4_000 * oneDay, 315_000_000_000_000},
	} {
		before := f.validators()
		f.block(t, tc.after)
		require.Equal(t, tc.want, f.validators(), "after %s", tc.after)
		if paid := tc.want - before; paid > 0 {
			f.requireEvents(t, &types.EventStreamMinted{Amount: ugrafi(paid), Minted: math.NewInt(tc.want)})
		} else {
			f.requireEvents(t)
		}
		f.requireInvariants(t)
	}
	require.Equal(t, types.Stream{
		StartsAt: begin, EndsAt: begin.Add(3_000 * oneDay), LastMintedAt: begin.Add(3_000 * oneDay),
		Total: math.NewInt(315_000_000_000_000), Minted: math.NewInt(315_000_000_000_000),
	}, *f.export(t).Stream)
	require.Zero(t, f.moduleBalance(types.ModuleName))
}

// TestStreamBeginsWithTheFirstBlock: part of a second is not counted, and its own
// line doesn't follow the params.
func TestStreamBeginsWithTheFirstBlock(t *testing.T) {
	f := newStakeFixture(t)
	f.block(t, 1_900*time.Millisecond)
	gs := f.export(t)
	require.Equal(t, begin.Add(time.Second), gs.Stream.StartsAt)

	params := gs.Params
	params.ValidatorSupply, params.ValidatorTime = math.NewInt(1), time.Hour
	require.NoError(t, f.k.UpdateParams(f.ctx, gov.String(), params))
	f.block(t, oneDay+time.Second)
	require.Equal(t, int64(105_000_000_000), f.validators())
	resp, err := f.queries.ValidatorStream(f.ctx, &types.QueryValidatorStreamRequest{})
	require.NoError(t, err)
	require.Equal(t, math.ZeroInt(), resp.Due)
	f.after(time.Second)
	resp, err = f.queries.ValidatorStream(f.ctx, &types.QueryValidatorStreamRequest{})
	require.NoError(t, err)
	require.Equal(t, int64(1_215_277), resp.Due.Int64(), "a second's part, whatever the interval")
}

// TestStreamStaysUnderTheCap: what the cap leaves is minted, the rest when
// something was burned; a block never fails.
func TestStreamStaysUnderTheCap(t *testing.T) {
	f := newStakeFixture(t)
	f.fund(t, "stakingext", ugrafi(chaininfo.SupplyCap-50_000_000))
	f.block(t, 0)
	f.block(t, time.Minute)
	require.Equal(t, int64(50_000_000), f.validators())
	require.Equal(t, chaininfo.SupplyCap, f.bank.GetSupply(f.ctx, denom).Amount.Int64())
	f.block(t, 2*time.Minute)
	require.Equal(t, int64(50_000_000), f.validators())
	f.requireEvents(t)

	require.NoError(t, f.bank.BurnCoins(f.ctx, "stakingext", sdk.NewCoins(ugrafi(1_000_000_000))))
	f.block(t, 3*time.Minute)
	require.Equal(t, int64(218_750_000), f.validators(), "3 minutes in sum")
	require.Equal(t, int64(218_750_000), f.export(t).Stream.Minted.Int64())
}

func TestMint(t *testing.T) {
	for name, tc := range map[string]struct{ supply, ask, want int64 }{
		"room for all":      {supply: 0, ask: 5, want: 5},
		"just fits":         {supply: chaininfo.SupplyCap - 5, ask: 5, want: 5},
		"room for a part":   {supply: chaininfo.SupplyCap - 4, ask: 5, want: 4},
		"no room":           {supply: chaininfo.SupplyCap, ask: 5, want: 0},
		"over it already":   {supply: chaininfo.SupplyCap + 9, ask: 5, want: 0},
		"nothing":           {supply: 0, ask: 0, want: 0},
		"less than nothing": {supply: 0, ask: -5, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newStakeFixture(t)
			if tc.supply > 0 {
				require.NoError(t, f.bank.MintCoins(f.ctx, minttypes.ModuleName, sdk.NewCoins(ugrafi(tc.supply))))
			}
			got, err := f.k.Mint(f.ctx, math.NewInt(tc.ask))
			require.NoError(t, err)
			require.Equal(t, tc.want, got.Int64())
			require.Equal(t, tc.want, f.moduleBalance(types.ModuleName))
		})
	}
}

// TestFractionsOfASecondDoNotCount: whatever the params say, what is written down
// can be exported and started from.
func TestFractionsOfASecondDoNotCount(t *testing.T) {
	f := newStakeFixture(t)
	f.staking.register(olga, 1_000, 0)
	params := types.DefaultParams()
	params.ReleaseTime, params.ValidatorTime = 90*time.Second+1, 90*time.Second+1
	require.NoError(t, f.k.UpdateParams(f.ctx, gov.String(), params))
	f.block(t, time.Millisecond)
	f.mine(t, olga, 400)

	gs := f.export(t)
	require.Equal(t, begin.Add(90*time.Second), gs.Stream.EndsAt)
	require.Equal(t, begin.Add(oneDay+90*time.Second), gs.Tranches[0].EndsAt)
	require.NoError(t, f.k.InitGenesis(f.ctx, gs))
}
