package app

import (
	"cosmossdk.io/core/address"
	"github.com/cosmos/gogoproto/proto"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/std"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"
	txsigning "github.com/cosmos/cosmos-sdk/x/tx/signing"

	"github.com/grafilab/grafi/internal/chaininfo"
)

// Encoding is how bytes become messages, transactions and addresses.
type Encoding struct {
	Registry codectypes.InterfaceRegistry
	Codec    codec.Codec
	Amino    *codec.LegacyAmino
	TxConfig client.TxConfig

	Accounts   address.Codec
	Validators address.Codec
	Consensus  address.Codec
}

// NewEncoding returns the encoding before any module has registered its types.
// It panics when the signing options are inconsistent, which no caller can mend.
func NewEncoding() Encoding {
	accounts := addresscodec.NewBech32Codec(chaininfo.Bech32Prefix)
	validators := addresscodec.NewBech32Codec(chaininfo.Bech32Prefix + "valoper")
	registry, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles:     proto.HybridResolver,
		SigningOptions: txsigning.Options{AddressCodec: accounts, ValidatorAddressCodec: validators},
	})
	if err != nil {
		panic(err)
	}
	cdc := codec.NewProtoCodec(registry)
	amino := codec.NewLegacyAmino()
	std.RegisterLegacyAminoCodec(amino)
	std.RegisterInterfaces(registry)
	return Encoding{
		Registry:   registry,
		Codec:      cdc,
		Amino:      amino,
		TxConfig:   authtx.NewTxConfig(cdc, authtx.DefaultSignModes),
		Accounts:   accounts,
		Validators: validators,
		Consensus:  addresscodec.NewBech32Codec(chaininfo.Bech32Prefix + "valcons"),
	}
}
