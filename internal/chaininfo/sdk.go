package chaininfo

import (
	"sync"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

var configureOnce sync.Once

// ConfigureSDK sets the address prefixes, the coin type and the bond denom in
// the SDK's process-wide configuration. It may be called any number of times
// and must be called before the first address is printed.
func ConfigureSDK() {
	configureOnce.Do(func() {
		cfg := sdk.GetConfig()
		cfg.SetBech32PrefixForAccount(Bech32Prefix, Bech32Prefix+"pub")
		cfg.SetBech32PrefixForValidator(Bech32Prefix+"valoper", Bech32Prefix+"valoperpub")
		cfg.SetBech32PrefixForConsensusNode(Bech32Prefix+"valcons", Bech32Prefix+"valconspub")
		cfg.SetCoinType(CoinType)
		cfg.SetPurpose(44)
		sdk.DefaultBondDenom = BaseDenom
	})
}
