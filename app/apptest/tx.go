package apptest

import (
	"context"
	"encoding/json"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	clienttx "github.com/cosmos/cosmos-sdk/client/tx"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/grafilab/grafi/app"
	"github.com/grafilab/grafi/internal/chaininfo"
)

const (
	// Gas is the limit of every test transaction.
	Gas = 40_000_000
	// Fee is what every test transaction pays, in ugrafi.
	Fee = 20_000
)

// Tx signs messages with the account's next sequence and counts it up, as a
// wallet does. The transaction is not sent.
func (c *Chain) Tx(tb testing.TB, from *Account, msgs ...sdk.Msg) []byte {
	tb.Helper()
	tx, err := c.sign(from, from.number, from.sequence, sdk.NewCoins(sdk.NewInt64Coin(chaininfo.BaseDenom, Fee)), Gas,
		signing.SignMode_SIGN_MODE_DIRECT, msgs...)
	require.NoError(tb, err)
	from.sequence++
	return tx
}

// TxInMode is Tx with another way to sign: amino JSON is what hardware wallets
// and Keplr use.
func (c *Chain) TxInMode(tb testing.TB, mode signing.SignMode, from *Account, msgs ...sdk.Msg) []byte {
	tb.Helper()
	tx, err := c.sign(from, from.number, from.sequence, sdk.NewCoins(sdk.NewInt64Coin(chaininfo.BaseDenom, Fee)), Gas, mode, msgs...)
	require.NoError(tb, err)
	from.sequence++
	return tx
}

func (c *Chain) sign(from *Account, number, sequence uint64, fee sdk.Coins, gas uint64,
	mode signing.SignMode, msgs ...sdk.Msg,
) ([]byte, error) {
	txConfig := c.TxConfig()
	builder := txConfig.NewTxBuilder()
	if err := builder.SetMsgs(msgs...); err != nil {
		return nil, err
	}
	builder.SetFeeAmount(fee)
	builder.SetGasLimit(gas)
	// Signer infos are part of the signed bytes: set them before signing.
	if err := builder.SetSignatures(signing.SignatureV2{
		PubKey: from.Priv.PubKey(), Sequence: sequence, Data: &signing.SingleSignatureData{SignMode: mode},
	}); err != nil {
		return nil, err
	}
	sig, err := clienttx.SignWithPrivKey(context.Background(), mode, authsigning.SignerData{
		Address: from.Address.String(), ChainID: ChainID, AccountNumber: number, Sequence: sequence, PubKey: from.Priv.PubKey(),
	}, builder, from.Priv, txConfig, sequence)
	if err != nil {
		return nil, err
	}
	if err := builder.SetSignatures(sig); err != nil {
		return nil, err
	}
	return txConfig.TxEncoder()(builder.GetTx())
}

// genesis is the default one plus the funded accounts and the validator.
func (c *Chain) genesis(tb testing.TB) app.GenesisState {
	tb.Helper()
	cdc, state := c.AppCodec(), c.DefaultGenesis()
	operator := NewAccount("operator of the validator")
	accounts := make(authtypes.GenesisAccounts, 0, len(c.Accounts)+1)
	balances := make([]banktypes.Balance, 0, cap(accounts))
	for _, a := range append([]*Account{operator}, c.Accounts...) {
		accounts = append(accounts, authtypes.NewBaseAccount(a.Address, nil, 0, 0))
		balances = append(balances, banktypes.Balance{
			Address: a.Address.String(), Coins: sdk.NewCoins(sdk.NewInt64Coin(chaininfo.BaseDenom, Balance)),
		})
	}
	packed, err := authtypes.PackAccounts(authtypes.SanitizeGenesisAccounts(accounts))
	require.NoError(tb, err)
	auth := authtypes.GetGenesisStateFromAppState(cdc, state)
	auth.Accounts = packed
	state[authtypes.ModuleName] = cdc.MustMarshalJSON(&auth)
	bank := banktypes.GetGenesisStateFromAppState(cdc, state)
	bank.Balances = banktypes.SanitizeGenesisBalances(balances)
	state[banktypes.ModuleName] = cdc.MustMarshalJSON(bank)
	genutiltypes.SetGenesisStateInAppState(cdc, state,
		genutiltypes.NewGenesisState([]json.RawMessage{c.createValidator(tb, operator, c.validator.PubKey())}))
	return state
}

func (c *Chain) createValidator(tb testing.TB, operator *Account, pubKey cryptotypes.PubKey) json.RawMessage {
	tb.Helper()
	packed, err := codectypes.NewAnyWithValue(pubKey)
	require.NoError(tb, err)
	msg := &stakingtypes.MsgCreateValidator{
		Description:       stakingtypes.Description{Moniker: "validator"},
		Commission:        stakingtypes.NewCommissionRates(math.LegacyZeroDec(), math.LegacyOneDec(), math.LegacyOneDec()),
		MinSelfDelegation: math.OneInt(),
		ValidatorAddress:  sdk.ValAddress(operator.Address).String(),
		Pubkey:            packed,
		Value:             sdk.NewInt64Coin(chaininfo.BaseDenom, ValidatorStake),
	}
	bytes, err := c.sign(operator, 0, 0, nil, Gas, signing.SignMode_SIGN_MODE_DIRECT, msg)
	require.NoError(tb, err)
	tx, err := c.TxConfig().TxDecoder()(bytes)
	require.NoError(tb, err)
	out, err := c.TxConfig().TxJSONEncoder()(tx)
	require.NoError(tb, err)
	return out
}
