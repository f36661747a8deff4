package app

import (
	"fmt"

	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/grafilab/grafi/app/upgrades"
)

// setUpgrades registers the handlers of all known upgrades and, when the node
// was stopped for one of them, makes its store changes on load.
func (app *App) setUpgrades() {
	for _, u := range upgrades.All {
		app.UpgradeKeeper.SetUpgradeHandler(u.Name, u.Handler(app.ModuleManager, app.configurator))
	}
	info, err := app.UpgradeKeeper.ReadUpgradeInfoFromDisk()
	if err != nil {
		panic(fmt.Errorf("upgrade-info.json: %w", err))
	}
	for _, u := range upgrades.All {
		if u.Name == info.Name && !app.UpgradeKeeper.IsSkipHeight(info.Height) {
			app.SetStoreLoader(upgradetypes.UpgradeStoreLoader(info.Height, &u.Stores))
		}
	}
}
