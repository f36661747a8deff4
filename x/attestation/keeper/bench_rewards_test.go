//go:build unix

package keeper_test

import (
	"context"
	"testing"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/store/v2"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	moduletestutil "github.com/cosmos/cosmos-sdk/types/module/testutil"

	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
	rewardskeeper "github.com/grafilab/grafi/x/rewards/keeper"
	rewards "github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// stakeOfAll is what x/rewards asks of stake: every operator has what it needs.
type stakeOfAll struct{ rewards.StakingKeeper }

func (stakeOfAll) Operator(context.Context, sdk.AccAddress) (stakingext.Operator, error) {
	return stakingext.Operator{Kind: stakingext.OPERATOR_KIND_DATACENTER}, nil
}

func (stakeOfAll) StakeDenom(context.Context) (string, error) { return "ugrafi", nil }

func (stakeOfAll) StakeOf(context.Context, sdk.AccAddress) (counted, requirement math.Int, err error) {
	return math.NewInt(400), math.NewInt(200), nil
}

// noMoney is what x/rewards asks of the bank before its first day is closed.
type noMoney struct{ rewards.BankKeeper }

func (noMoney) GetAllBalances(context.Context, sdk.AccAddress) sdk.Coins { return nil }

// rewardsFixture is a network with x/rewards connected.
type rewardsFixture struct {
	*fixture
	mining *rewardskeeper.Keeper
}

// withRewards connects x/rewards to a network, on a store of its own in the same
// multi-store, and starts its days.
func withRewards(tb testing.TB) rewardsFixture {
	tb.Helper()
	own, others := storetypes.NewKVStoreKey(types.StoreKey), storetypes.NewKVStoreKey(rewards.StoreKey)
	stores := store.NewCommitMultiStore(dbm.NewMemDB(), log.NewNopLogger())
	for _, key := range []storetypes.StoreKey{own, others} {
		stores.MountStoreWithDB(key, storetypes.StoreTypeIAVL, nil)
	}
	require.NoError(tb, stores.LoadLatestVersion())
	ctx := sdk.NewContext(stores, cmtproto.Header{}, false, log.NewNopLogger())
	f := &fixture{
		t: tb, ctx: ctx.WithChainID(chainID), commit: func() { stores.Commit() },
		staking: &fakeStaking{operators: map[string]bool{string(operator): true}, weights: map[string]uint64{}},
	}
	enc := moduletestutil.MakeTestEncodingConfig()
	f.k = keeper.NewKeeper(runtime.NewKVStoreService(own), enc.Codec, codec, gov, f.staking)
	mining := rewardskeeper.NewKeeper(runtime.NewKVStoreService(others), enc.Codec, codec, gov, noMoney{}, stakeOfAll{}, f.k)
	f.k.SetHooks(mining.AttestationHooks())
	f.msg = keeper.NewMsgServer(f.k)
	require.NoError(tb, f.k.InitGenesis(f.ctx, genesis()))
	gs, day := rewards.DefaultGenesis(), uint64(startSlot/144)
	gs.Mining.FirstDay, gs.Mining.NextClose, gs.Mining.NextExpire, gs.Mining.NextPrune = day, day, day, day
	rules := &gs.Params.Rules // everybody has a weight
	rules.MinTrustTier, rules.UnchallengedPerformancePpm, rules.UnprobedConnectionPpm = 0, rewards.PPM, rewards.PPM
	require.NoError(tb, mining.InitGenesis(f.ctx, *gs))
	f.at(start)
	return rewardsFixture{f, mining}
}

// BenchmarkBatch1024WithRewards is BenchmarkBatch1024 with x/rewards connected: all
// 8,192 GPUs have their weight for the day, as in all slots of a day but the first.
// Goal: at most 1.25 with warm keys.
func BenchmarkBatch1024WithRewards(b *testing.B) {
	bb := newBenchBatchOn(b, withRewards(b).fixture, 1024)
	_, err := bb.f.submit(bb.group)
	require.NoError(b, err)
	bb.f.commit()
	bb.slot(b, startSlot+1)
	bb.compare(b, "warm")
}

// BenchmarkBatch1024FirstOfDay is the first message of a day, in which every weight is
// frozen: once in 144 slots.
func BenchmarkBatch1024FirstOfDay(b *testing.B) {
	bb := newBenchBatchOn(b, withRewards(b).fixture, 1024)
	bb.compare(b, "first_of_day")
}

// compare measures the message against the raw batch verification, in one loop.
func (bb *benchBatch) compare(b *testing.B, name string) {
	b.Helper()
	expanded := bb.expand(b)
	bb.submit(b) // fills the key cache
	msg, raw := times{}, times{}
	for b.Loop() {
		msg.add(bb.submit(b))
		raw.add(bb.raw(b, expanded))
	}
	report(b, name, msg, raw)
	b.ReportMetric(msg.median()/1024, "µs/attestation")
}

// slot replaces the message by one for another slot.
func (bb *benchBatch) slot(b *testing.B, slot uint64) {
	b.Helper()
	bb.f.slot(slot + 1)
	bb.f.commit()
	bb.sign(b, slot)
}

// TestRewardsFollowTheSlots: the real hook on the real counters, with late slots, a GPU
// that was down, and an equivocation.
func TestRewardsFollowTheSlots(t *testing.T) {
	f := withRewards(t)
	for range 3 {
		f.register(2)
	}
	f.attestAll(startSlot, 3)
	f.attestAll(startSlot+1, 2)
	f.mustSubmit(f.group(startSlot+1, f.attest(agentKey(3), 3, startSlot+1, types.Attestation{Down: []byte{1}})))
	_, err := f.msg.SubmitEquivocation(f.ctx, contradiction(t, agentKey(1), agentKey(1), startSlot))
	require.NoError(t, err)
	f.attestAll(startSlot+2, 3)

	const weight = 12_071_060 // H100 with twice the stake it needs
	for host, want := range map[uint64][]rewards.GpuDay{
		2: {{Ordinal: 0, WeightPpm: weight, Slots: 3}, {Ordinal: 1, WeightPpm: weight, Slots: 3}},
		1: {{Ordinal: 0, Slots: 3, Struck: true}, {Ordinal: 1, Slots: 3, Struck: true}},
		3: {{Ordinal: 0, WeightPpm: weight, Slots: 2}, {Ordinal: 1, WeightPpm: weight, Slots: 3}},
	} {
		got, err := f.mining.HostDay(f.ctx, startSlot/144, host)
		require.NoError(t, err)
		for i := range want {
			want[i].Reward = math.ZeroInt()
		}
		require.Equal(t, want, got.Gpus, "host %d", host)
	}
	broken, err := f.mining.CheckInvariants(f.ctx)
	require.NoError(t, err)
	require.Empty(t, broken, "the histograms are the weights by slots")
}
