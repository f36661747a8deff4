package keeper_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/core/store"
	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	moduletestutil "github.com/cosmos/cosmos-sdk/types/module/testutil"

	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
)

// countedStore counts what is asked of the store, each step of an iterator included.
type countedStore struct {
	store.KVStoreService
	store.KVStore
	ops *int
}

func (s countedStore) OpenKVStore(ctx context.Context) store.KVStore {
	return countedStore{KVStore: s.KVStoreService.OpenKVStore(ctx), ops: s.ops}
}

func (s countedStore) Get(key []byte) ([]byte, error) { *s.ops++; return s.KVStore.Get(key) }
func (s countedStore) Has(key []byte) (bool, error)   { *s.ops++; return s.KVStore.Has(key) }
func (s countedStore) Set(key, value []byte) error    { *s.ops++; return s.KVStore.Set(key, value) }
func (s countedStore) Delete(key []byte) error        { *s.ops++; return s.KVStore.Delete(key) }

func (s countedStore) Iterator(first, end []byte) (store.Iterator, error) {
	*s.ops++
	it, err := s.KVStore.Iterator(first, end)
	return countedIterator{it, s.ops}, err
}

type countedIterator struct {
	store.Iterator
	ops *int
}

func (i countedIterator) Next() { *i.ops++; i.Iterator.Next() }

func owner(n uint64) sdk.AccAddress { return sdk.AccAddress(fmt.Appendf(nil, "owner%015d", n)) }

// drawn is a network of n hosts that all attested the last slot, with one H100 each,
// operators of perOperator hosts, and a counter of its store operations.
func drawn(t testing.TB, n, perOperator uint64, change func(*types.ChallengeParams)) (*fixture, *int) {
	t.Helper()
	gs := challengeGenesis()
	gs.Params.SlotSeconds, gs.Params.SlotsPerDay = 3_600, 24
	change(&gs.Params.Challenge)
	slot := uint64(start.Unix()) / 3_600
	gs.NextHostId, gs.NextGpu, gs.LastClosedSlot = n+1, n, slot-1
	hash := sha256.Sum256([]byte("anchor"))
	gs.Anchors = []types.Anchor{{Slot: slot - 1, Height: 1, Hash: hash[:], Time: start}}
	bits := map[uint64]types.Bitmap{}
	for id := uint64(1); id <= n; id++ {
		gs.Hosts = append(gs.Hosts, types.Host{
			Id: id, Operator: text(owner((id - 1) / perOperator)), Status: types.HOST_STATUS_ACTIVE, Region: "DE",
			Endpoint: "https://gpu1.example.com", AgentKeys: []types.AgentKey{{PublicKey: public(agentKey(id))}},
			EncryptionKey: encryptionKey(1), FirstGpu: id - 1, Capacity: 1, GpuCount: 1, Generation: 1, RegisteredAt: start,
		})
		gs.Gpus = append(gs.Gpus, types.Gpu{HostId: id, Class: h100, Inventory: h100s(id, 1)[0]})
		bucket, position := types.Bucket(id)
		bits[bucket] = bits[bucket].Set(position)
	}
	var attested []types.SlotBitmap
	for bucket := range uint64(len(bits)) {
		attested = append(attested, types.SlotBitmap{Slot: slot - 1, Bucket: bucket, Bits: bits[bucket]})
	}
	gs.Attested = attested

	key := storetypes.NewKVStoreKey(types.StoreKey)
	db := testutil.DefaultContextWithDB(t, key, storetypes.NewTransientStoreKey("transient"))
	ctx := db.Ctx
	ops := new(int)
	f := &fixture{t: t, ctx: ctx.WithChainID(chainID).WithBlockTime(start), staking: &fakeStaking{weights: map[string]uint64{}}, hooks: &fakeHooks{}}
	f.k = keeper.NewKeeper(countedStore{KVStoreService: runtime.NewKVStoreService(key), ops: ops}, moduletestutil.MakeTestEncodingConfig().Codec, codec, gov, f.staking).
		SetHooks(f.hooks)
	f.msg = keeper.NewMsgServer(f.k)
	require.NoError(t, f.k.InitGenesis(f.ctx, gs))
	db.CMS.Commit() // an iterator over what isn't written yet costs what there is of it
	f.later(0)
	return f, ops
}

// blockOps counts the store operations of n blocks of 5 s each, and returns the most.
func (f *fixture) blockOps(ops *int, n int) (most int) {
	for range n {
		before := *ops
		f.later(5 * time.Second)
		most = max(most, *ops-before)
	}
	return most
}

// TestEachOperatorIsLookedAtOnceAPeriod: drawn for certain, every host of every
// operator is challenged once in the period, all hosts of one in the same block.
func TestEachOperatorIsLookedAtOnceAPeriod(t *testing.T) {
	const hosts, perOperator = 90, 3
	f, _ := drawn(t, hosts, perOperator, func(p *types.ChallengeParams) {
		p.DrawEveryMs, p.DrawPpm = 600_000, types.PPM
	})
	for range 120 { // 600 s
		f.later(5 * time.Second)
		seen := map[uint64]int{}
		for _, e := range f.ctx.EventManager().Events() {
			if e.Type == "grafi.attestation.v1.EventChallenged" {
				c := f.theChallenge(hostOf(t, e))
				require.Equal(t, types.CHALLENGE_REASON_DRAW, c.Reason)
				seen[(c.HostId-1)/perOperator]++
			}
		}
		for operator, n := range seen {
			require.Equal(t, perOperator, n, "operator %d: all of its hosts at once", operator)
		}
		require.LessOrEqual(t, len(seen), 1, "a thirtieth of a period in four blocks")
	}
	var want []types.HostChallenges
	for id := uint64(1); id <= hosts; id++ {
		want = append(want, types.HostChallenges{HostId: id, LastId: 1})
	}
	require.Equal(t, want, f.state().HostChallenges)
	f.sound()
}

func hostOf(t testing.TB, e sdk.Event) uint64 {
	t.Helper()
	msg, err := sdk.ParseTypedEvent(abci.Event(e))
	require.NoError(t, err)
	return msg.(*types.EventChallenged).HostId
}

// TestSilentHostsAreNotDrawn: nobody is punished twice for being off.
func TestSilentHostsAreNotDrawn(t *testing.T) {
	f, _ := drawn(t, 4, 1, func(p *types.ChallengeParams) { p.DrawEveryMs, p.DrawPpm = 1_000, types.PPM })
	f.later(2*time.Hour + 3*time.Second) // two slots closed, which nobody attested
	for range 10 {
		f.later(5 * time.Second)
	}
	require.Empty(t, f.state().HostChallenges)
}

// TestDrawCostsWhatItLooksAt: a block's store operations follow from how many
// operators it looks at and not from how many there are.
func TestDrawCostsWhatItLooksAt(t *testing.T) {
	large := uint64(2_000)
	if os.Getenv("GRAFI_LONG_TESTS") != "" {
		large = 100_000
	}
	nobody := func(every uint64) func(*types.ChallengeParams) {
		return func(p *types.ChallengeParams) { p.DrawEveryMs, p.DrawPpm = every, 0 }
	}
	idle := func(n uint64) int {
		f, ops := drawn(t, n, 1, nobody(30*86_400_000))
		return f.blockOps(ops, 3)
	}
	// One operator in a block at 10^2, as many as it owes at the larger number.
	few, many := idle(100), idle(large)
	require.LessOrEqual(t, many, few+8, "a block that looks at one at most")

	f, ops := drawn(t, large, 1, nobody(1_000)) // all of them are owed in each second
	busy := f.blockOps(ops, 5)
	require.LessOrEqual(t, busy, few+types.ChallengeBudget*3, "at most the budget is looked at")
	require.GreaterOrEqual(t, busy, types.ChallengeBudget)

	// And when all of them are drawn, a block begins no more than its budget.
	f, ops = drawn(t, large, large, func(p *types.ChallengeParams) { p.DrawEveryMs, p.DrawPpm = 1_000, types.PPM })
	before := *ops
	f.later(5 * time.Second)
	require.Equal(t, types.ChallengeBudget, len(f.ctx.EventManager().Events()), "of one operator with all hosts")
	t.Logf("idle %d and %d, looking at %d operators %d, challenging %d hosts %d operations", few, many, types.ChallengeBudget, busy, types.ChallengeBudget, *ops-before)
	f.later(0)
	require.Equal(t, types.ChallengeBudget, len(f.ctx.EventManager().Events()), "the rest carries over")
	f.sound()
}
