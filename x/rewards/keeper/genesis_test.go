package keeper_test

import (
	"math/big"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec/address"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// fullGenesis fills each field, so that the round trip proves something about it.
// The rewards account holds 100 − 40 + 50 − 0 of the closed day, 7 + 8 carried over
// and 30 − 10 in escrow: 145. The stakers' account holds 20 unsettled and 5 + 9
// claimable.
func fullGenesis() types.GenesisState {
	n := math.NewInt
	closedAt := begin.Add(30 * time.Hour)
	rules := types.DefaultRules()
	rules.OperatorCapPpm = 123_456
	pool := func(kind stakingext.OperatorKind, pool, paid int64) types.KindDay {
		return types.KindDay{
			Kind: kind, Emission: n(pool), Carry: n(1), WeightedUptime: n(77), Pool: n(pool), Rho: n(88), Paid: n(paid),
		}
	}
	open := types.Day{
		Day: 12, Status: types.DAY_STATUS_OPEN, Rules: types.DefaultRules(), OperatorCap: n(0),
		Datacenter: pool(stakingext.OPERATOR_KIND_DATACENTER, 0, 0), Contributor: pool(stakingext.OPERATOR_KIND_CONTRIBUTOR, 0, 0),
	}
	closed := types.Day{
		Day: 11, Status: types.DAY_STATUS_CLOSED, Rules: rules, ClosedAt: &closedAt, OperatorCap: n(40),
		Datacenter: pool(stakingext.OPERATOR_KIND_DATACENTER, 100, 40), Contributor: pool(stakingext.OPERATOR_KIND_CONTRIBUTOR, 50, 0),
	}
	expired := closed
	expired.Day, expired.Status = 10, types.DAY_STATUS_EXPIRED
	params := types.DefaultParams()
	params.ClaimDays, params.LiquidPpm = 17, 333_333
	scaled := math.NewIntFromBigInt(new(big.Int).Lsh(big.NewInt(20), 96)) // all 20 are the remainder: nobody has shares
	return types.GenesisState{
		Params: params,
		Mining: types.Mining{
			FirstDay: 3, NextClose: 12, NextExpire: 11, NextPrune: 10, Minted: n(9_999),
			DatacenterCarry: n(7), ContributorCarry: n(8), DatacenterRho: n(5), ContributorRho: n(6),
		},
		Days: []types.Day{expired, closed, open},
		Histograms: []types.Histogram{
			{Day: 11, Kind: stakingext.OPERATOR_KIND_CONTRIBUTOR, Weights: []uint64{0, 5, 1 << 60}},
			{Day: 12, Kind: stakingext.OPERATOR_KIND_DATACENTER, Weights: []uint64{9}},
		},
		Buckets: []types.BucketDay{
			{Day: 10, Bucket: 3, Claimed: []byte{1}}, // half pruned
			{Day: 11, Bucket: 0, Weights: []byte{1, 2, 3, 4, 5, 6, 7, 8}, Factors: make([]byte, 12), Claimed: []byte{1}},
			{Day: 12, Bucket: 2, Weights: make([]byte, 16), Factors: make([]byte, 24)},
		},
		OperatorDays: []types.OperatorDay{{
			Day: 11, Operator: olga.String(), Kind: stakingext.OPERATOR_KIND_DATACENTER, Stake: n(4), Requirement: n(3), Paid: n(40),
		}},
		Snapshots: []types.StakeSnapshot{{Operator: olga.String(), Day: 12, Stake: n(4), Requirement: n(2)}},
		Rented:    []types.RentedDay{{Day: 11, Gpu: 4_097, Seconds: 60, Fees: n(5), Used: true, Rho: n(2), Gain: n(4)}},
		Tranches: []types.Tranche{{
			Operator: olga.String(), Day: 11, Amount: n(30), Paid: n(10), StartsAt: begin, EndsAt: begin.Add(oneDay),
		}},
		Pools: []types.StakerPool{{Operator: olga.String(), Denom: denom, PerShare: n(6), Remainder: scaled, Unsettled: n(20)}},
		Stakers: []types.Staker{
			{Delegator: ann.String(), Operator: olga.String(), Claimable: sdk.NewCoins(ugrafi(5)), Marks: []types.Mark{{Denom: denom, PerShare: n(6)}}},
			{Delegator: olga.String(), Operator: olga.String(), Claimable: sdk.NewCoins(sdk.NewInt64Coin(foreign, 9))},
		},
		Stream: &types.Stream{
			StartsAt: begin, EndsAt: begin.Add(oneDay), Total: n(100), Minted: n(5), LastMintedAt: begin.Add(time.Minute + 5),
		},
	}
}

func newFullFixture(t *testing.T) *stakeFixture {
	t.Helper()
	f := newBareFixture(t)
	f.fund(t, types.ModuleName, ugrafi(145))
	f.fund(t, types.StakersAccount, ugrafi(25), sdk.NewInt64Coin(foreign, 9))
	return f
}

func TestGenesisRoundTrip(t *testing.T) {
	f := newFullFixture(t)
	require.NoError(t, f.k.InitGenesis(f.ctx, fullGenesis()))
	require.Equal(t, f.text(t, fullGenesis()), f.text(t, f.export(t)))
	require.Equal(t, f.text(t, *types.DefaultGenesis()), f.text(t, newStakeFixture(t).export(t)), "the default one")
}

func TestBadGenesis(t *testing.T) {
	n := math.NewInt
	for name, tc := range map[string]struct {
		spoil func(gs *types.GenesisState)
		want  string
	}{
		"params":               {func(gs *types.GenesisState) { gs.Params.LiquidPpm = types.PPM + 1 }, "liquid_ppm"},
		"carry below zero":     {func(gs *types.GenesisState) { gs.Mining.DatacenterCarry = n(-1) }, "carry"},
		"no minted":            {func(gs *types.GenesisState) { gs.Mining.Minted = math.Int{} }, "minted"},
		"rho below zero":       {func(gs *types.GenesisState) { gs.Mining.ContributorRho = n(-1) }, "rho"},
		"days out of order":    {func(gs *types.GenesisState) { gs.Mining.NextPrune = 99 }, "next to prune is day 99"},
		"a day twice":          {func(gs *types.GenesisState) { gs.Days[1].Day = 10 }, "day 10 twice"},
		"a day without status": {func(gs *types.GenesisState) { gs.Days[0].Status = 0 }, "status"},
		"an unknown status":    {func(gs *types.GenesisState) { gs.Days[0].Status = 9 }, "status"},
		"closed and no time":   {func(gs *types.GenesisState) { gs.Days[1].ClosedAt = nil }, "closed_at"},
		"a day's rules":        {func(gs *types.GenesisState) { gs.Days[1].Rules.MaxMbps = 0 }, "day 11"},
		"a day's cap":          {func(gs *types.GenesisState) { gs.Days[1].OperatorCap = n(-1) }, "operator_cap"},
		"pools exchanged": {func(gs *types.GenesisState) {
			d := &gs.Days[1]
			d.Datacenter, d.Contributor = d.Contributor, d.Datacenter
		}, "in the place of"},
		"paid more than the pool":      {func(gs *types.GenesisState) { gs.Days[1].Contributor.Paid = n(51) }, "paid 51"},
		"a pool over its money":        {func(gs *types.GenesisState) { gs.Days[1].Contributor.Pool = n(52) }, "of 52"},
		"a pool without a number":      {func(gs *types.GenesisState) { gs.Days[1].Contributor.Rho = math.Int{} }, "unset"},
		"a histogram of no day":        {func(gs *types.GenesisState) { gs.Histograms[0].Day = 1 }, "histogram of day 1"},
		"an empty histogram":           {func(gs *types.GenesisState) { gs.Histograms[0].Weights = nil }, "histogram"},
		"a histogram of no kind":       {func(gs *types.GenesisState) { gs.Histograms[0].Kind = 0 }, "histogram"},
		"a bucket of no day":           {func(gs *types.GenesisState) { gs.Buckets[0].Day = 1 }, "bucket 3 of day 1"},
		"a bucket twice":               {func(gs *types.GenesisState) { gs.Buckets[1] = gs.Buckets[2] }, "twice"},
		"a bucket that is too long":    {func(gs *types.GenesisState) { gs.Buckets[1].Claimed = make([]byte, 513) }, "513"},
		"rent twice":                   {func(gs *types.GenesisState) { gs.Rented = append(gs.Rented, gs.Rented[0]) }, "rented"},
		"rent without fees":            {func(gs *types.GenesisState) { gs.Rented[0].Fees = math.Int{} }, "rented"},
		"an operator's day of no day":  {func(gs *types.GenesisState) { gs.OperatorDays[0].Day = 1 }, "day 1 of operator"},
		"an operator's day of nobody":  {func(gs *types.GenesisState) { gs.OperatorDays[0].Operator = "x" }, `operator "x"`},
		"an operator's day of no kind": {func(gs *types.GenesisState) { gs.OperatorDays[0].Kind = 0 }, "kind"},
		"a snapshot of nobody":         {func(gs *types.GenesisState) { gs.Snapshots[0].Operator = "" }, "operator"},
		"a snapshot twice":             {func(gs *types.GenesisState) { gs.Snapshots = append(gs.Snapshots, gs.Snapshots[0]) }, "once"},
		"a tranche of nobody":          {func(gs *types.GenesisState) { gs.Tranches[0].Operator = "x" }, "tranche of"},
		"a tranche twice":              {func(gs *types.GenesisState) { gs.Tranches = append(gs.Tranches, gs.Tranches[0]) }, "twice"},
		"a tranche that is empty":      {func(gs *types.GenesisState) { gs.Tranches[0].Paid = n(30) }, "paid 30 of 30"},
		"a tranche below zero":         {func(gs *types.GenesisState) { gs.Tranches[0].Paid = n(-1) }, "paid -1"},
		"a tranche backwards":          {func(gs *types.GenesisState) { gs.Tranches[0].EndsAt = begin.Add(-time.Second) }, "in this order"},
		"a tranche in mid-second":      {func(gs *types.GenesisState) { gs.Tranches[0].StartsAt = begin.Add(1) }, "whole seconds"},
		"a pool of nobody":             {func(gs *types.GenesisState) { gs.Pools[0].Operator = "x" }, "pool of"},
		"a pool of no denom":           {func(gs *types.GenesisState) { gs.Pools[0].Denom = "!" }, "invalid denom"},
		"a pool twice":                 {func(gs *types.GenesisState) { gs.Pools = append(gs.Pools, gs.Pools[0]) }, "twice"},
		"a pool below zero":            {func(gs *types.GenesisState) { gs.Pools[0].PerShare = n(-1) }, "per_share -1"},
		"a pool that owes too much":    {func(gs *types.GenesisState) { gs.Pools[0].Unsettled = n(19) }, "only 19 unsettled"},
		"a staker of nobody":           {func(gs *types.GenesisState) { gs.Stakers[0].Delegator = "x" }, "staker"},
		"a staker of no operator":      {func(gs *types.GenesisState) { gs.Stakers[0].Operator = "x" }, "operator"},
		"a staker twice":               {func(gs *types.GenesisState) { gs.Stakers[1] = gs.Stakers[0] }, "twice"},
		"a staker with nothing":        {func(gs *types.GenesisState) { gs.Stakers[1].Claimable = nil }, "neither a mark"},
		"a staker of bad coins":        {func(gs *types.GenesisState) { gs.Stakers[0].Claimable = sdk.Coins{ugrafi(0)} }, "staker"},
		"a mark of no pool":            {func(gs *types.GenesisState) { gs.Stakers[0].Marks[0].Denom = foreign }, "mark of"},
		"a mark twice":                 {func(gs *types.GenesisState) { m := &gs.Stakers[0].Marks; *m = append(*m, (*m)[0]) }, "ascending"},
		"a mark ahead of the pool":     {func(gs *types.GenesisState) { gs.Stakers[0].Marks[0].PerShare = n(7) }, "want 0 to 6"},
		"a stream over its total":      {func(gs *types.GenesisState) { gs.Stream.Minted = n(101) }, "minted 101 of 100"},
		"a stream backwards":           {func(gs *types.GenesisState) { gs.Stream.EndsAt = begin.Add(-time.Second) }, "in this order"},
		// What only the accounts tell:
		"a carry that nobody paid":  {func(gs *types.GenesisState) { gs.Mining.ContributorCarry = n(9) }, "rewards account holds"},
		"an escrow that is short":   {func(gs *types.GenesisState) { gs.Tranches[0].Amount = n(31) }, "rewards account holds"},
		"claims that are short":     {func(gs *types.GenesisState) { gs.Stakers[0].Claimable[0].Amount = n(6) }, "stakers' account holds"},
		"a pool with nobody's part": {func(gs *types.GenesisState) { gs.Pools[0].Remainder = n(0) }, "is nobody's"},
		"operators that got less":   {func(gs *types.GenesisState) { gs.OperatorDays[0].Paid = n(39) }, "its operators got 39"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFullFixture(t)
			gs := fullGenesis()
			tc.spoil(&gs)

			err := f.k.InitGenesis(f.ctx, gs)

			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestDefaultGenesisIsValid(t *testing.T) {
	require.NoError(t, types.DefaultGenesis().Validate(address.NewBech32Codec(chaininfo.Bech32Prefix)))
}

func TestUpdateParams(t *testing.T) {
	params := types.DefaultParams()
	params.LiquidPpm = 1
	bad := params
	bad.ReleaseTime = 0
	for name, tc := range map[string]struct {
		authority string
		params    types.Params
		want      string
	}{
		"governance":     {authority: gov.String(), params: params},
		"somebody else":  {authority: ann.String(), params: params, want: "invalid authority"},
		"nobody":         {authority: "", params: params, want: "invalid authority"},
		"invalid params": {authority: gov.String(), params: bad, want: "release_time"},
		"empty params":   {authority: gov.String(), params: types.Params{}, want: "invalid params"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newStakeFixture(t)
			want := f.export(t)

			_, err := deliver(f, f.msgs.UpdateParams, &types.MsgUpdateParams{Authority: tc.authority, Params: tc.params})

			if tc.want != "" {
				require.ErrorContains(t, err, tc.want)
				f.requireEvents(t)
			} else {
				require.NoError(t, err)
				want.Params = tc.params
				f.requireEvents(t, &types.EventParamsUpdated{Authority: gov.String()})
			}
			require.Equal(t, f.text(t, want), f.text(t, f.export(t)))
			resp, err := f.queries.Params(f.ctx, nil)
			require.NoError(t, err)
			require.Equal(t, want.Params, resp.Params)
		})
	}
}
