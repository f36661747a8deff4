package simulation_test

import (
	"encoding/json"
	"errors"
	"math/rand"
	"testing"
	"time"

	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil/integration"
	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	moduletestutil "github.com/cosmos/cosmos-sdk/types/module/testutil"
	simtypes "github.com/cosmos/cosmos-sdk/types/simulation"
	"github.com/cosmos/cosmos-sdk/x/auth"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/bank"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"

	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/x/staking-ext/keeper"
	"github.com/grafilab/grafi/x/staking-ext/simulation"
	"github.com/grafilab/grafi/x/staking-ext/types"
)

// TestSimulation starts from random genesis states and delivers what the
// factories make: every message that isn't skipped succeeds, every kind of
// message comes through, and the invariants hold after each block.
func TestSimulation(t *testing.T) {
	chaininfo.ConfigureSDK()
	delivered := map[string]int{}
	for seed := range int64(5) {
		run(t, rand.New(rand.NewSource(seed)), delivered)
	}
	for _, name := range []string{"RegisterOperator", "EditOperator", "Bond", "Unbond", "Unjail", "Delegate", "Undelegate", "Redelegate", "UpdateParams"} {
		require.Positive(t, delivered["/grafi.stakingext.v1.Msg"+name], "%s in %v", name, delivered)
	}
}

func run(t *testing.T, r *rand.Rand, delivered map[string]int) {
	t.Helper()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, types.StoreKey)
	logger := log.NewNopLogger()
	ctx := sdk.NewContext(integration.CreateMultiStore(keys, logger), cmtproto.Header{}, false, logger).WithBlockTime(now)
	cdc := moduletestutil.MakeTestEncodingConfig(auth.AppModuleBasic{}, bank.AppModuleBasic{}).Codec
	addresses := address.NewBech32Codec(chaininfo.Bech32Prefix)
	authority := authtypes.NewModuleAddress(govtypes.ModuleName)
	accounts := authkeeper.NewAccountKeeper(cdc, runtime.NewKVStoreService(keys[authtypes.StoreKey]),
		authtypes.ProtoBaseAccount, map[string][]string{govtypes.ModuleName: nil, types.ModuleName: {authtypes.Burner}, types.UnbondingAccount: {authtypes.Burner}, types.InsuranceAccount: nil},
		addresses, chaininfo.Bech32Prefix, authority.String())
	coins := bankkeeper.NewBaseKeeper(cdc, runtime.NewKVStoreService(keys[banktypes.StoreKey]), accounts,
		nil, authority.String(), logger)
	k := keeper.NewKeeper(runtime.NewKVStoreService(keys[types.StoreKey]), cdc, addresses, authority, coins)

	simState := &module.SimulationState{
		AppParams: simtypes.AppParams{}, Cdc: cdc, Rand: r, GenState: map[string]json.RawMessage{},
		Accounts: simtypes.RandomAccounts(r, 12), InitialStake: math.NewInt(1_000_000),
		BondDenom: chaininfo.BaseDenom, GenTimestamp: now,
	}
	bank.AppModule{}.GenerateGenesisState(simState)
	simulation.RandomizedGenState(simState)
	var bankGenesis banktypes.GenesisState
	var genesis types.GenesisState
	cdc.MustUnmarshalJSON(simState.GenState[banktypes.ModuleName], &bankGenesis)
	cdc.MustUnmarshalJSON(simState.GenState[types.ModuleName], &genesis)
	coins.InitGenesis(ctx, &bankGenesis) // panics when the balances aren't the supply
	require.NoError(t, k.InitGenesis(ctx, genesis))

	msgs := keeper.NewMsgServer(k)
	factories := []simsx.SimMsgFactoryX{
		simulation.RegisterOperatorFactory(k), simulation.EditOperatorFactory(k), simulation.BondFactory(k),
		simulation.UnbondFactory(k), simulation.UnjailFactory(k), simulation.UpdateParamsFactory(k),
		simulation.DelegateFactory(k), simulation.UndelegateFactory(k), simulation.RedelegateFactory(k),
	}
	for range 40 {
		ctx = ctx.WithBlockTime(ctx.BlockTime().Add(time.Duration(r.Intn(600)) * time.Second))
		for _, factory := range factories {
			reporter := simsx.NewBasicSimulationReporter().WithScope(factory.MsgType())
			data := simsx.NewChainDataSource(ctx, r, accounts, coins, addresses, simState.Accounts...)
			_, msg := simsx.SafeRunFactoryMethod(ctx, data, reporter, factory.Create())
			if reporter.IsSkipped() {
				continue
			}
			require.NoError(t, deliver(ctx, msgs, msg), "%T %v", msg, msg)
			delivered[sdk.MsgTypeURL(msg)]++
		}
		slashSome(t, ctx, k, r, simState.Accounts)
		require.NoError(t, k.EndBlock(ctx))
		broken, err := k.CheckInvariants(ctx)
		require.NoError(t, err)
		require.Empty(t, broken)
	}
}

// slashSome slashes a random operator in some of the blocks, as upper modules do.
func slashSome(t *testing.T, ctx sdk.Context, k *keeper.Keeper, r *rand.Rand, accounts []simtypes.Account) {
	t.Helper()
	operator := accounts[r.Intn(len(accounts))].Address
	if known, err := k.HasOperator(ctx, operator); err != nil || !known || r.Intn(3) > 0 {
		require.NoError(t, err)
		return
	}
	_, err := k.Slash(ctx, types.SlashRequest{
		Operator: operator, Fault: types.FAULT_SLA_CREDIT, FaultID: ctx.BlockTime().String() + operator.String(),
		FractionPPM: uint64(simtypes.RandIntBetween(r, 1, types.PPM+1)), CommittedAt: ctx.BlockTime().Add(-time.Second),
		Reporter: accounts[r.Intn(len(accounts))].Address,
	})
	if !errors.Is(err, types.ErrAlreadySlashed) { // two blocks of one time
		require.NoError(t, err)
	}
}

func deliver(ctx sdk.Context, msgs types.MsgServer, msg sdk.Msg) (err error) {
	switch m := msg.(type) {
	case *types.MsgRegisterOperator:
		_, err = msgs.RegisterOperator(ctx, m)
	case *types.MsgEditOperator:
		_, err = msgs.EditOperator(ctx, m)
	case *types.MsgBond:
		_, err = msgs.Bond(ctx, m)
	case *types.MsgUnbond:
		_, err = msgs.Unbond(ctx, m)
	case *types.MsgDelegate:
		_, err = msgs.Delegate(ctx, m)
	case *types.MsgUndelegate:
		_, err = msgs.Undelegate(ctx, m)
	case *types.MsgRedelegate:
		_, err = msgs.Redelegate(ctx, m)
	case *types.MsgUnjail:
		_, err = msgs.Unjail(ctx, m)
	case *types.MsgUpdateParams:
		_, err = msgs.UpdateParams(ctx, m)
	}
	return err
}
