// Package upgrades lists the software upgrades of the chain. A release that
// changes state adds one file and one line to All.
package upgrades

import (
	"context"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"
)

// Upgrade is one planned change of the running chain.
type Upgrade struct {
	// Name is the name in the governance proposal's plan.
	Name string
	// Stores are the stores that come, go or are renamed with it.
	Stores storetypes.StoreUpgrades
	// Handler makes the migration. It runs in the first block of the new binary.
	Handler func(*module.Manager, module.Configurator) upgradetypes.UpgradeHandler
}

// All are the upgrades this binary can perform, oldest first. A binary that
// knows a planned upgrade refuses to run before its height, so a line is added
// in the release that makes the upgrade and never earlier:
//
//	MigrationsOnly("v0.2.0"),
var All []Upgrade

// MigrationsOnly is the smallest upgrade: it runs the migrations of modules
// whose consensus version rose, and does nothing when none did.
func MigrationsOnly(name string) Upgrade {
	return Upgrade{
		Name: name,
		Handler: func(mm *module.Manager, cfg module.Configurator) upgradetypes.UpgradeHandler {
			return func(ctx context.Context, _ upgradetypes.Plan, from module.VersionMap) (module.VersionMap, error) {
				return mm.RunMigrations(ctx, cfg, from)
			}
		},
	}
}
