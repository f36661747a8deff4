package app_test

import (
	"testing"
	"time"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/grafilab/grafi/app/apptest"
	"github.com/grafilab/grafi/app/upgrades"
)

// TestUpgradeChangesTheBinary plans an upgrade, stops the old binary at its
// height and goes on with a new one that has the handler, on the same database.
func TestUpgradeChangesTheBinary(t *testing.T) {
	upgrade := upgrades.MigrationsOnly("v9.9.9")
	db := dbm.NewMemDB()
	old := apptest.New(t, apptest.Options{DB: db})
	due := old.Height + 2
	ctx := old.NewUncachedContext(false, cmtproto.Header{ChainID: apptest.ChainID, Height: old.Height, Time: old.Time})
	require.NoError(t, old.UpgradeKeeper.ScheduleUpgrade(ctx, upgradetypes.Plan{Name: upgrade.Name, Height: due}))
	old.NextBlock(t, time.Second)

	_, err := old.FinalizeBlock(old.Request(time.Second))
	require.ErrorContains(t, err, `UPGRADE "v9.9.9" NEEDED`)

	next := old.Reload(t, apptest.Options{DB: db})
	next.UpgradeKeeper.SetUpgradeHandler(upgrade.Name, upgrade.Handler(next.ModuleManager, next.Configurator()))
	next.NextBlock(t, time.Second)
	done, err := next.UpgradeKeeper.GetDoneHeight(next.Context(), upgrade.Name)
	require.NoError(t, err)
	require.Equal(t, due, done)
	next.NextBlock(t, time.Second)
}

// TestKnownUpgrades checks the names: a plan is found by its name alone.
func TestKnownUpgrades(t *testing.T) {
	seen := map[string]bool{}
	for _, u := range upgrades.All {
		require.NotEmpty(t, u.Name)
		require.NotNil(t, u.Handler, u.Name)
		require.False(t, seen[u.Name], u.Name)
		seen[u.Name] = true
	}
}
