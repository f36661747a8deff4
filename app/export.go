package app

import (
	"encoding/json"
	"fmt"
	"time"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/staking"
)

// ExportAppStateAndValidators writes the state as a genesis. At height zero the
// chain starts again from block 1, so all that counts blocks is reset; otherwise
// it goes on at the next height with the state unchanged.
func (app *App) ExportAppStateAndValidators(
	forZeroHeight bool, jailAllowed, modules []string,
) (servertypes.ExportedApp, error) {
	ctx := app.NewContextLegacy(true, cmtproto.Header{
		ChainID: app.ChainID(),
		Height:  app.LastBlockHeight(),
		Time:    app.lastBlockTime(),
	})
	height := app.LastBlockHeight() + 1
	if forZeroHeight {
		height = 0
		if err := app.prepareZeroHeight(ctx, jailAllowed); err != nil {
			return servertypes.ExportedApp{}, fmt.Errorf("export for height zero: %w", err)
		}
	}

	state, err := app.ModuleManager.ExportGenesisForModules(ctx, app.enc.Codec, modules)
	if err != nil {
		return servertypes.ExportedApp{}, err
	}
	appState, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return servertypes.ExportedApp{}, err
	}
	validators, err := staking.WriteValidators(ctx, app.StakingKeeper)
	return servertypes.ExportedApp{
		AppState:        appState,
		Validators:      validators,
		Height:          height,
		ConsensusParams: app.GetConsensusParams(ctx),
	}, err
}

// prepareZeroHeight pays out all rewards and resets block heights, module by
// module. When jailAllowed is not empty, every other validator is jailed.
func (app *App) prepareZeroHeight(ctx sdk.Context, jailAllowed []string) error {
	if err := app.settleDistribution(ctx); err != nil {
		return err
	}
	if err := app.resetStakingHeights(ctx, jailAllowed); err != nil {
		return err
	}
	return app.resetSigningInfos(ctx)
}

// lastBlockTime is the time of the last committed block, which the exporting
// process has not seen itself; zero before the first block.
func (app *App) lastBlockTime() time.Time {
	type commitInfoGetter interface {
		GetCommitInfo(version int64) (*storetypes.CommitInfo, error)
	}
	store, ok := app.CommitMultiStore().(commitInfoGetter)
	if !ok {
		return time.Time{}
	}
	info, err := store.GetCommitInfo(app.LastBlockHeight())
	if err != nil {
		return time.Time{}
	}
	return info.Timestamp
}
