// Package chainclient is the one way in which the off-chain programs talk to
// the chain: CometBFT JSON-RPC over several endpoints with failover, queries by
// ABCI, and transactions built, signed, simulated, sent and awaited.
//
// It needs no keyring and no client.Context: whoever sends passes a private key.
package chainclient

import (
	"fmt"
	"net/url"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Config says which chain is meant and how it is reached. Zero durations and
// numbers mean the default named beside them.
type Config struct {
	// ChainID is checked against every endpoint before it is used.
	ChainID string
	// Endpoints are CometBFT RPC URLs (http, https or tcp), tried in this order.
	// Two or more, run by different people, survive the loss of one.
	Endpoints []string
	// GasPrices is the fee per unit of gas, for example "0.025ugrafi". The
	// amount is rounded up. Empty pays no fee, which only a test chain accepts.
	GasPrices string
	// GasAdjustment multiplies the simulated gas, in percent. 130 by default.
	GasAdjustment uint32
	// FeeGranter pays the fees when set (bech32); the signer needs its feegrant.
	FeeGranter string
	// RequestTimeout bounds one call to one endpoint. 5 s by default.
	RequestTimeout time.Duration
	// InclusionTimeout bounds the wait for a block with the transaction. 30 s by default.
	InclusionTimeout time.Duration
	// PollInterval is the pause between two looks for the transaction. 300 ms by default.
	PollInterval time.Duration
	// StaleAfter is the age of the newest block from which another endpoint is
	// looked for. 60 s by default.
	StaleAfter time.Duration
}

// withDefaults returns c with its zero fields set, or an error that names the wrong field.
func (c Config) withDefaults() (Config, sdk.DecCoins, error) {
	if c.ChainID == "" {
		return c, nil, fmt.Errorf("chain id is empty")
	}
	if len(c.Endpoints) == 0 {
		return c, nil, fmt.Errorf("no endpoint: want at least one CometBFT RPC URL, better two")
	}
	for _, e := range c.Endpoints {
		u, err := url.Parse(e)
		if err != nil {
			return c, nil, fmt.Errorf("endpoint %q: %w", e, err)
		}
		if (u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "tcp") || u.Host == "" {
			return c, nil, fmt.Errorf("endpoint %q: want http://host:port, https://host:port or tcp://host:port", e)
		}
	}
	prices, err := sdk.ParseDecCoins(c.GasPrices)
	if err != nil {
		return c, nil, fmt.Errorf("gas prices %q: %w", c.GasPrices, err)
	}
	if c.GasAdjustment == 0 {
		c.GasAdjustment = 130
	}
	if c.GasAdjustment < 100 || c.GasAdjustment > 1000 {
		return c, nil, fmt.Errorf("gas adjustment %d%%: want 100 to 1000", c.GasAdjustment)
	}
	c.RequestTimeout = orDefault(c.RequestTimeout, 5*time.Second)
	c.InclusionTimeout = orDefault(c.InclusionTimeout, 30*time.Second)
	c.PollInterval = orDefault(c.PollInterval, 300*time.Millisecond)
	c.StaleAfter = orDefault(c.StaleAfter, time.Minute)
	return c, prices, nil
}

func orDefault(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}
