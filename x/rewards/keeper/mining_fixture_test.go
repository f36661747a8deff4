package keeper_test

import (
	"context"
	"time"

	"cosmossdk.io/core/store"
	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil/integration"
	sdk "github.com/cosmos/cosmos-sdk/types"
	moduletestutil "github.com/cosmos/cosmos-sdk/types/module/testutil"
	"github.com/cosmos/cosmos-sdk/x/auth"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/bank"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	minttypes "github.com/cosmos/cosmos-sdk/x/mint/types"

	"github.com/grafilab/grafi/internal/chaininfo"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/rewards/keeper"
	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

const (
	// today is the day that begins with the fixture's first block: the first with a pool.
	today       = 20_454
	h100, rtx   = "nvidia-h100-80gb-sxm", "nvidia-rtx-4090"
	perDay      = 144
	contributor = stakingext.OPERATOR_KIND_CONTRIBUTOR
	datacenter  = stakingext.OPERATOR_KIND_DATACENTER
)

type stakeKind = stakingext.OperatorKind

// hosts is the part of x/attestation that mining reads: hosts with GPUs of one
// class, their day counters, and a closing block at the end of each slot, unless a
// test says when.
type hosts struct {
	params   attestation.Params
	hosts    map[uint64]attestation.Host
	classes  map[uint64]string // by host
	weights  map[string]uint64 // by class
	counters map[[2]uint64]attestation.Counts
	closed   map[uint64]time.Time
	pruned   uint64 // slots up to this one
	proofs   attestation.Proofs
	probed   attestation.Connection // Day is the number of days before the one that is asked for
	results  attestation.GPUFacts
	memory   uint64 // MiB
	now      func() time.Time
}

func (h *hosts) Params(context.Context) (attestation.Params, error) { return h.params, nil }

func (h *hosts) Host(_ context.Context, id uint64) (attestation.Host, error) {
	host, ok := h.hosts[id]
	if !ok {
		return attestation.Host{}, attestation.ErrHostNotFound.Wrapf("id %d", id)
	}
	return host, nil
}

// HostFacts says the same of every GPU of every host.
func (h *hosts) HostFacts(ctx context.Context, id, day uint64) (attestation.HostFacts, error) {
	host, err := h.Host(ctx, id)
	facts := attestation.HostFacts{Host: host, GPUs: make([]attestation.GPUFacts, host.GpuCount)}
	if h.probed.Day > 0 {
		facts.Connection = h.probed
		facts.Connection.Day = day - h.probed.Day
	}
	for i := range facts.GPUs {
		facts.GPUs[i] = h.results
		facts.GPUs[i].Proofs = h.proofs
		facts.GPUs[i].Gpu = attestation.Gpu{
			HostId: id, Ordinal: uint32(i), Class: h.classes[id], Inventory: attestation.GpuInventory{MemoryMib: h.memory},
		}
	}
	return facts, err
}

// unproven forgets every challenge and probe.
func (h *hosts) unproven() { h.probed, h.results = attestation.Connection{}, attestation.GPUFacts{} }

func (h *hosts) ClassWeight(_ context.Context, class string) (uint64, error) {
	return h.weights[class], nil
}

func (h *hosts) SlotsUp(_ context.Context, day, bucket uint64) (attestation.Counts, error) {
	return h.counters[[2]uint64{day, bucket}], nil
}

func (h *hosts) Anchor(_ context.Context, slot uint64) (attestation.Anchor, error) {
	at, ok := h.closed[slot]
	if !ok {
		at = h.params.SlotStart(slot + 1)
	}
	switch {
	case slot <= h.pruned:
		return attestation.Anchor{}, attestation.ErrSlotPruned.Wrapf("slot %d", slot)
	case at.After(h.now()):
		return attestation.Anchor{}, attestation.ErrSlotOpen.Wrapf("slot %d", slot)
	}
	return attestation.Anchor{Slot: slot, Time: at}, nil
}

// mineFixture is x/rewards on a real x/bank, with hosts and stake of tests.
type mineFixture struct {
	t       testingT
	ctx     sdk.Context
	k       *keeper.Keeper
	bank    bankkeeper.BaseKeeper
	staking *poolStaking
	hosts   *hosts
	store   *countingService
	msgs    types.MsgServer
	queries types.QueryServer
}

// countingService counts what the module asks of its store.
type countingService struct {
	store.KVStoreService
	reads, writes, iterators int
}

func (s *countingService) OpenKVStore(ctx context.Context) store.KVStore {
	return &countingStore{s.KVStoreService.OpenKVStore(ctx), s}
}

type countingStore struct {
	store.KVStore
	s *countingService
}

func (c *countingStore) Get(key []byte) ([]byte, error) { c.s.reads++; return c.KVStore.Get(key) }
func (c *countingStore) Has(key []byte) (bool, error)   { c.s.reads++; return c.KVStore.Has(key) }
func (c *countingStore) Set(key, value []byte) error    { c.s.writes++; return c.KVStore.Set(key, value) }
func (c *countingStore) Delete(key []byte) error        { c.s.writes++; return c.KVStore.Delete(key) }
func (c *countingStore) Iterator(start, end []byte) (store.Iterator, error) {
	c.s.iterators++
	return c.KVStore.Iterator(start, end)
}

// newMineFixture has had its first block at the first second of the first day.
func newMineFixture(t testingT) *mineFixture {
	t.Helper()
	f := newBareMineFixture(t)
	require.NoError(t, f.k.InitGenesis(f.ctx, *types.DefaultGenesis()))
	f.block(begin)
	return f
}

func newBareMineFixture(t testingT) *mineFixture {
	t.Helper()
	f := &mineFixture{t: t, staking: newPoolStaking()}
	f.hosts = &hosts{
		params: attestation.DefaultParams(), hosts: map[uint64]attestation.Host{}, classes: map[uint64]string{},
		weights: map[string]uint64{h100: 10_000_000, rtx: 2_500_000}, counters: map[[2]uint64]attestation.Counts{},
		closed: map[uint64]time.Time{}, now: func() time.Time { return f.ctx.BlockTime() },
		// T1 with C and P of one: 500 Mbit/s of 208, 24 challenges of 24.
		proofs: attestation.Proofs{Compute: true}, memory: 81_559,
		probed:  attestation.Connection{Day: 1, UpMbps: 600, DownMbps: 500, Operators: 3},
		results: attestation.GPUFacts{Challenged: true, Passed: 24},
	}
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, types.StoreKey)
	logger := log.NewNopLogger()
	f.ctx = sdk.NewContext(integration.CreateMultiStore(keys, logger), cmtproto.Header{}, false, logger).WithBlockTime(begin)
	cdc := moduletestutil.MakeTestEncodingConfig(auth.AppModuleBasic{}, bank.AppModuleBasic{}).Codec
	addresses := address.NewBech32Codec(chaininfo.Bech32Prefix)
	accounts := authkeeper.NewAccountKeeper(cdc, runtime.NewKVStoreService(keys[authtypes.StoreKey]),
		authtypes.ProtoBaseAccount, map[string][]string{
			minttypes.ModuleName: {authtypes.Minter}, authtypes.FeeCollectorName: nil, types.ModuleName: {authtypes.Minter},
			types.StakersAccount: nil, stakingext.ModuleName: {authtypes.Burner},
		}, addresses, chaininfo.Bech32Prefix, gov.String())
	f.bank = bankkeeper.NewBaseKeeper(cdc, runtime.NewKVStoreService(keys[banktypes.StoreKey]), accounts,
		map[string]bool{}, gov.String(), logger)
	require.NoError(t, f.bank.SetParams(f.ctx, banktypes.DefaultParams()))
	f.store = &countingService{KVStoreService: runtime.NewKVStoreService(keys[types.StoreKey])}
	f.k = keeper.NewKeeper(f.store, cdc, addresses, gov, f.bank, f.staking, f.hosts)
	f.staking.hooks = f.k.StakingHooks()
	f.msgs, f.queries = keeper.NewMsgServer(f.k), keeper.NewQueryServer(f.k)
	return f
}

// at moves the block time and forgets the events so far.
func (f *mineFixture) at(now time.Time) {
	f.ctx = f.ctx.WithBlockTime(now).WithEventManager(sdk.NewEventManager())
}

// block is a whole block without messages.
func (f *mineFixture) block(now time.Time) {
	f.t.Helper()
	f.at(now)
	require.NoError(f.t, f.k.EndBlock(f.ctx))
}

// operator registers one with this stake and requirement, in GRAFI.
func (f *mineFixture) operator(account sdk.AccAddress, kind stakingext.OperatorKind, stake, requirement int64) {
	f.staking.register(account, stake*grafi, 0)
	o := f.staking.operators[string(account)]
	o.Kind, o.Requirement = kind, math.NewInt(requirement*grafi)
}

// host adds a host with n GPUs of the class; its GPUs follow those of the last one.
func (f *mineFixture) host(owner sdk.AccAddress, class string, n uint32) uint64 {
	id := uint64(len(f.hosts.hosts) + 1)
	first := uint64(0)
	if last, ok := f.hosts.hosts[id-1]; ok {
		first = last.FirstGpu + uint64(last.Capacity)
	}
	first, _ = attestation.PlaceGPUs(first, n)
	f.hosts.hosts[id] = attestation.Host{Id: id, Operator: owner.String(), FirstGpu: first, Capacity: n, GpuCount: n}
	f.hosts.classes[id] = class
	return id
}

// attest counts one slot of the day for the GPUs of a host that were up; none given
// means all.
func (f *mineFixture) attest(day, hostID uint64, up ...uint32) {
	f.t.Helper()
	host := f.hosts.hosts[hostID]
	if len(up) == 0 {
		for i := range host.Capacity {
			up = append(up, i)
		}
	}
	number, position := attestation.Bucket(host.FirstGpu)
	key := [2]uint64{day, number}
	counted := attestation.CountedHost{HostID: hostID, FirstGPU: host.FirstGpu, Counts: make([]uint8, host.Capacity)}
	for _, i := range up {
		f.hosts.counters[key] = f.hosts.counters[key].Add(position + uint64(i))
		counted.Counts[i] = uint8(f.hosts.counters[key].Get(position + uint64(i)))
	}
	require.NoError(f.t, f.k.AttestationHooks().AfterSlotsCounted(f.ctx, day, []attestation.CountedHost{counted}))
}

// slots counts n slots of the day for all GPUs of the host.
func (f *mineFixture) slots(day, hostID uint64, n int) {
	f.t.Helper()
	for range n {
		f.attest(day, hostID)
	}
}

// dayStart is the first second of a day.
func dayStart(day uint64) time.Time { return begin.Add(time.Duration(day-today) * oneDay) }

// close makes the block that closes the day.
func (f *mineFixture) close(day uint64) types.Day {
	f.t.Helper()
	f.block(dayStart(day + 1).Add(types.DefaultParams().EvidenceWindow))
	return f.day(day)
}

func (f *mineFixture) day(day uint64) types.Day {
	f.t.Helper()
	resp, err := f.queries.Day(f.ctx, &types.QueryDayRequest{Day: day})
	require.NoError(f.t, err)
	return resp.Day
}

func (f *mineFixture) mining() types.Mining {
	f.t.Helper()
	resp, err := f.queries.Mining(f.ctx, &types.QueryMiningRequest{})
	require.NoError(f.t, err)
	return resp.Mining
}

// claim sends a claim as a transaction would, and returns the reward in ugrafi.
func (f *mineFixture) claim(account sdk.AccAddress, day, hostID uint64, ordinals ...uint32) (int64, error) {
	cached, write := f.ctx.CacheContext()
	resp, err := f.msgs.ClaimMining(cached, &types.MsgClaimMining{Operator: account.String(), Day: day, HostId: hostID, Ordinals: ordinals})
	if err != nil {
		return 0, err
	}
	write()
	return resp.Reward.Amount.Int64(), nil
}

func (f *mineFixture) mustClaim(account sdk.AccAddress, day, hostID uint64, ordinals ...uint32) int64 {
	f.t.Helper()
	reward, err := f.claim(account, day, hostID, ordinals...)
	require.NoError(f.t, err)
	return reward
}

func (f *mineFixture) export() types.GenesisState {
	f.t.Helper()
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(f.t, err)
	return *gs
}

// sound checks the accounts, and that the histograms are the weights by slots.
func (f *mineFixture) sound() {
	f.t.Helper()
	broken, err := f.k.CheckInvariants(f.ctx)
	require.NoError(f.t, err)
	require.Empty(f.t, broken)
}

// params changes the params without a message.
func (f *mineFixture) params(change func(*types.Params)) {
	f.t.Helper()
	params, err := f.k.Params(f.ctx)
	require.NoError(f.t, err)
	change(&params)
	require.NoError(f.t, f.k.UpdateParams(f.ctx, gov.String(), params))
}

// noTarget lets every kind distribute all it has, whatever its size, and to whom.
func (f *mineFixture) noTarget() {
	f.params(func(p *types.Params) {
		p.Rules.TargetFloorPpm, p.Rules.OperatorCapPpm = 0, types.PPM
	})
}
