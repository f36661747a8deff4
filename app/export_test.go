package app_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	authzkeeper "github.com/cosmos/cosmos-sdk/x/authz/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/grafilab/grafi/app"
	"github.com/grafilab/grafi/app/apptest"
	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	daotypes "github.com/grafilab/grafi/x/dao/types"
	gpumarkettypes "github.com/grafilab/grafi/x/gpumarket/types"
	rewardstypes "github.com/grafilab/grafi/x/rewards/types"
	stakingexttypes "github.com/grafilab/grafi/x/staking-ext/types"
)

// sdkNotExported are keys that the SDK's own modules rebuild or forget on
// purpose, as its own import/export simulation lists them. Nothing of ours may
// be here.
var sdkNotExported = map[string][][]byte{
	stakingtypes.StoreKey: {
		stakingtypes.UnbondingQueueKey, stakingtypes.RedelegationQueueKey, stakingtypes.ValidatorQueueKey,
		stakingtypes.HistoricalInfoKey, stakingtypes.UnbondingIDKey, stakingtypes.UnbondingIndexKey,
		stakingtypes.UnbondingTypeKey, stakingtypes.ValidatorUpdatesKey,
	},
	slashingtypes.StoreKey: {slashingtypes.ValidatorMissedBlockBitmapKeyPrefix},
	authzkeeper.StoreKey:   {authzkeeper.GrantQueuePrefix},
	feegrant.StoreKey:      {feegrant.FeeAllowanceQueueKeyPrefix},
	upgradetypes.StoreKey:  {{}}, // a new chain has no plan
}

// importChain starts a new chain from an export. With validators, it is told the
// validator set, as CometBFT tells it, and checks it.
func importChain(t testing.TB, from *apptest.Chain, withValidators bool) *apptest.Chain {
	t.Helper()
	exported, err := from.ExportAppStateAndValidators(false, nil, nil)
	require.NoError(t, err)
	require.Equal(t, from.Height+1, exported.Height)
	to := from.Reload(t, apptest.Options{})
	var validators []abci.ValidatorUpdate
	if withValidators {
		for _, v := range exported.Validators {
			validators = append(validators, abci.Ed25519ValidatorUpdate(v.PubKey.Bytes(), v.Power))
		}
	}
	_, err = to.InitChain(&abci.RequestInitChain{
		Time: from.Time, ChainId: apptest.ChainID, ConsensusParams: &exported.ConsensusParams,
		AppStateBytes: exported.AppState, InitialHeight: exported.Height, Validators: validators,
	})
	require.NoError(t, err)
	return to
}

// requireSameStores compares all persistent stores, key by key.
func requireSameStores(t testing.TB, a, b *apptest.Chain) {
	t.Helper()
	ctxA := a.Context()
	// The new chain has not committed: its state is that of the first block.
	ctxB := b.GetContextForFinalizeBlock(nil)
	for name, key := range a.StoreKeys() {
		want := dump(ctxA.MultiStore().GetKVStore(key), sdkNotExported[name])
		got := dump(ctxB.MultiStore().GetKVStore(b.StoreKeys()[name]), sdkNotExported[name])
		require.Equal(t, want, got, "store %s", name)
	}
}

func dump(s storetypes.KVStore, skip [][]byte) map[string]string {
	out := map[string]string{}
	it := s.Iterator(nil, nil)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		if !hasPrefix(it.Key(), skip) {
			out[string(it.Key())] = string(it.Value())
		}
	}
	return out
}

func hasPrefix(key []byte, prefixes [][]byte) bool {
	for _, p := range prefixes {
		if len(key) >= len(p) && string(key[:len(p)]) == string(p) {
			return true
		}
	}
	return false
}

func TestExportImport(t *testing.T) {
	c := apptest.New(t, apptest.Options{Genesis: apptest.WithSimClass})
	populate(t, c)

	imported := importChain(t, c, true)

	requireSameStores(t, c, imported)
}

// TestImportedChainGoesOn lets the old and the new chain run on: deadlines that
// were pending in the export are kept to the second by both.
func TestImportedChainGoesOn(t *testing.T) {
	c := apptest.New(t, apptest.Options{Genesis: apptest.WithSimClass})
	populate(t, c)
	imported := importChain(t, c, true)

	for _, dt := range []time.Duration{
		10 * time.Minute, 50 * time.Minute, time.Second, 24 * time.Hour, 24 * time.Hour, time.Hour, 21 * 24 * time.Hour,
	} {
		c.NextBlock(t, dt)
		imported.NextBlock(t, dt)
	}

	for _, name := range []string{
		stakingexttypes.StoreKey, attestationtypes.StoreKey, gpumarkettypes.StoreKey, rewardstypes.StoreKey,
		daotypes.StoreKey, banktypes.StoreKey,
	} {
		want := dump(c.Context().KVStore(c.StoreKeys()[name]), nil)
		got := dump(imported.Context().KVStore(imported.StoreKeys()[name]), nil)
		require.NotEmpty(t, want, name)
		if name == attestationtypes.StoreKey {
			// A beacon comes from the app hash, which the tree's history changes.
			dropPrefix(want, attestationtypes.ProbeBeaconsPrefix.Bytes())
			dropPrefix(got, attestationtypes.ProbeBeaconsPrefix.Bytes())
		}
		require.Equal(t, want, got, name)
	}
	require.NoError(t, imported.CheckInvariants(imported.Context()))
}

func dropPrefix(store map[string]string, prefix []byte) {
	for key := range store {
		if strings.HasPrefix(key, string(prefix)) {
			delete(store, key)
		}
	}
}

// TestExportNamesEveryStore finds a module whose state would be lost in an
// export: a store without a genesis.
func TestExportNamesEveryStore(t *testing.T) {
	c := apptest.New(t, apptest.Options{})
	exported, err := c.ExportAppStateAndValidators(false, nil, nil)
	require.NoError(t, err)
	var state app.GenesisState
	require.NoError(t, json.Unmarshal(exported.AppState, &state))

	// The stores that aren't named after their module.
	stores := map[string]string{authtypes.StoreKey: authtypes.ModuleName, stakingexttypes.StoreKey: stakingexttypes.ModuleName}
	withoutGenesis := []string{"consensus", "upgrade"}
	for name := range c.StoreKeys() {
		moduleName := name
		if other, ok := stores[name]; ok {
			moduleName = other
		}
		m, ok := c.ModuleManager.Modules[moduleName]
		require.True(t, ok, "store %s has no module", name)
		if slices.Contains(withoutGenesis, name) {
			continue
		}
		_, isGenesis := m.(module.HasGenesis)
		_, isABCIGenesis := m.(module.HasABCIGenesis)
		require.True(t, isGenesis || isABCIGenesis, "module %s can't be exported", moduleName)
		require.Contains(t, state, moduleName)
	}
	require.Contains(t, state, genutiltypes.ModuleName)
}

// TestExportForZeroHeight starts a second life of the chain at block 1.
func TestExportForZeroHeight(t *testing.T) {
	c := apptest.New(t, apptest.Options{Genesis: apptest.WithSimClass})
	populate(t, c)

	exported, err := c.ExportAppStateAndValidators(true, nil, nil)
	require.NoError(t, err)
	require.Zero(t, exported.Height)

	again := apptest.Load(t, apptest.Options{})
	validators := make([]abci.ValidatorUpdate, len(exported.Validators))
	for i, v := range exported.Validators {
		validators[i] = abci.Ed25519ValidatorUpdate(v.PubKey.Bytes(), v.Power)
	}
	_, err = again.InitChain(&abci.RequestInitChain{
		Time: c.Time, ChainId: apptest.ChainID, ConsensusParams: &exported.ConsensusParams,
		AppStateBytes: exported.AppState, InitialHeight: 1, Validators: validators,
	})
	require.NoError(t, err)
	_, err = again.FinalizeBlock(&abci.RequestFinalizeBlock{Height: 1, Time: c.Time.Add(time.Second), Hash: make([]byte, 32)})
	require.NoError(t, err)

	_, err = c.ExportAppStateAndValidators(true, []string{"not an address"}, nil)
	require.ErrorContains(t, err, `validator "not an address"`)
}

// populate gives every module of ours something to export: operators with
// stake, hosts, listings, rentals that wait, run and are closed.
func populate(t *testing.T, c *apptest.Chain) {
	t.Helper()
	m := newMarket(t, c, 2, 3)
	renter := m.renters[0]
	var rent [][]byte
	for range 4 {
		rent = append(rent, c.Tx(t, renter, apptest.RentMsg(renter, m.listings[0], 3600, pricePerHour)))
	}
	resp := c.NextBlock(t, time.Second, rent...)
	m.learn(t, resp.TxResults)
	require.Len(t, m.rentals, 3, "the host has three GPUs")
	require.NotZero(t, resp.TxResults[3].Code)

	resp = c.NextBlock(t, time.Second,
		c.Tx(t, renter, apptest.StartMsg(t, renter, m.hosts[0], m.rentals[0].id)),
		c.Tx(t, renter, apptest.StartMsg(t, renter, m.hosts[0], m.rentals[1].id)),
		c.Tx(t, m.hosts[1].Operator, &stakingexttypes.MsgUnbond{
			Operator: m.hosts[1].Operator.Address.String(), Amount: ugrafi(5_000_000)[0],
		}))
	requireAllSucceeded(t, resp)
	resp = c.NextBlock(t, 90*time.Second,
		c.Tx(t, renter, &gpumarkettypes.MsgCloseRental{Sender: renter.Address.String(), RentalId: m.rentals[1].id}),
		c.Tx(t, renter, banktypes.NewMsgSend(renter.Address, m.hosts[0].Operator.Address, ugrafi(5))))
	requireAllSucceeded(t, resp)
	populateStake(t, c, m)
	populateTerms(t, c, m)
	require.NoError(t, c.CheckInvariants(c.Context()))
}

// populateStake lets an account stake with both operators, move and take out part
// of it, and sit in the jury.
func populateStake(t *testing.T, c *apptest.Chain, m *market) {
	t.Helper()
	staker := m.renters[0]
	from, to := m.hosts[0].Operator.Address.String(), m.hosts[1].Operator.Address.String()
	delegator := staker.Address.String()
	requireAllSucceeded(t, c.NextBlock(t, time.Second,
		c.Tx(t, staker, &stakingexttypes.MsgDelegate{Delegator: delegator, Operator: from, Amount: ugrafi(50_000_000_000)[0]})))
	requireAllSucceeded(t, c.NextBlock(t, time.Second,
		c.Tx(t, staker, &stakingexttypes.MsgRedelegate{Delegator: delegator, From: from, To: to, Amount: ugrafi(7_000_000)[0]})))
	requireAllSucceeded(t, c.NextBlock(t, time.Second,
		c.Tx(t, staker, &stakingexttypes.MsgUndelegate{Delegator: delegator, Operator: from, Amount: ugrafi(3_000_000)[0]})))
	requireAllSucceeded(t, c.NextBlock(t, time.Second,
		c.Tx(t, staker, &daotypes.MsgJoinJury{Juror: delegator})))
}

// populateTerms reserves a GPU for later and subscribes to another one.
func populateTerms(t *testing.T, c *apptest.Chain, m *market) {
	t.Helper()
	operator, renter, listing := m.hosts[1].Operator, m.renters[0], m.listings[1]
	requireAllSucceeded(t, c.NextBlock(t, time.Second, c.Tx(t, operator, &gpumarkettypes.MsgChangeListing{
		Operator: operator.Address.String(), ListingId: listing, Price: ugrafi(pricePerHour)[0],
		NoticeSeconds: 3600, MaxAheadSeconds: 7 * 86_400,
	})))
	reserve := apptest.RentMsg(renter, listing, 7_200, pricePerHour)
	at := c.Time.Add(2 * 24 * time.Hour)
	reserve.StartAt = &at
	requireAllSucceeded(t, c.NextBlock(t, time.Second, c.Tx(t, renter, reserve)))
	requireAllSucceeded(t, c.NextBlock(t, time.Second, c.Tx(t, renter, &gpumarkettypes.MsgSubscribe{
		Renter: renter.Address.String(), ListingId: listing, GpuCount: 1, PeriodSeconds: 3_600,
		Deposit: ugrafi(3 * pricePerHour)[0], Cap: ugrafi(10 * pricePerHour)[0], MaxPrice: ugrafi(pricePerHour)[0],
		ManifestDigest: reserve.ManifestDigest,
	})))
}

func requireAllSucceeded(t *testing.T, resp *abci.ResponseFinalizeBlock) {
	t.Helper()
	for _, res := range resp.TxResults {
		require.Zero(t, res.Code, res.Log)
	}
}
