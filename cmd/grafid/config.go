package main

import (
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"

	serverconfig "github.com/cosmos/cosmos-sdk/server/config"

	"github.com/grafilab/grafi/internal/chaininfo"
)

const (
	// timeoutCommit is the pause after a block. The rest of the second is spent
	// on the block itself: proposal, two votes and execution.
	timeoutCommit = 900 * time.Millisecond
	// timeoutPropose bounds the wait for a silent proposer: two missed seconds
	// instead of CometBFT's three and a half.
	timeoutPropose      = 1_500 * time.Millisecond
	timeoutProposeDelta = 250 * time.Millisecond
	timeoutVote         = 500 * time.Millisecond
	timeoutVoteDelta    = 250 * time.Millisecond

	// snapshotInterval is in blocks: a state-sync snapshot every 33 minutes.
	snapshotInterval = 2_000
	// queryGasLimit bounds a query from the network; a page of 1,000 records
	// costs a hundredth of it.
	queryGasLimit = 100_000_000
)

// defaultCometConfig is what `grafid init` writes to config.toml.
func defaultCometConfig() *cmtcfg.Config {
	cfg := cmtcfg.DefaultConfig()
	c := cfg.Consensus
	c.TimeoutCommit = timeoutCommit
	c.TimeoutPropose, c.TimeoutProposeDelta = timeoutPropose, timeoutProposeDelta
	c.TimeoutPrevote, c.TimeoutPrevoteDelta = timeoutVote, timeoutVoteDelta
	c.TimeoutPrecommit, c.TimeoutPrecommitDelta = timeoutVote, timeoutVoteDelta
	return cfg
}

// defaultAppConfig is what `grafid init` writes to app.toml.
func defaultAppConfig() (string, *serverconfig.Config) {
	cfg := serverconfig.DefaultConfig()
	cfg.MinGasPrices = chaininfo.DefaultMinGasPrices
	cfg.QueryGasLimit = queryGasLimit
	cfg.AppDBBackend = "pebbledb"
	cfg.StateSync.SnapshotInterval = snapshotInterval
	cfg.API.Enable = true // on loopback only; browsers need it behind a proxy
	return serverconfig.DefaultConfigTemplate, cfg
}
