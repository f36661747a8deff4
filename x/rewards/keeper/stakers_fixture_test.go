package keeper_test

import (
	"context"
	"math/big"
	"strings"
	"time"

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
	attestation "github.com/grafilab/grafi/x/attestation/types"
	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
	"github.com/grafilab/grafi/x/rewards/keeper"
	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

const (
	denom   = chaininfo.BaseDenom
	grafi   = chaininfo.BasePerDisplay
	foreign = "ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2"
	oneDay  = 24 * time.Hour
)

var (
	// begin is the first second of a day, and the first block of the fixture.
	begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	olga  = sdk.AccAddress("olga________________") // operators
	oscar = sdk.AccAddress("oscar_______________")
	ann   = sdk.AccAddress("ann_________________") // public stakers
	ben   = sdk.AccAddress("ben_________________")
	cleo  = sdk.AccAddress("cleo________________")
	gov   = authtypes.NewModuleAddress(govtypes.ModuleName)
)

func init() { chaininfo.ConfigureSDK() }

// testingT is what a fixture needs of *testing.T and *rapid.T.
type testingT interface {
	require.TestingT
	Helper()
}

// slotDays is the part of x/attestation that knows what a day is.
type slotDays struct{ types.AttestationKeeper }

func (slotDays) Params(context.Context) (attestation.Params, error) {
	return attestation.DefaultParams(), nil
}

// stakeFixture is x/rewards on a real x/bank and a small pool of stake: what is
// paid for stake and released, without the mining of days.
type stakeFixture struct {
	ctx     sdk.Context
	k       *keeper.Keeper
	bank    bankkeeper.BaseKeeper
	staking *poolStaking
	msgs    types.MsgServer
	queries types.QueryServer
	cdc     codec.Codec
	// blocked accounts can't receive from a module; a test adds to it.
	blocked map[string]bool
}

func newStakeFixture(t testingT) *stakeFixture {
	t.Helper()
	f := newBareFixture(t)
	require.NoError(t, f.k.InitGenesis(f.ctx, *types.DefaultGenesis()))
	return f
}

// newBareFixture has no genesis yet.
func newBareFixture(t testingT) *stakeFixture {
	t.Helper()
	f := &stakeFixture{blocked: map[string]bool{}, staking: newPoolStaking()}
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, types.StoreKey)
	logger := log.NewNopLogger()
	f.ctx = sdk.NewContext(integration.CreateMultiStore(keys, logger), cmtproto.Header{}, false, logger).WithBlockTime(begin)
	f.cdc = moduletestutil.MakeTestEncodingConfig(auth.AppModuleBasic{}, bank.AppModuleBasic{}).Codec
	addresses := address.NewBech32Codec(chaininfo.Bech32Prefix)
	accounts := authkeeper.NewAccountKeeper(f.cdc, runtime.NewKVStoreService(keys[authtypes.StoreKey]),
		authtypes.ProtoBaseAccount, map[string][]string{
			minttypes.ModuleName:       {authtypes.Minter},
			authtypes.FeeCollectorName: nil,
			govtypes.ModuleName:        nil,
			types.ModuleName:           {authtypes.Minter},
			types.StakersAccount:       nil,
			stakingext.ModuleName:      {authtypes.Burner},
		}, addresses, chaininfo.Bech32Prefix, gov.String())
	f.bank = bankkeeper.NewBaseKeeper(f.cdc, runtime.NewKVStoreService(keys[banktypes.StoreKey]), accounts,
		f.blocked, gov.String(), logger)
	require.NoError(t, f.bank.SetParams(f.ctx, banktypes.DefaultParams()))
	f.k = keeper.NewKeeper(runtime.NewKVStoreService(keys[types.StoreKey]), f.cdc, addresses, gov, f.bank, f.staking, slotDays{})
	f.staking.hooks = keeper.StakeHooks{K: f.k}
	f.msgs, f.queries = keeper.NewMsgServer(f.k), keeper.NewQueryServer(f.k)
	f.at(begin)
	return f
}

// at moves the block time and forgets the events so far.
func (f *stakeFixture) at(now time.Time) {
	f.ctx = f.ctx.WithBlockTime(now).WithEventManager(sdk.NewEventManager())
}

func (f *stakeFixture) after(d time.Duration) { f.at(f.ctx.BlockTime().Add(d)) }

// deliver runs a message as a transaction does: a failure changes nothing.
func deliver[Req, Resp any](f *stakeFixture, handle func(context.Context, Req) (Resp, error), msg Req) (Resp, error) {
	cached, write := f.ctx.CacheContext()
	resp, err := handle(cached, msg)
	if err == nil {
		write()
	}
	return resp, err
}

// fund gives a module account new coins.
func (f *stakeFixture) fund(t testingT, module string, coins ...sdk.Coin) {
	t.Helper()
	require.NoError(t, f.bank.MintCoins(f.ctx, minttypes.ModuleName, sdk.NewCoins(coins...)))
	require.NoError(t, f.bank.SendCoinsFromModuleToModule(f.ctx, minttypes.ModuleName, module, sdk.NewCoins(coins...)))
}

// fee pays a stakers' fee for a rental of the operator.
func (f *stakeFixture) fee(t testingT, operator sdk.AccAddress, fee sdk.Coin) {
	t.Helper()
	f.fund(t, types.StakersAccount, fee)
	require.NoError(t, f.k.CreditFee(f.ctx, gpumarket.Payment{
		RentalID: 7, Operator: operator, Denom: fee.Denom, Stakers: fee.Amount, Treasury: math.ZeroInt(), Burned: math.ZeroInt(),
	}))
}

// mine pays a mining reward out of new coins.
func (f *stakeFixture) mine(t testingT, operator sdk.AccAddress, amount int64) {
	t.Helper()
	f.fund(t, types.ModuleName, sdk.NewInt64Coin(denom, amount))
	_, _, err := f.k.PayMined(f.ctx, operator, math.NewInt(amount))
	require.NoError(t, err)
}

// pair registers olga with 1,000 of own stake and 10 % commission, and Ann and
// Ben with 300 and 200 in her pool, in GRAFI.
func (f *stakeFixture) pair(t testingT) {
	t.Helper()
	f.staking.register(olga, 1_000*grafi, 100_000)
	require.NoError(t, f.staking.delegate(f.ctx, ann, olga, 300*grafi))
	require.NoError(t, f.staking.delegate(f.ctx, ben, olga, 200*grafi))
	f.at(f.ctx.BlockTime())
}

// picture is the whole state and all the money, as text that can be compared.
type picture struct {
	State string
	Money map[string]string
}

func (f *stakeFixture) picture(t testingT) picture {
	t.Helper()
	p := picture{State: f.text(t, f.export(t)), Money: map[string]string{"supply": f.bank.GetSupply(f.ctx, denom).String()}}
	for name, account := range map[string]sdk.AccAddress{
		"olga": olga, "oscar": oscar, "ann": ann, "ben": ben, "cleo": cleo,
		"rewards":    authtypes.NewModuleAddress(types.ModuleName),
		"stakers":    authtypes.NewModuleAddress(types.StakersAccount),
		"stake":      authtypes.NewModuleAddress(stakingext.ModuleName),
		"validators": authtypes.NewModuleAddress(authtypes.FeeCollectorName),
	} {
		p.Money[name] = f.bank.GetAllBalances(f.ctx, account).String()
	}
	return p
}

func (f *stakeFixture) balance(account sdk.AccAddress) int64 {
	return f.bank.GetBalance(f.ctx, account, denom).Amount.Int64()
}

func (f *stakeFixture) moduleBalance(module string) int64 {
	return f.balance(authtypes.NewModuleAddress(module))
}

func (f *stakeFixture) export(t testingT) types.GenesisState {
	t.Helper()
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	return *gs
}

func (f *stakeFixture) text(t testingT, gs types.GenesisState) string {
	t.Helper()
	bz, err := f.cdc.MarshalJSON(&gs)
	require.NoError(t, err)
	return strings.ReplaceAll(string(bz), ",", ",\n")
}

// requireEvents compares the module's own events; those of x/bank are its business.
func (f *stakeFixture) requireEvents(t testingT, events ...proto.Message) {
	t.Helper()
	want, got := sdk.Events{}, sdk.Events{}
	for _, e := range events {
		event, err := sdk.TypedEventToEvent(e)
		require.NoError(t, err)
		want = append(want, event)
	}
	for _, e := range f.ctx.EventManager().Events() {
		if strings.HasPrefix(e.Type, "grafi.rewards.") {
			got = append(got, e)
		}
	}
	require.Equal(t, want, got)
}

func (f *stakeFixture) requireInvariants(t testingT) {
	t.Helper()
	broken, err := f.k.CheckInvariants(f.ctx)
	require.NoError(t, err)
	require.Empty(t, broken)
}

func ugrafi(amount int64) sdk.Coin { return sdk.Coin{Denom: denom, Amount: math.NewInt(amount)} }

// dustOf is the fraction of a unit, in units of 2^-96, that a first settlement of
// so many shares leaves.
func dustOf(shares int64, perShare math.Int) math.Int {
	scaled := new(big.Int).Mul(perShare.BigInt(), big.NewInt(shares))
	return math.NewIntFromBigInt(scaled.And(scaled, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 96), big.NewInt(1))))
}
