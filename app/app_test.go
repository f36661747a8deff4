package app_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/msgservice"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	minttypes "github.com/cosmos/cosmos-sdk/x/mint/types"

	"github.com/grafilab/grafi/app"
	"github.com/grafilab/grafi/app/apptest"
	"github.com/grafilab/grafi/internal/chaininfo"
)

func ugrafi(n int64) sdk.Coins { return sdk.NewCoins(sdk.NewInt64Coin(chaininfo.BaseDenom, n)) }

func TestSendPaysAndFeesAreCollected(t *testing.T) {
	c := apptest.New(t, apptest.Options{})
	alice, bob := c.Accounts[0], c.Accounts[1]
	supply := c.BankKeeper.GetSupply(c.Context(), chaininfo.BaseDenom)

	resp := c.NextBlock(t, time.Second, c.Tx(t, alice, banktypes.NewMsgSend(alice.Address, bob.Address, ugrafi(7))))

	require.Zero(t, resp.TxResults[0].Code, resp.TxResults[0].Log)
	ctx := c.Context()
	require.Equal(t, math.NewInt(apptest.Balance-7-apptest.Fee), c.BankKeeper.GetBalance(ctx, alice.Address, chaininfo.BaseDenom).Amount)
	require.Equal(t, math.NewInt(apptest.Balance+7), c.BankKeeper.GetBalance(ctx, bob.Address, chaininfo.BaseDenom).Amount)
	require.Equal(t, math.NewInt(apptest.Fee),
		c.BankKeeper.GetBalance(ctx, authtypes.NewModuleAddress(authtypes.FeeCollectorName), chaininfo.BaseDenom).Amount,
		"the fee is credited at the end of the block that collected it")

	for range 20 {
		c.NextBlock(t, time.Second)
	}
	require.Equal(t, supply, c.BankKeeper.GetSupply(c.Context(), chaininfo.BaseDenom), "nothing is minted by itself")
}

func TestSupplyCap(t *testing.T) {
	c := apptest.New(t, apptest.Options{})
	ctx := c.Context()
	supply := c.BankKeeper.GetSupply(ctx, chaininfo.BaseDenom).Amount
	room := math.NewInt(chaininfo.SupplyCap).Sub(supply)

	err := c.BankKeeper.MintCoins(ctx, minttypes.ModuleName, sdk.NewCoins(sdk.NewCoin(chaininfo.BaseDenom, room.AddRaw(1))))
	require.ErrorContains(t, err, "over the cap of 2100000000000000ugrafi")
	require.Equal(t, supply, c.BankKeeper.GetSupply(ctx, chaininfo.BaseDenom).Amount)

	require.NoError(t, c.BankKeeper.MintCoins(ctx, minttypes.ModuleName, sdk.NewCoins(sdk.NewCoin(chaininfo.BaseDenom, room))))
	require.Error(t, c.BankKeeper.MintCoins(ctx, minttypes.ModuleName, ugrafi(1)), "the cap itself is reached")
}

func TestModuleAccountsRefuseTransfers(t *testing.T) {
	c := apptest.New(t, apptest.Options{})
	alice := c.Accounts[0]
	names := app.ModuleAccountNames()
	require.Contains(t, names, authtypes.FeeCollectorName)

	for _, name := range names {
		to := authtypes.NewModuleAddress(name)
		resp := c.NextBlock(t, time.Second, c.Tx(t, alice, banktypes.NewMsgSend(alice.Address, to, ugrafi(1))))
		if name == govtypes.ModuleName {
			require.Zero(t, resp.TxResults[0].Code, "governance may be funded")
			continue
		}
		require.NotZero(t, resp.TxResults[0].Code, "%s accepted a transfer", name)
		require.Contains(t, resp.TxResults[0].Log, "is not allowed to receive funds")
	}
}

// TestModuleAccountsAreKnown finds an account that a module uses and nobody
// listed: it would be open to transfers from users.
func TestModuleAccountsAreKnown(t *testing.T) {
	c := apptest.New(t, apptest.Options{})
	known := map[string]bool{}
	for _, name := range app.ModuleAccountNames() {
		known[name] = true
	}
	for name := range c.ModuleManager.Modules {
		if c.AccountKeeper.GetModuleAddress(name) != nil {
			require.True(t, known[name], name)
		}
	}
	c.AccountKeeper.IterateAccounts(c.Context(), func(a sdk.AccountI) bool {
		if m, ok := a.(sdk.ModuleAccountI); ok {
			require.True(t, known[m.GetName()], m.GetName())
		}
		return false
	})
}

func TestCloseTwice(t *testing.T) {
	db, err := dbm.NewPebbleDB("application", t.TempDir(), nil)
	require.NoError(t, err)
	c := apptest.New(t, apptest.Options{DB: db})

	require.NoError(t, c.Close())
	require.NoError(t, c.Close(), "the server closes more than once")
}

// TestRestart loads the state of a stopped node and goes on.
func TestRestart(t *testing.T) {
	db := dbm.NewMemDB()
	c := apptest.New(t, apptest.Options{DB: db})
	hash := c.LastCommitID().Hash

	again := apptest.Load(t, apptest.Options{DB: db})

	require.Equal(t, c.Height, again.LastBlockHeight())
	require.Equal(t, hash, again.LastCommitID().Hash)
}

func TestProtoAnnotations(t *testing.T) {
	files, err := proto.MergedRegistry()
	require.NoError(t, err)
	require.NoError(t, msgservice.ValidateProtoAnnotations(files))
}

func TestDenomMetadata(t *testing.T) {
	c := apptest.New(t, apptest.Options{})
	meta, ok := c.BankKeeper.GetDenomMetaData(c.Context(), chaininfo.BaseDenom)
	require.True(t, ok)
	require.NoError(t, meta.Validate())
	require.Equal(t, "GRAFI", meta.Display)
}
