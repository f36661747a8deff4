package app_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"cosmossdk.io/api/amino"
	msgv1 "cosmossdk.io/api/cosmos/msg/v1"
	"cosmossdk.io/math"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	protov2 "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"

	"github.com/grafilab/grafi/app"
	"github.com/grafilab/grafi/app/apptest"
)

const (
	// ownPackage starts the full name of every message of this repository.
	ownPackage = "grafi."
	// maxAminoName is the longest name that the Ledger application accepts.
	maxAminoName = 39
)

// ownMessages returns the names of all registered messages of our modules.
func ownMessages(a *app.App) []string {
	var out []string
	for _, url := range a.Encoding().Registry.ListImplementations(sdk.MsgInterfaceProtoName) {
		if name := strings.TrimPrefix(url, "/"); strings.HasPrefix(name, ownPackage) {
			out = append(out, name)
		}
	}
	return out
}

// TestEveryMessageCanBeSigned signs each message with all fields filled, in
// both modes, and checks the signature as the ante handler does. Without a
// unique amino name neither a hardware wallet nor Keplr can sign a message.
func TestEveryMessageCanBeSigned(t *testing.T) {
	c := apptest.New(t, apptest.Options{})
	signer := c.Accounts[0]
	taken := map[string]string{}
	require.NotEmpty(t, ownMessages(c.App))

	for _, name := range ownMessages(c.App) {
		t.Run(name, func(t *testing.T) {
			found, err := proto.HybridResolver.FindDescriptorByName(protoreflect.FullName(name))
			require.NoError(t, err)
			desc, ok := found.(protoreflect.MessageDescriptor)
			require.True(t, ok)
			aminoName, _ := protov2.GetExtension(desc.Options(), amino.E_Name).(string)
			require.NotEmpty(t, aminoName, "option (amino.name)")
			require.LessOrEqual(t, len(aminoName), maxAminoName)
			require.Empty(t, taken[aminoName], "who has the amino name already")
			taken[aminoName] = name

			msg := filledMessage(t, desc, signer)
			signers, _, err := c.AppCodec().GetMsgV1Signers(msg)
			require.NoError(t, err)
			require.Equal(t, [][]byte{signer.Address}, signers)
			for _, mode := range []signing.SignMode{
				signing.SignMode_SIGN_MODE_DIRECT, signing.SignMode_SIGN_MODE_LEGACY_AMINO_JSON,
			} {
				requireSigns(t, c, signer, msg, mode)
			}
		})
	}
}

// filledMessage returns the message with no field empty and the signer's
// address where the signer belongs.
func filledMessage(t *testing.T, desc protoreflect.MessageDescriptor, signer *apptest.Account) sdk.Msg {
	t.Helper()
	typ := proto.MessageType(string(desc.FullName()))
	require.NotNil(t, typ, "not registered with gogoproto")
	msg := reflect.New(typ.Elem())
	fill(msg.Elem(), 0)
	fields, _ := protov2.GetExtension(desc.Options(), msgv1.E_Signer).([]string)
	require.Len(t, fields, 1, "option (cosmos.msg.v1.signer)")
	field := fieldByProtoName(msg.Elem(), fields[0])
	require.True(t, field.IsValid(), fields[0])
	field.SetString(signer.Address.String())
	out, ok := msg.Interface().(sdk.Msg)
	require.True(t, ok)
	return out
}

func fieldByProtoName(v reflect.Value, name string) reflect.Value {
	for i := range v.NumField() {
		for _, part := range strings.Split(v.Type().Field(i).Tag.Get("protobuf"), ",") {
			if part == "name="+name {
				return v.Field(i)
			}
		}
	}
	return reflect.Value{}
}

// fill sets every field that it can reach to something other than its zero
// value, so that no encoder leaves a field out.
func fill(v reflect.Value, depth int) {
	if depth > 6 {
		return
	}
	switch v.Interface().(type) {
	case math.Int:
		v.Set(reflect.ValueOf(math.NewInt(7)))
		return
	case math.LegacyDec:
		v.Set(reflect.ValueOf(math.LegacyNewDec(7)))
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("abc")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(1)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte{1, 2, 3})
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth+1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), depth+1)
			}
		}
	}
}

// requireSigns signs a transaction with the message, sends it through the wire
// encoding and verifies the signature over what a node reads there. In amino
// mode it also compares the JSON with the legacy encoder's, which older clients
// sign with.
func requireSigns(t *testing.T, c *apptest.Chain, signer *apptest.Account, msg sdk.Msg, mode signing.SignMode) {
	t.Helper()
	ctx, txConfig := context.Background(), c.TxConfig()
	wire := c.TxInMode(t, mode, signer, msg)
	decoded, err := txConfig.TxDecoder()(wire)
	require.NoError(t, err)
	sigTx, ok := decoded.(authsigning.SigVerifiableTx)
	require.True(t, ok)
	sigs, err := sigTx.GetSignaturesV2()
	require.NoError(t, err)
	require.Len(t, sigs, 1)

	signBytes, err := authsigning.GetSignBytesAdapter(ctx, txConfig.SignModeHandler(), mode, authsigning.SignerData{
		Address: signer.Address.String(), ChainID: apptest.ChainID, AccountNumber: signer.Number(),
		Sequence: sigs[0].Sequence, PubKey: signer.Priv.PubKey(),
	}, decoded)
	require.NoError(t, err)
	data, ok := sigs[0].Data.(*signing.SingleSignatureData)
	require.True(t, ok)
	require.True(t, signer.Priv.PubKey().VerifySignature(signBytes, data.Signature), mode)

	if mode == signing.SignMode_SIGN_MODE_LEGACY_AMINO_JSON {
		legacy, err := c.LegacyAmino().MarshalJSON(msg)
		require.NoError(t, err)
		var doc struct {
			Msgs []json.RawMessage `json:"msgs"`
		}
		require.NoError(t, json.Unmarshal(signBytes, &doc))
		require.Len(t, doc.Msgs, 1)
		require.JSONEq(t, string(legacy), string(doc.Msgs[0]))
	}
}
