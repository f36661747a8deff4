package keeper_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"strings"
	"time"

	"cosmossdk.io/core/header"
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
	"github.com/grafilab/grafi/x/dao/keeper"
	"github.com/grafilab/grafi/x/dao/types"
	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

const (
	courtDenom = chaininfo.BaseDenom
	courtGrafi = chaininfo.BasePerDisplay
	courtFunds = 10_000 * courtGrafi
	courtChain = "grafi-court-1"
	// rentalID was closed when the court opens, slashID executed.
	rentalID = uint64(1<<24 + 3)
	slashID  = uint64(4)
	jurorsIn = 9
)

var (
	courtStart = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	renter     = sdk.AccAddress("renter______________")
	provider   = sdk.AccAddress("provider____________")
	outsider   = sdk.AccAddress("outsider____________")
	governance = authtypes.NewModuleAddress(govtypes.ModuleName)
	digest     = sha256.Sum256([]byte("it was never there"))
)

func juror(i int) sdk.AccAddress { return sdk.AccAddress(fmt.Sprintf("juror%d______________", i)[:20]) }

type courtT interface {
	require.TestingT
	Helper()
}

// court is x/dao with a real bank; stakes and rentals are fakes.
type court struct {
	ctx     sdk.Context
	k       *keeper.Keeper
	bank    bankkeeper.BaseKeeper
	cdc     codec.Codec
	msgs    types.MsgServer
	queries types.QueryServer
	stakes  *courtStaking
	market  courtMarket
	names   map[string]sdk.AccAddress
	// reached counts the events of all blocks before this one.
	reached map[string]int
}

// courtMarket is the rentals that exist.
type courtMarket map[uint64]gpumarket.Rental

// Rental implements types.MarketKeeper.
func (m courtMarket) Rental(_ context.Context, id uint64) (gpumarket.Rental, error) {
	r, ok := m[id]
	if !ok {
		return r, gpumarket.ErrRentalNotFound.Wrapf("id %d", id)
	}
	return r, nil
}

// courtStaking has stakes by account, and takes slashed stake out of the real
// account of x/staking-ext.
type courtStaking struct {
	bank      bankkeeper.BaseKeeper
	voting    map[string]int64
	atRisk    map[string]int64
	records   map[uint64]stakingext.SlashRecord
	slashes   []stakingext.SlashRequest
	unbonding time.Duration
	fails     error
	asked     int // for voting stake
}

func (s *courtStaking) StakeDenom(context.Context) (string, error) { return courtDenom, nil }

func (s *courtStaking) VotingStake(_ context.Context, account sdk.AccAddress) (math.Int, error) {
	s.asked++
	return math.NewInt(s.voting[account.String()]), nil
}

func (s *courtStaking) TotalStake(context.Context) (math.Int, error) { return math.ZeroInt(), nil }

func (s *courtStaking) UnbondingTime(context.Context) (time.Duration, error) { return s.unbonding, nil }

// Slash implements types.StakingKeeper for an Amount that is held.
func (s *courtStaking) Slash(ctx context.Context, req stakingext.SlashRequest) (stakingext.SlashResult, error) {
	result := stakingext.NewSlashResult()
	if s.fails != nil {
		return result, s.fails
	}
	now := sdk.UnwrapSDKContext(ctx).BlockTime()
	if now.After(req.CommittedAt.Add(s.unbonding)) {
		return result, stakingext.ErrEvidenceTooOld
	}
	for _, past := range s.slashes {
		if past.FaultID == req.FaultID {
			return result, stakingext.ErrAlreadySlashed
		}
	}
	s.slashes = append(s.slashes, req)
	operator := req.Operator.String()
	result.FromOwnStake = math.MinInt(req.Amount, math.NewInt(s.atRisk[operator]))
	s.atRisk[operator] -= result.FromOwnStake.Int64()
	if result.FromOwnStake.IsZero() {
		return result, nil
	}
	return result, s.bank.SendCoinsFromModuleToModule(ctx, stakingext.ModuleName, req.HoldIn,
		sdk.NewCoins(sdk.NewCoin(courtDenom, result.FromOwnStake)))
}

// SlashRecord implements types.StakingKeeper: all records are the provider's.
func (s *courtStaking) SlashRecord(_ context.Context, operator sdk.AccAddress, id uint64) (stakingext.SlashRecord, error) {
	r, ok := s.records[id]
	if !ok || r.Operator != operator.String() {
		return r, stakingext.ErrSlashNotFound
	}
	return r, nil
}

func (s *courtStaking) PayFromInsurance(ctx context.Context, to sdk.AccAddress, amount math.Int) (math.Int, error) {
	held := s.bank.GetBalance(ctx, authtypes.NewModuleAddress(stakingext.InsuranceAccount), courtDenom).Amount
	paid := math.MinInt(amount, held)
	if paid.IsZero() {
		return paid, nil
	}
	return paid, s.bank.SendCoinsFromModuleToAccount(ctx, stakingext.InsuranceAccount, to,
		sdk.NewCoins(sdk.NewCoin(courtDenom, paid)))
}

// newCourt has nine jurors with 1,000 GRAFI of stake each, a rental that was
// paid 250 GRAFI and a slash that took 60 of the provider's own money, both of
// courtStart, 1,000 GRAFI of the provider at risk and 5,000 in the insurance account.
func newCourt(t courtT, change ...func(*types.Params)) *court {
	t.Helper()
	c := &court{reached: map[string]int{}, names: map[string]sdk.AccAddress{
		"renter": renter, "provider": provider, "outsider": outsider,
		"dao": authtypes.NewModuleAddress(types.ModuleName), "treasury": authtypes.NewModuleAddress(types.TreasuryAccount),
		"stake":     authtypes.NewModuleAddress(stakingext.ModuleName),
		"insurance": authtypes.NewModuleAddress(stakingext.InsuranceAccount),
	}}
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, types.StoreKey)
	logger := log.NewNopLogger()
	c.ctx = sdk.NewContext(integration.CreateMultiStore(keys, logger), cmtproto.Header{}, false, logger).WithChainID(courtChain)
	c.cdc = moduletestutil.MakeTestEncodingConfig(auth.AppModuleBasic{}, bank.AppModuleBasic{}).Codec
	addresses := address.NewBech32Codec(worldPrefix)
	accounts := authkeeper.NewAccountKeeper(c.cdc, runtime.NewKVStoreService(keys[authtypes.StoreKey]),
		authtypes.ProtoBaseAccount, map[string][]string{
			minttypes.ModuleName: {authtypes.Minter}, govtypes.ModuleName: nil, types.ModuleName: {authtypes.Burner},
			types.TreasuryAccount: nil, stakingext.ModuleName: {authtypes.Burner}, stakingext.InsuranceAccount: nil,
		}, addresses, worldPrefix, governance.String())
	c.bank = bankkeeper.NewBaseKeeper(c.cdc, runtime.NewKVStoreService(keys[banktypes.StoreKey]), accounts,
		nil, governance.String(), logger)
	require.NoError(t, c.bank.SetParams(c.ctx, banktypes.DefaultParams()))
	c.stakes = &courtStaking{
		bank: c.bank, voting: map[string]int64{}, atRisk: map[string]int64{provider.String(): 1_000 * courtGrafi},
		records: map[uint64]stakingext.SlashRecord{slashID: courtSlash()}, unbonding: 21 * 24 * time.Hour,
	}
	c.market = courtMarket{rentalID: courtRental()}
	c.k = keeper.NewKeeper(runtime.NewKVStoreService(keys[types.StoreKey]), c.cdc, addresses, governance, c.bank, nil, c.stakes, c.market)
	c.msgs, c.queries = keeper.NewMsgServer(c.k), keeper.NewQueryServer(c.k)

	for i := range jurorsIn {
		c.names[fmt.Sprintf("juror%d", i)] = juror(i)
		c.stakes.voting[juror(i).String()] = 1_000 * courtGrafi
	}
	for name, amount := range map[string]int64{
		"renter": courtFunds, "provider": courtFunds, "outsider": courtFunds, "stake": 1_000 * courtGrafi, "insurance": 5_000 * courtGrafi,
	} {
		c.fund(t, c.names[name], amount)
	}
	gs := types.DefaultGenesis()
	for _, f := range change {
		f(&gs.Params)
	}
	require.NoError(t, c.k.InitGenesis(c.ctx, *gs))
	c.at(courtStart.Add(-time.Hour))
	for i := range jurorsIn {
		c.fund(t, juror(i), courtFunds)
		c.join(t, juror(i))
	}
	c.at(courtStart)
	return c
}

func courtRental() gpumarket.Rental {
	closed := courtStart
	return gpumarket.Rental{
		Id: rentalID, Renter: renter.String(), Operator: provider.String(), State: gpumarket.RENTAL_STATE_CLOSED,
		ClosedAt: &closed, Price: sdk.NewInt64Coin(courtDenom, 1), Paid: math.NewInt(250 * courtGrafi),
	}
}

func courtSlash() stakingext.SlashRecord {
	amount := func(n int64) math.Int { return math.NewInt(n * courtGrafi) }
	return stakingext.SlashRecord{
		Operator: provider.String(), Id: slashID, Fault: stakingext.FAULT_MISSED_CHALLENGE, CommittedAt: courtStart.Add(-time.Hour),
		ExecutedAt: courtStart, FromRewards: amount(10), FromOwnStake: amount(30), FromUnbonding: amount(20), FromDelegated: amount(500),
	}
}

func (c *court) fund(t courtT, to sdk.AccAddress, amount int64) {
	t.Helper()
	coins := sdk.NewCoins(sdk.NewInt64Coin(courtDenom, amount))
	require.NoError(t, c.bank.MintCoins(c.ctx, minttypes.ModuleName, coins))
	require.NoError(t, c.bank.SendCoinsFromModuleToAccount(c.ctx, minttypes.ModuleName, to, coins))
}

// at begins a block at that time.
func (c *court) at(now time.Time) {
	for _, e := range c.ctx.EventManager().Events() {
		c.reached[e.Type]++
	}
	height := c.ctx.BlockHeight() + 1
	app := sha256.Sum256(fmt.Append(nil, "state before ", height))
	c.ctx = c.ctx.WithBlockHeight(height).WithBlockTime(now).WithEventManager(sdk.NewEventManager()).
		WithHeaderInfo(header.Info{Height: height, Time: now, AppHash: app[:], ChainID: courtChain})
}

// end begins a block at that time and ends it.
func (c *court) end(t courtT, now time.Time) {
	t.Helper()
	c.at(now)
	require.NoError(t, c.k.EndBlock(c.ctx))
}

func (c *court) now() time.Time { return c.ctx.BlockTime() }

func (c *court) join(t courtT, who sdk.AccAddress) {
	t.Helper()
	_, err := c.msgs.JoinJury(c.ctx, &types.MsgJoinJury{Juror: who.String()})
	require.NoError(t, err)
}

// courtLook is the whole state and all the money, as text that can be compared.
type courtLook struct {
	State string
	Money map[string]int64
}

func (c *court) export(t courtT) types.GenesisState {
	t.Helper()
	gs, err := c.k.ExportGenesis(c.ctx)
	require.NoError(t, err)
	return *gs
}

func (c *court) text(t courtT, gs types.GenesisState) string {
	t.Helper()
	bz, err := c.cdc.MarshalJSON(&gs)
	require.NoError(t, err)
	return strings.ReplaceAll(string(bz), ",", ",\n")
}

func (c *court) money() map[string]int64 {
	money := map[string]int64{"supply": c.bank.GetSupply(c.ctx, courtDenom).Amount.Int64()}
	for name, account := range c.names {
		money[name] = c.bank.GetBalance(c.ctx, account, courtDenom).Amount.Int64()
	}
	return money
}

func (c *court) look(t courtT) courtLook {
	t.Helper()
	return courtLook{State: c.text(t, c.export(t)), Money: c.money()}
}

// requireMoved checks who has more or less than before, in ugrafi; everybody
// else has the same.
func (c *court) requireMoved(t courtT, before map[string]int64, moved map[string]int64) {
	t.Helper()
	want := maps.Clone(before)
	for who, amount := range moved {
		want[who] += amount
	}
	require.Equal(t, want, c.money())
	c.requireInvariants(t)
}

// requireChange compares state, money and events with what they were and what is wanted.
func (c *court) requireChange(t courtT, state types.GenesisState, money map[string]int64,
	change func(gs *types.GenesisState), moved map[string]int64, events ...proto.Message,
) {
	t.Helper()
	change(&state)
	require.Equal(t, c.text(t, state), c.text(t, c.export(t)))
	c.requireMoved(t, money, moved)
	c.requireEvents(t, events...)
}

// requireEvents compares the module's own events; those of x/bank are its business.
func (c *court) requireEvents(t courtT, events ...proto.Message) {
	t.Helper()
	want, got := sdk.Events{}, sdk.Events{}
	for _, e := range events {
		event, err := sdk.TypedEventToEvent(e)
		require.NoError(t, err)
		want = append(want, event)
	}
	for _, e := range c.ctx.EventManager().Events() {
		if strings.HasPrefix(e.Type, "grafi.dao.") {
			got = append(got, e)
		}
	}
	require.Equal(t, want, got)
}

func (c *court) requireInvariants(t courtT) {
	t.Helper()
	broken, err := c.k.CheckInvariants(c.ctx)
	require.NoError(t, err)
	require.Empty(t, broken)
}

func (c *court) dispute(t courtT, id uint64) types.Dispute {
	t.Helper()
	d, err := c.k.Dispute(c.ctx, id)
	require.NoError(t, err)
	return d
}
