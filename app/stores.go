package app

import (
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	authzkeeper "github.com/cosmos/cosmos-sdk/x/authz/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	epochstypes "github.com/cosmos/cosmos-sdk/x/epochs/types"
	evidencetypes "github.com/cosmos/cosmos-sdk/x/evidence/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	minttypes "github.com/cosmos/cosmos-sdk/x/mint/types"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	daotypes "github.com/grafilab/grafi/x/dao/types"
	gpumarkettypes "github.com/grafilab/grafi/x/gpumarket/types"
	rewardstypes "github.com/grafilab/grafi/x/rewards/types"
	stakingexttypes "github.com/grafilab/grafi/x/staking-ext/types"
)

// storeNames are the persistent stores, one per module. A name never changes:
// it is part of the app hash.
var storeNames = []string{
	authtypes.StoreKey,
	authzkeeper.StoreKey,
	banktypes.StoreKey,
	consensustypes.StoreKey,
	distrtypes.StoreKey,
	epochstypes.StoreKey,
	evidencetypes.StoreKey,
	feegrant.StoreKey,
	govtypes.StoreKey,
	minttypes.StoreKey,
	slashingtypes.StoreKey,
	stakingtypes.StoreKey,
	upgradetypes.StoreKey,

	stakingexttypes.StoreKey,
	attestationtypes.StoreKey,
	gpumarkettypes.StoreKey,
	rewardstypes.StoreKey,
	daotypes.StoreKey,
}

// newStoreKeys returns the persistent stores and the object stores, which hold
// Go values for one block and are never written to disk. x/bank collects the
// fees of a block in one, so that transactions do not all write one balance.
func newStoreKeys() (map[string]*storetypes.KVStoreKey, map[string]*storetypes.ObjectStoreKey) {
	return storetypes.NewKVStoreKeys(storeNames...), storetypes.NewObjectStoreKeys(banktypes.ObjectStoreKey)
}

// allStoreKeys is what the parallel executor must track for conflicts.
func (app *App) allStoreKeys() []storetypes.StoreKey {
	keys := make([]storetypes.StoreKey, 0, len(app.keys)+len(app.objKeys))
	for _, k := range app.keys {
		keys = append(keys, k)
	}
	for _, k := range app.objKeys {
		keys = append(keys, k)
	}
	return keys // blockexec sorts them by name
}
