// Package chaininfo names the chain: its address prefix, its denominations and
// its limits. It is the one place where the node, the agent, the executor, the
// data service and the tests take these constants from.
package chaininfo

import "time"

const (
	// AppName is the name of the node binary and of the ABCI application.
	AppName = "grafid"
	// Bech32Prefix starts every account address; validators add "valoper" and
	// "valcons".
	Bech32Prefix = "grafi"
	// CoinType is the SLIP-44 coin type of HD key paths: Cosmos, 118.
	CoinType = 118

	// BaseDenom is the unit of all amounts in state.
	BaseDenom = "ugrafi"
	// DisplayDenom is the unit that people read: 1 GRAFI = 1,000,000 ugrafi.
	DisplayDenom = "GRAFI"
	// DisplayExponent is the number of decimals between the two.
	DisplayExponent = 6
	// BasePerDisplay is 10^DisplayExponent.
	BasePerDisplay int64 = 1_000_000

	// SupplyCapDisplay is the most GRAFI that may ever exist at one time.
	SupplyCapDisplay int64 = 2_100_000_000
	// SupplyCap is SupplyCapDisplay in ugrafi.
	SupplyCap = SupplyCapDisplay * BasePerDisplay

	// DefaultMinGasPrices is what a node asks for a unit of gas unless its
	// app.toml says otherwise. A bank send of 80,000 gas costs 800 ugrafi.
	DefaultMinGasPrices = "0.01" + BaseDenom
	// BlockInterval is the target time between two blocks.
	BlockInterval = time.Second
)
