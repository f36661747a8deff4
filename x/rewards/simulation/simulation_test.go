package simulation_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"math/rand"
	"os"
	"testing"
	"time"

	"cosmossdk.io/core/header"
	corestore "cosmossdk.io/core/store"
	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/baseapp"
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
	minttypes "github.com/cosmos/cosmos-sdk/x/mint/types"

	"github.com/grafilab/grafi/internal/chaininfo"
	attestationkeeper "github.com/grafilab/grafi/x/attestation/keeper"
	attestationsim "github.com/grafilab/grafi/x/attestation/simulation"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
	"github.com/grafilab/grafi/x/rewards/keeper"
	"github.com/grafilab/grafi/x/rewards/simulation"
	"github.com/grafilab/grafi/x/rewards/types"
	stakingkeeper "github.com/grafilab/grafi/x/staking-ext/keeper"
	stakingsim "github.com/grafilab/grafi/x/staking-ext/simulation"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// chain is x/rewards on the modules that it calls and hears from, all of them
// real. Rent is paid by the test.
type chain struct {
	ctx         sdk.Context
	r           *rand.Rand
	accounts    authkeeper.AccountKeeper
	bank        bankkeeper.BaseKeeper
	staking     *stakingkeeper.Keeper
	attestation *attestationkeeper.Keeper
	rewards     *keeper.Keeper
	router      *baseapp.MsgServiceRouter
	people      []simtypes.Account
}

// TestSimulation starts from random genesis states and delivers what the factories
// make, among stakers, hosts, slots and faults of the modules below: every message
// of x/rewards that isn't skipped succeeds, every kind of them comes through, and
// after each block all accounts add up.
func TestSimulation(t *testing.T) {
	chaininfo.ConfigureSDK()
	seeds, blocks := int64(4), 40
	if os.Getenv("GRAFI_LONG_TESTS") != "" {
		seeds, blocks = 40, 200
	}
	delivered := map[string]int{}
	for seed := range seeds {
		c := newChain(t, rand.New(rand.NewSource(seed)))
		for range blocks {
			c.block(t, delivered)
		}
		c.requireSameAfterExport(t)
	}
	for _, name := range []string{"ClaimMining", "WithdrawReleased", "ClaimStakingRewards", "UpdateParams"} {
		require.Positive(t, delivered["/grafi.rewards.v1.Msg"+name], "%s in %v", name, delivered)
	}
	t.Log(delivered)
}

func newChain(t *testing.T, r *rand.Rand) *chain {
	t.Helper()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, stakingext.StoreKey, attestation.StoreKey, types.StoreKey)
	logger := log.NewNopLogger()
	c := &chain{r: r, people: simtypes.RandomAccounts(r, 10)}
	c.ctx = sdk.NewContext(integration.CreateMultiStore(keys, logger), cmtproto.Header{}, false, logger).
		WithBlockTime(now).WithChainID("simulation")
	enc := moduletestutil.MakeTestEncodingConfig(auth.AppModuleBasic{}, bank.AppModuleBasic{})
	types.RegisterInterfaces(enc.InterfaceRegistry)
	stakingext.RegisterInterfaces(enc.InterfaceRegistry)
	attestation.RegisterInterfaces(enc.InterfaceRegistry)
	addresses, gov := address.NewBech32Codec(chaininfo.Bech32Prefix), authtypes.NewModuleAddress(govtypes.ModuleName)
	store := func(key string) corestore.KVStoreService { return runtime.NewKVStoreService(keys[key]) }
	c.accounts = authkeeper.NewAccountKeeper(enc.Codec, store(authtypes.StoreKey), authtypes.ProtoBaseAccount, map[string][]string{
		minttypes.ModuleName: {authtypes.Minter}, govtypes.ModuleName: nil, authtypes.FeeCollectorName: nil,
		stakingext.ModuleName: {authtypes.Burner}, stakingext.UnbondingAccount: {authtypes.Burner}, stakingext.InsuranceAccount: nil,
		types.ModuleName: {authtypes.Minter}, types.StakersAccount: nil,
	}, addresses, chaininfo.Bech32Prefix, gov.String())
	c.bank = bankkeeper.NewBaseKeeper(enc.Codec, store(banktypes.StoreKey), c.accounts, nil, gov.String(), logger)
	c.staking = stakingkeeper.NewKeeper(store(stakingext.StoreKey), enc.Codec, addresses, gov, c.bank)
	c.attestation = attestationkeeper.NewKeeper(store(attestation.StoreKey), enc.Codec, addresses, gov, c.staking)
	c.rewards = keeper.NewKeeper(store(types.StoreKey), enc.Codec, addresses, gov, c.bank, c.staking, c.attestation)
	c.staking.SetHooks(c.rewards.StakingHooks())
	c.attestation.SetHooks(c.rewards.AttestationHooks())
	c.router = baseapp.NewMsgServiceRouter()
	c.router.SetInterfaceRegistry(enc.InterfaceRegistry)
	types.RegisterMsgServer(c.router, keeper.NewMsgServer(c.rewards))
	stakingext.RegisterMsgServer(c.router, stakingkeeper.NewMsgServer(c.staking))
	attestation.RegisterMsgServer(c.router, attestationkeeper.NewMsgServer(c.attestation))

	state := &module.SimulationState{
		AppParams: simtypes.AppParams{}, Cdc: enc.Codec, Rand: r, GenState: map[string]json.RawMessage{},
		Accounts: c.people, InitialStake: math.NewInt(1_000_000_000_000), BondDenom: chaininfo.BaseDenom, GenTimestamp: now,
	}
	bank.AppModule{}.GenerateGenesisState(state)
	stakingsim.RandomizedGenState(state)
	attestationsim.RandomizedGenState(state)
	simulation.RandomizedGenState(state)
	var banks banktypes.GenesisState
	var stakes stakingext.GenesisState
	var hosts attestation.GenesisState
	var gs types.GenesisState
	enc.Codec.MustUnmarshalJSON(state.GenState[banktypes.ModuleName], &banks)
	enc.Codec.MustUnmarshalJSON(state.GenState[stakingext.ModuleName], &stakes)
	enc.Codec.MustUnmarshalJSON(state.GenState[attestation.ModuleName], &hosts)
	enc.Codec.MustUnmarshalJSON(state.GenState[types.ModuleName], &gs)
	// Days so short that many close in a run.
	hosts.Params.SlotSeconds, hosts.Params.SlotsPerDay, hosts.Params.SubmitWindow = 60, uint32(1+r.Intn(4)), time.Minute
	hosts.Params.EvidenceMaxAge, hosts.Params.BitmapDays, hosts.Params.CounterDays = 24*time.Hour, 3, 365
	c.bank.InitGenesis(c.ctx, &banks)
	require.NoError(t, c.staking.InitGenesis(c.ctx, stakes))
	require.NoError(t, c.attestation.InitGenesis(c.ctx, hosts))
	require.NoError(t, c.rewards.InitGenesis(c.ctx, gs))
	return c
}

// block runs one block with some of every message, and checks all accounts.
func (c *chain) block(t *testing.T, delivered map[string]int) {
	t.Helper()
	height := c.ctx.BlockHeight() + 1
	now := c.ctx.BlockTime().Add(time.Duration(10+c.r.Intn(60)) * time.Second)
	if c.r.Intn(15) == 0 {
		now = now.Add(time.Duration(c.r.Intn(3_600)) * time.Second) // a halt
	}
	hash := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(height)))
	c.ctx = c.ctx.WithBlockHeight(height).WithBlockTime(now).WithEventManager(sdk.NewEventManager()).
		WithHeaderInfo(header.Info{ChainID: c.ctx.ChainID(), Height: height, Hash: hash[:], Time: now})
	require.NoError(t, c.rewards.BeginBlock(c.ctx))
	require.NoError(t, c.attestation.BeginBlock(c.ctx))
	for range 3 {
		c.deliver(t, delivered, attestationsim.SubmitAttestationsFactory(c.attestation))
	}
	c.pay(t)
	for _, factory := range []simsx.SimMsgFactoryX{
		stakingsim.RegisterOperatorFactory(c.staking), stakingsim.EditOperatorFactory(c.staking), stakingsim.BondFactory(c.staking),
		stakingsim.UnbondFactory(c.staking), stakingsim.UnjailFactory(c.staking), stakingsim.DelegateFactory(c.staking),
		stakingsim.UndelegateFactory(c.staking), stakingsim.RedelegateFactory(c.staking),
		attestationsim.RegisterHostFactory(c.attestation), attestationsim.UpdateInventoryFactory(c.attestation),
		attestationsim.CommitChallengeFactory(c.attestation), attestationsim.OpenChallengeFactory(c.attestation),
		simulation.ClaimMiningFactory(c.rewards), simulation.WithdrawReleasedFactory(c.rewards),
		simulation.ClaimStakingRewardsFactory(c.rewards),
	} {
		c.deliver(t, delivered, factory)
	}
	if c.r.Intn(10) == 0 {
		c.deliver(t, delivered, attestationsim.SubmitEquivocationFactory(c.attestation))
		c.deliver(t, delivered, simulation.UpdateParamsFactory(c.rewards))
	}
	require.NoError(t, c.staking.EndBlock(c.ctx))
	require.NoError(t, c.attestation.EndBlock(c.ctx))
	require.NoError(t, c.rewards.EndBlock(c.ctx))
	c.requireInvariants(t)
}

// deliver makes one message and delivers it as a transaction. Messages of other
// modules may be refused.
func (c *chain) deliver(t *testing.T, delivered map[string]int, factory simsx.SimMsgFactoryX) {
	t.Helper()
	reporter := simsx.NewBasicSimulationReporter().WithScope(factory.MsgType())
	data := simsx.NewChainDataSource(c.ctx, c.r, c.accounts, c.bank, address.NewBech32Codec(chaininfo.Bech32Prefix), c.people...)
	_, msg := simsx.SafeRunFactoryMethod(c.ctx, data, reporter, factory.Create())
	if reporter.IsSkipped() {
		return
	}
	cached, write := c.ctx.CacheContext()
	_, err := c.router.Handler(msg)(cached, msg)
	name := sdk.MsgTypeURL(msg)
	if err == nil {
		write()
		delivered[name]++
		return
	}
	switch msg.(type) {
	case *types.MsgClaimMining, *types.MsgWithdrawReleased, *types.MsgClaimStakingRewards, *types.MsgUpdateParams:
		require.NoError(t, err, "%T %v", msg, msg)
	}
}

// pay has a random operator's GPU rented for the last minutes: the stakers' fee,
// sometimes in another denom.
func (c *chain) pay(t *testing.T) {
	t.Helper()
	operators, err := stakingkeeper.NewQueryServer(c.staking).Operators(c.ctx, &stakingext.QueryOperatorsRequest{})
	require.NoError(t, err)
	if len(operators.Operators) == 0 {
		return
	}
	operator := sdk.MustAccAddressFromBech32(operators.Operators[c.r.Intn(len(operators.Operators))].Address)
	denom := chaininfo.BaseDenom
	if c.r.Intn(3) == 0 {
		denom = "uother"
	}
	fee := sdk.NewInt64Coin(denom, 1+c.r.Int63n(10_000_000))
	require.NoError(t, c.bank.MintCoins(c.ctx, minttypes.ModuleName, sdk.NewCoins(fee)))
	require.NoError(t, c.bank.SendCoinsFromModuleToModule(c.ctx, minttypes.ModuleName, types.StakersAccount, sdk.NewCoins(fee)))
	p := gpumarket.Payment{
		RentalID: 1, Operator: operator, From: c.ctx.BlockTime().Add(-time.Minute), To: c.ctx.BlockTime(),
		Denom: denom, Stakers: fee.Amount, Treasury: fee.Amount, Burned: fee.Amount,
	}
	if hosts, err := attestationkeeper.NewQueryServer(c.attestation).HostsByOperator(c.ctx,
		&attestation.QueryHostsByOperatorRequest{Operator: operator.String()}); err == nil && len(hosts.Hosts) > 0 {
		p.HostID, p.GPUs = hosts.Hosts[0].Id, []uint32{0}
	}
	require.NoError(t, c.rewards.MarketHooks().AfterRentalPaid(c.ctx, p))
}

func (c *chain) requireInvariants(t *testing.T) {
	t.Helper()
	for name, check := range map[string]func(context.Context) ([]string, error){
		"staking": c.staking.CheckInvariants, "attestation": c.attestation.CheckInvariants, "rewards": c.rewards.CheckInvariants,
	} {
		broken, err := check(c.ctx)
		require.NoError(t, err)
		require.Empty(t, broken, "%s at %d", name, c.ctx.BlockHeight())
	}
}

// requireSameAfterExport writes the exported state over itself: it is accepted, and
// exports the same again.
func (c *chain) requireSameAfterExport(t *testing.T) {
	t.Helper()
	exported, err := c.rewards.ExportGenesis(c.ctx)
	require.NoError(t, err)
	require.NoError(t, c.rewards.InitGenesis(c.ctx, *exported))
	again, err := c.rewards.ExportGenesis(c.ctx)
	require.NoError(t, err)
	require.Equal(t, exported, again)
}
