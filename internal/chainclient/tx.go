package chainclient

import (
	"fmt"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	"github.com/cosmos/gogoproto/proto"
)

// draft is a transaction before it is signed.
type draft struct {
	msgs       []sdk.Msg
	memo       string
	gas        uint64
	fee        sdk.Coins
	feeGranter string
}

// sign returns the encoded transaction, signed in SIGN_MODE_DIRECT. A nil key
// leaves the signature empty, which is what a simulation wants.
func (d draft) sign(chainID string, pub cryptotypes.PubKey, key cryptotypes.PrivKey, number, sequence uint64) ([]byte, error) {
	body := txtypes.TxBody{Memo: d.memo, Messages: make([]*codectypes.Any, len(d.msgs))}
	for i, m := range d.msgs {
		packed, err := codectypes.NewAnyWithValue(m)
		if err != nil {
			return nil, fmt.Errorf("pack %T: %w", m, err)
		}
		body.Messages[i] = packed
	}
	packedKey, err := codectypes.NewAnyWithValue(pub)
	if err != nil {
		return nil, fmt.Errorf("pack public key: %w", err)
	}
	auth := txtypes.AuthInfo{
		SignerInfos: []*txtypes.SignerInfo{{
			PublicKey: packedKey,
			ModeInfo: &txtypes.ModeInfo{Sum: &txtypes.ModeInfo_Single_{
				Single: &txtypes.ModeInfo_Single{Mode: signing.SignMode_SIGN_MODE_DIRECT},
			}},
			Sequence: sequence,
		}},
		Fee: &txtypes.Fee{Amount: d.fee, GasLimit: d.gas, Granter: d.feeGranter},
	}
	bodyBytes, err := proto.Marshal(&body)
	if err != nil {
		return nil, fmt.Errorf("encode body: %w", err)
	}
	authBytes, err := proto.Marshal(&auth)
	if err != nil {
		return nil, fmt.Errorf("encode auth info: %w", err)
	}
	raw := txtypes.TxRaw{BodyBytes: bodyBytes, AuthInfoBytes: authBytes, Signatures: [][]byte{{}}}
	if key != nil {
		doc, err := proto.Marshal(&txtypes.SignDoc{
			BodyBytes: bodyBytes, AuthInfoBytes: authBytes, ChainId: chainID, AccountNumber: number,
		})
		if err != nil {
			return nil, fmt.Errorf("encode sign doc: %w", err)
		}
		if raw.Signatures[0], err = key.Sign(doc); err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
	}
	return proto.Marshal(&raw)
}

// feeFor returns gas × price, rounded up for each denom.
func feeFor(prices sdk.DecCoins, gas uint64) sdk.Coins {
	fee := make(sdk.Coins, 0, len(prices))
	for _, p := range prices {
		amount := p.Amount.MulInt(sdkInt(gas)).Ceil().TruncateInt()
		if amount.IsPositive() {
			fee = append(fee, sdk.NewCoin(p.Denom, amount))
		}
	}
	return fee
}
