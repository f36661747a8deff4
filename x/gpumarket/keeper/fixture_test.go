package keeper_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"

	"github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/store/v2"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	moduletestutil "github.com/cosmos/cosmos-sdk/types/module/testutil"
	"github.com/cosmos/cosmos-sdk/x/auth"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/bank"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	minttypes "github.com/cosmos/cosmos-sdk/x/mint/types"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/keeper"
	"github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

const (
	denom    = "ugrafi"
	chainID  = "grafi-unit-1"
	hostID   = 7
	hourly   = 3_600_000 // ugrafi per GPU and hour: 1,000 a second
	class    = "nvidia-h100-80gb-sxm"
	slotLen  = 600 // seconds
	window   = 120 * time.Second
	funds    = 1_000_000_000_000
	hostGPUs = 4
	// What the operator has, and what each GPU asks of it.
	ownStake    = 1_000_000_000
	requirement = 200_000_000
)

var (
	// start is the first second of a slot.
	start         = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	codec         = address.NewBech32Codec("grafi")
	operator      = sdk.AccAddress("operator____________")
	renter        = sdk.AccAddress("renter______________")
	stranger      = sdk.AccAddress("stranger____________")
	poor          = sdk.AccAddress("poor________________")
	authority     = authtypes.NewModuleAddress("gov")
	moduleAddress = authtypes.NewModuleAddress(types.ModuleName)
	agent         = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	digest        = sha256Of("manifest")
)

func sha256Of(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

func str(addr sdk.AccAddress) string {
	s, err := codec.BytesToString(addr)
	if err != nil {
		panic(err)
	}
	return s
}

func coin(amount int64) sdk.Coin { return sdk.NewInt64Coin(denom, amount) }

// fixture is one market on the real bank. Every part is a field.
type fixture struct {
	t           testing.TB
	ops         *storeOps
	ctx         sdk.Context
	k           *keeper.Keeper
	msg         types.MsgServer
	bank        *failingBank
	staking     *fakeStaking
	attestation *fakeAttestation
}

// newEmptyFixture is a chain with funded accounts before the market's genesis.
func newEmptyFixture(t testing.TB) *fixture {
	t.Helper()
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, types.StoreKey, "staking")
	ctx := sdk.NewContext(multiStore(t, keys), cmtproto.Header{}, false, log.NewNopLogger()).
		WithBlockTime(start).WithChainID(chainID)
	cdc := moduletestutil.MakeTestEncodingConfig(auth.AppModuleBasic{}, bank.AppModuleBasic{}).Codec
	perms := map[string][]string{
		minttypes.ModuleName: {authtypes.Minter}, types.ModuleName: {authtypes.Burner},
		types.StakersAccount: nil, types.TreasuryAccount: nil,
	}
	blocked := map[string]bool{moduleAddress.String(): true} // the bank asks in the process-wide prefix
	accounts := authkeeper.NewAccountKeeper(cdc, runtime.NewKVStoreService(keys[authtypes.StoreKey]),
		authtypes.ProtoBaseAccount, perms, codec, "grafi", str(authority))
	ops := new(storeOps)
	f := &fixture{
		t: t, ctx: ctx, ops: ops,
		bank: &failingBank{BaseKeeper: bankkeeper.NewBaseKeeper(cdc, countingService{runtime.NewKVStoreService(keys[banktypes.StoreKey]), ops},
			accounts, blocked, str(authority), log.NewNopLogger())},
		staking: &fakeStaking{
			kind: stakingext.OPERATOR_KIND_CONTRIBUTOR, prices: map[string]math.Int{}, key: keys["staking"], requirement: requirement,
		},
		attestation: &fakeAttestation{
			host: attestationtypes.Host{
				Id: hostID, Operator: str(operator), Status: attestationtypes.HOST_STATUS_ACTIVE, GpuCount: hostGPUs,
			},
			classes: slices.Repeat([]string{class}, hostGPUs),
			dead:    map[uint64]bool{},

			networkFault: map[uint64]bool{},
		},
	}
	f.staking.setOwn(ctx, ownStake, 0)
	f.staking.pay = func(ctx context.Context, to sdk.AccAddress, amount sdk.Coin) error {
		if err := f.bank.MintCoins(ctx, minttypes.ModuleName, sdk.NewCoins(amount)); err != nil {
			return err
		}
		return f.bank.BaseKeeper.SendCoinsFromModuleToAccount(ctx, minttypes.ModuleName, to, sdk.NewCoins(amount))
	}
	f.k = keeper.NewKeeper(countingService{runtime.NewKVStoreService(keys[types.StoreKey]), ops}, cdc, codec, authority,
		f.bank, f.staking, f.attestation)
	f.msg = keeper.NewMsgServer(f.k)
	for _, addr := range []sdk.AccAddress{operator, renter, stranger} {
		f.fund(addr, coin(funds), sdk.NewInt64Coin("uusdc", funds))
	}
	return f
}

// multiStore keeps each store in plain memory: thousands of blocks are cheap
// without a tree of hashes, which no test here looks at.
func multiStore(t testing.TB, keys map[string]*storetypes.KVStoreKey) storetypes.MultiStore {
	t.Helper()
	cms := store.NewCommitMultiStore(dbm.NewMemDB(), log.NewNopLogger())
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		cms.MountStoreWithDB(keys[name], storetypes.StoreTypeDB, dbm.NewMemDB())
	}
	require.NoError(t, cms.LoadLatestVersion())
	return cms
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := newEmptyFixture(t)
	gs := types.DefaultGenesis()
	gs.Params.AllowedDenoms = []string{denom, "uusdc"}
	require.NoError(t, f.k.InitGenesis(f.ctx, *gs))
	return f
}

func (f *fixture) fund(addr sdk.AccAddress, coins ...sdk.Coin) {
	f.t.Helper()
	amt := sdk.NewCoins(coins...)
	require.NoError(f.t, f.bank.MintCoins(f.ctx, minttypes.ModuleName, amt))
	require.NoError(f.t, f.bank.BaseKeeper.SendCoinsFromModuleToAccount(f.ctx, minttypes.ModuleName, addr, amt))
}

func (f *fixture) balance(addr sdk.AccAddress) int64 {
	return f.bank.GetBalance(f.ctx, addr, denom).Amount.Int64()
}

func (f *fixture) moduleBalance(name string) int64 {
	return f.balance(authtypes.NewModuleAddress(name))
}

// beginBlock starts a block at t: what x/attestation does at its beginning is to
// close the slots that ended.
func (f *fixture) beginBlock(t time.Time) {
	f.ctx = f.ctx.WithBlockTime(t).WithEventManager(sdk.NewEventManager())
	last := slotAt(t) - 1
	if n := len(f.attestation.anchors); n == 0 || f.attestation.anchors[n-1].slot < last {
		f.attestation.anchors = append(f.attestation.anchors, anchor{last, t})
	}
}

// endBlock ends the block and checks every invariant.
func (f *fixture) endBlock() {
	f.t.Helper()
	require.NoError(f.t, f.k.EndBlock(f.ctx))
	f.checkInvariants()
}

// blocks runs empty blocks, one every step seconds, up to and including t.
func (f *fixture) blocks(t time.Time, step int64) {
	f.t.Helper()
	for now := f.ctx.BlockTime(); now.Before(t); {
		now = now.Add(time.Duration(step) * time.Second)
		if now.After(t) {
			now = t
		}
		f.beginBlock(now)
		require.NoError(f.t, f.k.EndBlock(f.ctx))
	}
	f.checkInvariants()
}

func (f *fixture) checkInvariants() {
	f.t.Helper()
	broken, err := f.k.CheckInvariants(f.ctx)
	require.NoError(f.t, err)
	require.Empty(f.t, broken)
}

// deliver runs a message as a transaction does: all of it or nothing.
func deliver[Req, Resp any](f *fixture, handle func(context.Context, Req) (Resp, error), msg Req) (Resp, error) {
	cached, write := f.ctx.CacheContext()
	resp, err := handle(cached, msg)
	if err == nil {
		write()
	}
	return resp, err
}

func (f *fixture) state() types.GenesisState {
	f.t.Helper()
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(f.t, err)
	return *gs
}

func (f *fixture) rental(id uint64) types.Rental {
	f.t.Helper()
	r, err := f.k.Rental(f.ctx, id)
	require.NoError(f.t, err)
	return r
}

// events returns the module's own events of the current block.
func (f *fixture) events() sdk.Events {
	var own sdk.Events
	for _, e := range f.ctx.EventManager().Events() {
		if strings.HasPrefix(e.Type, "grafi.gpumarket.v1.") {
			own = append(own, e)
		}
	}
	return own
}

// list offers all GPUs of the host.
func (f *fixture) list() uint64 {
	f.t.Helper()
	resp, err := deliver(f, f.msg.CreateListing, createMsg())
	require.NoError(f.t, err)
	return resp.ListingId
}

// rent rents so many GPUs for so many seconds.
func (f *fixture) rent(listing uint64, gpus uint32, secs uint64) uint64 {
	f.t.Helper()
	msg := rentMsg(listing)
	msg.GpuCount, msg.DurationSeconds = gpus, secs
	resp, err := deliver(f, f.msg.Rent, msg)
	require.NoError(f.t, err)
	return resp.RentalId
}

func (f *fixture) confirm(id uint64) {
	f.t.Helper()
	_, err := deliver(f, f.msg.ConfirmStart, confirmMsg(id))
	require.NoError(f.t, err)
}

// active is a rental that started at the block's time.
func (f *fixture) active(gpus uint32, secs uint64) uint64 {
	f.t.Helper()
	id := f.rent(f.list(), gpus, secs)
	f.confirm(id)
	return id
}

func (f *fixture) query() types.QueryServer { return keeper.NewQueryServer(f.k) }
