package keeper_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	corestore "cosmossdk.io/core/store"
	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/store/v2"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	moduletestutil "github.com/cosmos/cosmos-sdk/types/module/testutil"
	"github.com/cosmos/cosmos-sdk/x/auth"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/auth/vesting"
	"github.com/cosmos/cosmos-sdk/x/authz"
	authzkeeper "github.com/cosmos/cosmos-sdk/x/authz/keeper"
	authzmodule "github.com/cosmos/cosmos-sdk/x/authz/module"
	"github.com/cosmos/cosmos-sdk/x/bank"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/gov"
	govkeeper "github.com/cosmos/cosmos-sdk/x/gov/keeper"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	v1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	minttypes "github.com/cosmos/cosmos-sdk/x/mint/types"
	"github.com/cosmos/cosmos-sdk/x/staking"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/grafilab/grafi/x/dao"
	"github.com/grafilab/grafi/x/dao/keeper"
	"github.com/grafilab/grafi/x/dao/types"
)

// The process-wide prefix is left alone, so that all parts of the SDK agree.
const worldPrefix = sdk.Bech32MainPrefix

var (
	worldStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	worldCodec = address.NewBech32Codec(worldPrefix)
	gov1       = authtypes.NewModuleAddress(govtypes.ModuleName)
	daoAccount = authtypes.NewModuleAddress(types.ModuleName)
	treasury   = authtypes.NewModuleAddress(types.TreasuryAccount)
	alice      = named("alice")
	bob        = named("bob")
	carol      = named("carol")
	warden     = named("guardian")
)

// named is an account whose name fills its 20 bytes.
func named(name string) sdk.AccAddress { return sdk.AccAddress(fmt.Sprintf("%-20s", name)) }

func addr(a sdk.AccAddress) string {
	s, err := worldCodec.BytesToString(a)
	if err != nil {
		panic(err)
	}
	return s
}

func ugrafi(amount int64) sdk.Coin { return sdk.NewInt64Coin(sdk.DefaultBondDenom, amount) }

// world is the DAO between the real x/auth, x/bank, x/staking, x/gov and
// x/authz, all on the real message router. Stake with operators is a table.
type world struct {
	t       testing.TB
	ctx     sdk.Context
	router  *baseapp.MsgServiceRouter
	bank    bankkeeper.BaseKeeper
	staking *stakingkeeper.Keeper
	gov     *govkeeper.Keeper
	authz   authzkeeper.Keeper
	stake   operatorStake
	k       *keeper.Keeper
	msg     types.MsgServer
	query   types.QueryServer
}

// operatorStake is x/staking-ext as the electorate sees it.
type operatorStake struct {
	types.StakingKeeper
	of map[string]int64
}

func (s operatorStake) VotingStake(_ context.Context, account sdk.AccAddress) (math.Int, error) {
	return math.NewInt(s.of[string(account)]), nil
}

func (s operatorStake) TotalStake(context.Context) (math.Int, error) {
	sum := math.ZeroInt()
	for _, amount := range s.of {
		sum = sum.AddRaw(amount)
	}
	return sum, nil
}

func (operatorStake) StakeDenom(context.Context) (string, error) { return sdk.DefaultBondDenom, nil }

type noPool struct{}

func (noPool) FundCommunityPool(context.Context, sdk.Coins, sdk.AccAddress) error { return nil }

func newWorld(t testing.TB) *world {
	t.Helper()
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, stakingtypes.StoreKey,
		govtypes.StoreKey, authzkeeper.StoreKey, types.StoreKey)
	service := func(name string) corestore.KVStoreService { return runtime.NewKVStoreService(keys[name]) }
	enc := moduletestutil.MakeTestEncodingConfig(auth.AppModuleBasic{}, bank.AppModuleBasic{}, staking.AppModuleBasic{},
		gov.AppModuleBasic{}, authzmodule.AppModuleBasic{}, vesting.AppModuleBasic{}, dao.AppModule{})
	w := &world{
		t: t, stake: operatorStake{of: make(map[string]int64)},
		ctx: sdk.NewContext(plainStores(t, keys), cmtproto.Header{Height: 1}, false, log.NewNopLogger()).WithBlockTime(worldStart),
	}
	perms := map[string][]string{
		minttypes.ModuleName: {authtypes.Minter}, govtypes.ModuleName: {authtypes.Burner},
		stakingtypes.BondedPoolName:         {authtypes.Burner, authtypes.Staking},
		stakingtypes.NotBondedPoolName:      {authtypes.Burner, authtypes.Staking},
		stakingtypes.KeyRotationFeePoolName: {authtypes.Burner},
		types.ModuleName:                    {authtypes.Burner}, types.TreasuryAccount: nil,
	}
	accounts := authkeeper.NewAccountKeeper(enc.Codec, service(authtypes.StoreKey), authtypes.ProtoBaseAccount, perms,
		worldCodec, worldPrefix, addr(gov1))
	w.bank = bankkeeper.NewBaseKeeper(enc.Codec, service(banktypes.StoreKey), accounts,
		map[string]bool{daoAccount.String(): true, treasury.String(): true}, addr(gov1), log.NewNopLogger())
	w.staking = stakingkeeper.NewKeeper(enc.Codec, service(stakingtypes.StoreKey), accounts, w.bank, addr(gov1),
		address.NewBech32Codec(worldPrefix+"valoper"), address.NewBech32Codec(worldPrefix+"valcons"))
	w.k = keeper.NewKeeper(service(types.StoreKey), enc.Codec, worldCodec, gov1, w.bank, w.staking, w.stake, nil)
	w.router = baseapp.NewMsgServiceRouter()
	w.router.SetInterfaceRegistry(enc.InterfaceRegistry)
	w.router.SetCircuit(w.k)
	w.gov = govkeeper.NewKeeper(enc.Codec, service(govtypes.StoreKey), accounts, w.bank, noPool{}, w.router,
		govtypes.DefaultConfig(), addr(gov1), w.k.Tally)
	w.gov.SetHooks(govtypes.NewMultiGovHooks(w.k.GovHooks(w.gov)))
	w.authz = authzkeeper.NewKeeper(service(authzkeeper.StoreKey), enc.Codec, w.router, accounts).SetBankKeeper(w.bank)
	w.msg, w.query = keeper.NewMsgServer(w.k), keeper.NewQueryServer(w.k)
	banktypes.RegisterMsgServer(w.router, bankkeeper.NewMsgServerImpl(w.bank))
	stakingtypes.RegisterMsgServer(w.router, stakingkeeper.NewMsgServerImpl(w.staking))
	v1.RegisterMsgServer(w.router, govkeeper.NewMsgServerImpl(w.gov))
	authz.RegisterMsgServer(w.router, w.authz)
	types.RegisterMsgServer(w.router, w.msg)

	accounts.GetModuleAccount(w.ctx, govtypes.ModuleName) // as its genesis does
	require.NoError(t, w.bank.SetParams(w.ctx, banktypes.DefaultParams()))
	require.NoError(t, w.staking.SetParams(w.ctx, stakingtypes.DefaultParams()))
	require.NoError(t, w.gov.Params.Set(w.ctx, v1.DefaultParams()))
	require.NoError(t, w.gov.ProposalID.Set(w.ctx, 1))
	gs := types.DefaultGenesis()
	gs.Params.Guardian = addr(warden)
	require.NoError(t, w.k.InitGenesis(w.ctx, *gs))
	w.ctx = w.ctx.WithEventManager(sdk.NewEventManager())
	return w
}

// plainStores keeps each store in plain memory: no test here looks at hashes.
func plainStores(t testing.TB, keys map[string]*storetypes.KVStoreKey) storetypes.MultiStore {
	t.Helper()
	cms := store.NewCommitMultiStore(dbm.NewMemDB(), log.NewNopLogger())
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		cms.MountStoreWithDB(keys[name], storetypes.StoreTypeDB, dbm.NewMemDB())
	}
	require.NoError(t, cms.LoadLatestVersion())
	return cms
}

// fund mints coins into an account.
func (w *world) fund(to sdk.AccAddress, coins ...sdk.Coin) {
	w.t.Helper()
	amount := sdk.NewCoins(coins...)
	require.NoError(w.t, w.bank.MintCoins(w.ctx, minttypes.ModuleName, amount))
	if to.Equals(treasury) {
		require.NoError(w.t, w.bank.SendCoinsFromModuleToModule(w.ctx, minttypes.ModuleName, types.TreasuryAccount, amount))
		return
	}
	require.NoError(w.t, w.bank.SendCoinsFromModuleToAccount(w.ctx, minttypes.ModuleName, to, amount))
}

// validator makes a validator whose operator is the account, with its own bond.
func (w *world) validator(operator sdk.AccAddress, own int64) sdk.ValAddress {
	w.t.Helper()
	pub := ed25519.GenPrivKeyFromSecret(operator).PubKey()
	v, err := stakingtypes.NewValidator(sdk.ValAddress(operator).String(), pub, stakingtypes.Description{Moniker: "v"})
	require.NoError(w.t, err)
	require.NoError(w.t, w.staking.SetValidator(w.ctx, v))
	require.NoError(w.t, w.staking.SetValidatorByConsAddr(w.ctx, v))
	require.NoError(w.t, w.staking.SetNewValidatorByPowerIndex(w.ctx, v))
	w.delegate(operator, sdk.ValAddress(operator), own)
	return sdk.ValAddress(operator)
}

func (w *world) delegate(from sdk.AccAddress, to sdk.ValAddress, amount int64) {
	w.t.Helper()
	w.fund(from, ugrafi(amount))
	v, err := w.staking.GetValidator(w.ctx, to)
	require.NoError(w.t, err)
	_, err = w.staking.Delegate(w.ctx, from, math.NewInt(amount), stakingtypes.Unbonded, v, true)
	require.NoError(w.t, err)
}

// slash takes tokens from a validator, so that a share is worth less than one.
func (w *world) slash(val sdk.ValAddress, amount int64) {
	w.t.Helper()
	v, err := w.staking.GetValidator(w.ctx, val)
	require.NoError(w.t, err)
	_, err = w.staking.RemoveValidatorTokens(w.ctx, v, math.NewInt(amount))
	require.NoError(w.t, err)
}

func (w *world) jail(val sdk.ValAddress) {
	w.t.Helper()
	v, err := w.staking.GetValidator(w.ctx, val)
	require.NoError(w.t, err)
	cons, err := v.GetConsAddr()
	require.NoError(w.t, err)
	require.NoError(w.t, w.staking.Jail(w.ctx, cons))
}

// elect ends the block of x/staking: the strongest validators are bonded.
func (w *world) elect() {
	w.t.Helper()
	_, err := w.staking.ApplyAndReturnValidatorSetUpdates(w.ctx)
	require.NoError(w.t, err)
}

// at moves the clock.
func (w *world) at(t time.Time) {
	w.ctx = w.ctx.WithBlockTime(t).WithBlockHeight(w.ctx.BlockHeight() + 1).WithEventManager(sdk.NewEventManager())
}

// send hands a message to the router, as a transaction does: what fails leaves
// no trace.
func (w *world) send(msg sdk.Msg) error {
	cached, write := w.ctx.CacheContext()
	_, err := w.router.Handler(msg)(cached, msg)
	if err == nil {
		write()
	}
	return err
}

// state is everything the DAO has, and the money around it.
func (w *world) state() (types.GenesisState, map[string]string) {
	w.t.Helper()
	gs, err := w.k.ExportGenesis(w.ctx)
	require.NoError(w.t, err)
	balances := make(map[string]string)
	for _, a := range []sdk.AccAddress{daoAccount, treasury, alice, bob, carol, warden, gov1} {
		balances[string(a)] = w.bank.GetAllBalances(w.ctx, a).String()
	}
	return *gs, balances
}

func (w *world) sound() {
	w.t.Helper()
	broken, err := w.k.CheckInvariants(w.ctx)
	require.NoError(w.t, err)
	require.Empty(w.t, broken)
}
