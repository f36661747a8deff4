package simulation_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand"
	"testing"
	"time"

	"cosmossdk.io/core/header"
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
	minttypes "github.com/cosmos/cosmos-sdk/x/mint/types"

	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/x/dao/keeper"
	"github.com/grafilab/grafi/x/dao/simulation"
	"github.com/grafilab/grafi/x/dao/types"
	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// fakes are the neighbours of the DAO: closed rentals, slashes and stakes.
type fakes struct {
	types.StakingKeeper
	bank    bankkeeper.BaseKeeper
	rentals map[uint64]gpumarket.Rental
	slashed map[string]stakingext.SlashRecord
	fails   *bool // in the end of a block, for no reason that the DAO could know
}

func (f fakes) Rental(_ context.Context, id uint64) (gpumarket.Rental, error) {
	if r, ok := f.rentals[id]; ok {
		return r, nil
	}
	return gpumarket.Rental{}, gpumarket.ErrRentalNotFound
}

func (f fakes) StakeDenom(context.Context) (string, error) { return chaininfo.BaseDenom, nil }

func (f fakes) UnbondingTime(context.Context) (time.Duration, error) { return 21 * 24 * time.Hour, nil }

func (f fakes) VotingStake(_ context.Context, account sdk.AccAddress) (math.Int, error) {
	return math.NewInt(500 + int64(account[0])*10), nil
}

func (f fakes) SlashRecord(_ context.Context, operator sdk.AccAddress, id uint64) (stakingext.SlashRecord, error) {
	if s, ok := f.slashed[operator.String()]; ok && s.Id == id {
		return s, nil
	}
	return stakingext.SlashRecord{}, stakingext.ErrSlashNotFound
}

// Slash takes what it is asked for.
func (f fakes) Slash(ctx context.Context, req stakingext.SlashRequest) (stakingext.SlashResult, error) {
	result := stakingext.NewSlashResult()
	if *f.fails {
		return result, stakingext.ErrInvalidSlash
	}
	result.FromOwnStake = req.Amount
	if err := f.bank.MintCoins(ctx, minttypes.ModuleName, coins(req.Amount)); err != nil {
		return result, err
	}
	return result, f.bank.SendCoinsFromModuleToModule(ctx, minttypes.ModuleName, req.HoldIn, coins(req.Amount))
}

func (f fakes) PayFromInsurance(context.Context, sdk.AccAddress, math.Int) (math.Int, error) {
	return math.ZeroInt(), nil
}

func coins(amount math.Int) sdk.Coins { return sdk.NewCoins(sdk.NewCoin(chaininfo.BaseDenom, amount)) }

// TestDisputesSimulation delivers what the factories of disputes make: every
// message that isn't skipped succeeds, every kind of message comes through, and
// the invariants hold after each block.
func TestDisputesSimulation(t *testing.T) {
	chaininfo.ConfigureSDK()
	delivered := map[string]int{}
	for seed := range int64(4) {
		runDisputes(t, rand.New(rand.NewSource(seed)), delivered)
	}
	for _, name := range []string{
		"OpenDispute", "JoinJury", "LeaveJury", "CommitVote", "RevealVote", "Appeal", "DecideAppeal", "ResumeDispute",
	} {
		require.Positive(t, delivered["/grafi.dao.v1.Msg"+name], "%s in %v", name, delivered)
	}
}

func runDisputes(t *testing.T, r *rand.Rand, delivered map[string]int) {
	t.Helper()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, types.StoreKey)
	logger := log.NewNopLogger()
	ctx := sdk.NewContext(integration.CreateMultiStore(keys, logger), cmtproto.Header{}, false, logger).WithBlockTime(now).WithChainID("sim")
	cdc := moduletestutil.MakeTestEncodingConfig(auth.AppModuleBasic{}, bank.AppModuleBasic{}).Codec
	addresses := address.NewBech32Codec(chaininfo.Bech32Prefix)
	authority := authtypes.NewModuleAddress(govtypes.ModuleName)
	accounts := authkeeper.NewAccountKeeper(cdc, runtime.NewKVStoreService(keys[authtypes.StoreKey]),
		authtypes.ProtoBaseAccount, map[string][]string{
			govtypes.ModuleName: nil, minttypes.ModuleName: {authtypes.Minter},
			types.ModuleName: {authtypes.Burner}, types.TreasuryAccount: nil,
		}, addresses, chaininfo.Bech32Prefix, authority.String())
	money := bankkeeper.NewBaseKeeper(cdc, runtime.NewKVStoreService(keys[banktypes.StoreKey]), accounts, nil, authority.String(), logger)
	require.NoError(t, money.SetParams(ctx, banktypes.DefaultParams()))
	people := simtypes.RandomAccounts(r, 14)
	for _, p := range people {
		require.NoError(t, money.MintCoins(ctx, minttypes.ModuleName, coins(math.NewInt(1_000_000))))
		require.NoError(t, money.SendCoinsFromModuleToAccount(ctx, minttypes.ModuleName, p.Address, coins(math.NewInt(1_000_000))))
	}
	near := fakes{bank: money, rentals: map[uint64]gpumarket.Rental{}, slashed: map[string]stakingext.SlashRecord{}, fails: new(bool)}
	for i := range 12 {
		renter, operator := people[i].Address.String(), people[(i+1)%len(people)].Address.String()
		closed := now.Add(time.Duration(i) * time.Hour)
		id, err := gpumarket.RentalID(uint64(i+1), uint64(i%3))
		require.NoError(t, err)
		near.rentals[id] = gpumarket.Rental{
			Id: id, Renter: renter, Operator: operator, State: gpumarket.RENTAL_STATE_CLOSED, ClosedAt: &closed,
			Price: sdk.NewInt64Coin(chaininfo.BaseDenom, 1), Paid: math.NewInt(int64(r.Intn(100_000))),
		}
		near.slashed[operator] = stakingext.SlashRecord{
			Operator: operator, Id: 1, Fault: stakingext.FAULT_MISSED_CHALLENGE, ExecutedAt: closed,
			FromRewards: math.NewInt(5), FromOwnStake: math.NewInt(int64(r.Intn(5_000))), FromUnbonding: math.ZeroInt(),
		}
	}
	k := keeper.NewKeeper(runtime.NewKVStoreService(keys[types.StoreKey]), cdc, addresses, authority, money, nil, near, near)

	simState := &module.SimulationState{
		AppParams: simtypes.AppParams{}, Cdc: cdc, Rand: r, GenState: map[string]json.RawMessage{},
		Accounts: people, BondDenom: chaininfo.BaseDenom, GenTimestamp: now,
	}
	simulation.RandomizedGenState(simState)
	var genesis types.GenesisState
	cdc.MustUnmarshalJSON(simState.GenState[types.ModuleName], &genesis)
	genesis.Params.MaxJurors, genesis.Params.PanelSize = 14, 3
	genesis.Params.DisputeWindow = 30 * 24 * time.Hour
	require.NoError(t, k.InitGenesis(ctx, genesis))

	msgs := keeper.NewMsgServer(k)
	factories := []simsx.SimMsgFactoryX{
		simulation.JoinJuryFactory(k), simulation.OpenDisputeFactory(k), simulation.CommitVoteFactory(k), simulation.CommitVoteFactory(k),
		simulation.RevealVoteFactory(k), simulation.RevealVoteFactory(k), simulation.AppealFactory(k), simulation.DecideAppealFactory(k),
		simulation.ResumeDisputeFactory(k), simulation.LeaveJuryFactory(k),
	}
	for block := range int64(150) {
		now = now.Add(time.Duration(r.Intn(8)) * time.Hour)
		app := sha256.Sum256(fmt.Append(nil, block))
		ctx = ctx.WithBlockTime(now).WithBlockHeight(block + 2).WithHeaderInfo(header.Info{AppHash: app[:]})
		for i, factory := range factories {
			if i == len(factories)-1 && r.Intn(10) > 0 {
				continue // few leave
			}
			reporter := simsx.NewBasicSimulationReporter().WithScope(factory.MsgType())
			data := simsx.NewChainDataSource(ctx, r, accounts, money, addresses, people...)
			_, msg := simsx.SafeRunFactoryMethod(ctx, data, reporter, factory.Create())
			if reporter.IsSkipped() {
				continue
			}
			require.NoError(t, deliverDispute(ctx, msgs, msg), "%T %v", msg, msg)
			delivered[sdk.MsgTypeURL(msg)]++
		}
		*near.fails = r.Intn(3) == 0
		require.NoError(t, k.EndBlock(ctx))
		*near.fails = false
		broken, err := k.CheckInvariants(ctx)
		require.NoError(t, err)
		require.Empty(t, broken)
	}
}

func deliverDispute(ctx sdk.Context, msgs types.MsgServer, msg sdk.Msg) (err error) {
	switch m := msg.(type) {
	case *types.MsgOpenDispute:
		_, err = msgs.OpenDispute(ctx, m)
	case *types.MsgJoinJury:
		_, err = msgs.JoinJury(ctx, m)
	case *types.MsgLeaveJury:
		_, err = msgs.LeaveJury(ctx, m)
	case *types.MsgCommitVote:
		_, err = msgs.CommitVote(ctx, m)
	case *types.MsgRevealVote:
		_, err = msgs.RevealVote(ctx, m)
	case *types.MsgAppeal:
		_, err = msgs.Appeal(ctx, m)
	case *types.MsgDecideAppeal:
		_, err = msgs.DecideAppeal(ctx, m)
	case *types.MsgResumeDispute:
		_, err = msgs.ResumeDispute(ctx, m)
	}
	return err
}
