package token

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/golang-jwt/jwt/v5"

	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
)

// Method is how the signature of a token covers its header and claims.
type Method string

const (
	// ES256K is RFC 8812: ECDSA on secp256k1 over SHA-256. Only the lower of the
	// two possible s is accepted, as everywhere in the Cosmos SDK.
	ES256K Method = "ES256K"
	// ADR36 signs the same bytes inside the amino document of ADR-36, which is
	// all that browser wallets and Ledgers sign for a page.
	ADR36 Method = "ES256K-ADR36"
)

var _ jwt.SigningMethod = ES256K

func init() {
	for _, m := range []Method{ES256K, ADR36} {
		jwt.RegisterSigningMethod(m.Alg(), func() jwt.SigningMethod { return m })
	}
}

// Signer signs bytes with the renter's account key: SHA-256, then r ‖ s.
type Signer func(msg []byte) ([]byte, error)

type signKey struct {
	address string
	sign    Signer
}

type verifyKey struct {
	address string
	pub     cryptotypes.PubKey
}

// Alg implements jwt.SigningMethod.
func (m Method) Alg() string { return string(m) }

// Sign implements jwt.SigningMethod.
func (m Method) Sign(signing string, key any) ([]byte, error) {
	k, ok := key.(signKey)
	if !ok || k.sign == nil {
		return nil, jwt.ErrInvalidKeyType
	}
	return k.sign(m.message(k.address, signing))
}

// Verify implements jwt.SigningMethod.
func (m Method) Verify(signing string, sig []byte, key any) error {
	k, ok := key.(verifyKey)
	if !ok || k.pub == nil {
		return jwt.ErrInvalidKeyType
	}
	if len(sig) != 64 || !k.pub.VerifySignature(m.message(k.address, signing), sig) {
		return fmt.Errorf("%w by %s", jwt.ErrTokenSignatureInvalid, k.address)
	}
	return nil
}

func (m Method) message(address, signing string) []byte {
	if m == ADR36 {
		return SignDocADR36(address, []byte(signing))
	}
	return []byte(signing)
}

// SignDocADR36 returns the canonical amino JSON that a wallet signs for
// arbitrary data (docs/architecture/adr-036-arbitrary-signature.md of the
// Cosmos SDK). Members are in alphabetical order, so json.Marshal is canonical.
func SignDocADR36(address string, data []byte) []byte {
	type value struct {
		Data   string `json:"data"`
		Signer string `json:"signer"`
	}
	type msg struct {
		Type  string `json:"type"`
		Value value  `json:"value"`
	}
	type fee struct {
		Amount []string `json:"amount"`
		Gas    string   `json:"gas"`
	}
	doc, err := json.Marshal(struct {
		AccountNumber string `json:"account_number"`
		ChainID       string `json:"chain_id"`
		Fee           fee    `json:"fee"`
		Memo          string `json:"memo"`
		Msgs          []msg  `json:"msgs"`
		Sequence      string `json:"sequence"`
	}{
		AccountNumber: "0", Fee: fee{Amount: []string{}, Gas: "0"}, Sequence: "0",
		Msgs: []msg{{Type: "sign/MsgSignData", Value: value{Data: base64.StdEncoding.EncodeToString(data), Signer: address}}},
	})
	if err != nil {
		panic(err) // strings only: can't happen
	}
	return doc
}
