package keeper_test

import (
	"strings"
	"time"

	"cosmossdk.io/core/store"
	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec"
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
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	minttypes "github.com/cosmos/cosmos-sdk/x/mint/types"

	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/x/staking-ext/keeper"
	"github.com/grafilab/grafi/x/staking-ext/types"
)

const (
	denom = chaininfo.BaseDenom
	grafi = chaininfo.BasePerDisplay
	// funds of each account at the start.
	funds = 10_000 * grafi
	day   = 24 * time.Hour
	// held is a module that distributes what a slash took, rewards one whose
	// escrow covers slashes.
	held, rewards = "dao", "rewards"
)

var (
	start     = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	alice     = sdk.AccAddress("alice_______________")
	bob       = sdk.AccAddress("bob_________________")
	carol     = sdk.AccAddress("carol_______________")
	dave      = sdk.AccAddress("dave________________")
	authority = authtypes.NewModuleAddress(govtypes.ModuleName)
)

func init() { chaininfo.ConfigureSDK() }

// testingT is what a fixture needs of *testing.T and *rapid.T.
type testingT interface {
	require.TestingT
	Helper()
}

// fixture is an empty x/staking-ext on a real x/bank.
type fixture struct {
	ctx      sdk.Context
	k        *keeper.Keeper
	bank     bankkeeper.BaseKeeper
	accounts authkeeper.AccountKeeper
	msgs     types.MsgServer
	queries  types.QueryServer
	cdc      codec.Codec
	// blocked accounts can't receive from a module; a test adds to it.
	blocked map[string]bool
	hooks   *fakeHooks
	store   store.KVStoreService
}

func newFixture(t testingT) *fixture {
	t.Helper()
	return newFixtureWith(t, types.DefaultGenesis())
}

// newFixtureWith starts from a genesis, whose stake is minted first.
func newFixtureWith(t testingT, gs *types.GenesisState) *fixture {
	t.Helper()
	f := &fixture{blocked: map[string]bool{}}
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, types.StoreKey)
	logger := log.NewNopLogger()
	f.ctx = sdk.NewContext(integration.CreateMultiStore(keys, logger), cmtproto.Header{}, false, logger).WithBlockTime(start)
	f.cdc = moduletestutil.MakeTestEncodingConfig(auth.AppModuleBasic{}, bank.AppModuleBasic{}).Codec
	addresses := address.NewBech32Codec(chaininfo.Bech32Prefix)
	f.accounts = authkeeper.NewAccountKeeper(f.cdc, runtime.NewKVStoreService(keys[authtypes.StoreKey]),
		authtypes.ProtoBaseAccount, map[string][]string{
			minttypes.ModuleName:   {authtypes.Minter},
			govtypes.ModuleName:    nil,
			types.ModuleName:       {authtypes.Burner},
			types.UnbondingAccount: {authtypes.Burner},
			types.InsuranceAccount: nil,
			held:                   nil,
			rewards:                nil,
		}, addresses, chaininfo.Bech32Prefix, authority.String())
	f.bank = bankkeeper.NewBaseKeeper(f.cdc, runtime.NewKVStoreService(keys[banktypes.StoreKey]), f.accounts,
		f.blocked, authority.String(), logger)
	require.NoError(t, f.bank.SetParams(f.ctx, banktypes.DefaultParams()))
	f.store = runtime.NewKVStoreService(keys[types.StoreKey])
	f.k = keeper.NewKeeper(f.store, f.cdc, addresses, authority, f.bank)
	f.hooks = &fakeHooks{k: f.k, bank: f.bank}
	f.k.SetHooks(types.MultiHooks{f.hooks})
	f.msgs, f.queries = keeper.NewMsgServer(f.k), keeper.NewQueryServer(f.k)

	for _, account := range []sdk.AccAddress{alice, bob, carol, dave} {
		f.mint(t, math.NewInt(funds))
		require.NoError(t, f.bank.SendCoinsFromModuleToAccount(f.ctx, minttypes.ModuleName, account, coins(funds)))
	}
	bonded, unbonding := math.ZeroInt(), math.ZeroInt()
	for _, o := range gs.Operators {
		bonded = bonded.Add(o.OwnStake).Add(o.DelegatedTokens)
	}
	for _, e := range gs.Unbonding {
		unbonding = unbonding.Add(e.Amount)
	}
	for _, e := range gs.Undelegations {
		unbonding = unbonding.Add(e.Amount)
	}
	f.give(t, types.ModuleName, bonded)
	f.give(t, types.UnbondingAccount, unbonding)
	require.NoError(t, f.k.InitGenesis(f.ctx, *gs))
	f.at(start)
	return f
}

func (f *fixture) mint(t testingT, amount math.Int) {
	t.Helper()
	require.NoError(t, f.bank.MintCoins(f.ctx, minttypes.ModuleName, sdk.NewCoins(sdk.NewCoin(denom, amount))))
}

// give mints coins for a module account.
func (f *fixture) give(t testingT, module string, amount math.Int) {
	t.Helper()
	if amount.IsPositive() {
		f.mint(t, amount)
		require.NoError(t, f.bank.SendCoinsFromModuleToModule(f.ctx, minttypes.ModuleName, module,
			sdk.NewCoins(sdk.NewCoin(denom, amount))))
	}
}

// at moves the block time and forgets the events so far.
func (f *fixture) at(now time.Time) {
	f.ctx = f.ctx.WithBlockTime(now).WithEventManager(sdk.NewEventManager())
}

func (f *fixture) after(d time.Duration) { f.at(f.ctx.BlockTime().Add(d)) }

func (f *fixture) register(t testingT, operator sdk.AccAddress, bond int64) {
	t.Helper()
	_, err := f.msgs.RegisterOperator(f.ctx, registration(operator, bond))
	require.NoError(t, err)
	f.at(f.ctx.BlockTime())
}

func registration(operator sdk.AccAddress, bond int64) *types.MsgRegisterOperator {
	return &types.MsgRegisterOperator{
		Operator: operator.String(), Moniker: "Grace's GPUs", Website: "https://grace.example/gpus",
		Kind: types.OPERATOR_KIND_CONTRIBUTOR, CommissionPpm: 50_000, Bond: coin(bond),
	}
}

// newOperator is the record that a registration writes at a time.
func newOperator(operator sdk.AccAddress, own int64, at time.Time) types.Operator {
	zero := math.ZeroInt()
	return types.Operator{
		Address: operator.String(), Moniker: "Grace's GPUs", Website: "https://grace.example/gpus",
		Kind: types.OPERATOR_KIND_CONTRIBUTOR, CommissionPpm: 50_000, OwnStake: math.NewInt(own), Requirement: zero,
		DelegatedTokens: zero, DelegationShares: zero, BondedFor: zero, CountedStake: math.NewInt(own), LeftTotal: zero,
		RegisteredAt: at, CommissionChangedAt: at, NextUnbondingId: 1, NextSlashId: 1,
	}
}

func (f *fixture) unbond(t testingT, operator sdk.AccAddress, amount int64) types.UnbondingEntry {
	t.Helper()
	entry, err := f.k.Unbond(f.ctx, operator, coin(amount))
	require.NoError(t, err)
	return entry
}

func (f *fixture) operator(t testingT, operator sdk.AccAddress) types.Operator {
	t.Helper()
	o, err := f.k.Operator(f.ctx, operator)
	require.NoError(t, err)
	return o
}

// look is the whole state and all the money, as text that can be compared.
type look struct {
	State string
	Money map[string]int64
}

func (f *fixture) export(t testingT) types.GenesisState {
	t.Helper()
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	return *gs
}

func (f *fixture) look(t testingT) look {
	t.Helper()
	balance := func(a sdk.AccAddress) int64 { return f.bank.GetBalance(f.ctx, a, denom).Amount.Int64() }
	return look{
		State: f.text(t, f.export(t)),
		Money: map[string]int64{
			"alice": balance(alice), "bob": balance(bob), "carol": balance(carol),
			"dave":      balance(dave),
			"stake":     balance(authtypes.NewModuleAddress(types.ModuleName)),
			"unbonding": balance(authtypes.NewModuleAddress(types.UnbondingAccount)),
			"held":      balance(authtypes.NewModuleAddress(held)),
			"rewards":   balance(authtypes.NewModuleAddress(rewards)),
			"insurance": balance(authtypes.NewModuleAddress(types.InsuranceAccount)),
			"supply":    f.bank.GetSupply(f.ctx, denom).Amount.Int64(),
		},
	}
}

func (f *fixture) text(t testingT, gs types.GenesisState) string {
	t.Helper()
	bz, err := f.cdc.MarshalJSON(&gs)
	require.NoError(t, err)
	return strings.ReplaceAll(string(bz), ",", ",\n")
}

// requireChange compares state, money, events and invariants with what they
// were before plus what is wanted.
func (f *fixture) requireChange(t testingT, before types.GenesisState, money map[string]int64,
	change func(gs *types.GenesisState), moved map[string]int64, events ...proto.Message,
) {
	t.Helper()
	change(&before)
	for i := range before.Operators {
		o := &before.Operators[i]
		o.CountedStake = o.OwnStake.MulRaw(4) // own + 3 × own at most
		if all := o.OwnStake.Add(o.DelegatedTokens); all.LT(o.CountedStake) {
			o.CountedStake = all
		}
	}
	want := look{State: f.text(t, before), Money: money}
	for who, amount := range moved {
		want.Money[who] += amount
	}
	require.Equal(t, want, f.look(t))
	f.requireEvents(t, events...)
	f.requireInvariants(t)
}

// requireEvents compares the module's own events; those of x/bank are its business.
func (f *fixture) requireEvents(t testingT, events ...proto.Message) {
	t.Helper()
	want, got := sdk.Events{}, sdk.Events{}
	for _, e := range events {
		event, err := sdk.TypedEventToEvent(e)
		require.NoError(t, err)
		want = append(want, event)
	}
	for _, e := range f.ctx.EventManager().Events() {
		if strings.HasPrefix(e.Type, "grafi.stakingext.") {
			got = append(got, e)
		}
	}
	require.Equal(t, want, got)
}

func (f *fixture) requireInvariants(t testingT) {
	t.Helper()
	broken, err := f.k.CheckInvariants(f.ctx)
	require.NoError(t, err)
	require.Empty(t, broken)
}

func coin(amount int64) sdk.Coin   { return sdk.Coin{Denom: denom, Amount: math.NewInt(amount)} }
func coins(amount int64) sdk.Coins { return sdk.NewCoins(coin(amount)) }
