package types

import (
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/legacy"
	"github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/msgservice"
)

// RegisterLegacyAminoCodec registers the messages for amino JSON, which a
// hardware wallet signs. The names are those of the proto options.
func RegisterLegacyAminoCodec(cdc *codec.LegacyAmino) {
	legacy.RegisterAminoMsg(cdc, &MsgRegisterHost{}, "grafi/MsgRegisterHost")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateHost{}, "grafi/MsgUpdateHost")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateInventory{}, "grafi/MsgUpdateInventory")
	legacy.RegisterAminoMsg(cdc, &MsgRotateAgentKey{}, "grafi/MsgRotateAgentKey")
	legacy.RegisterAminoMsg(cdc, &MsgRevokeAgentKey{}, "grafi/MsgRevokeAgentKey")
	legacy.RegisterAminoMsg(cdc, &MsgRetireHost{}, "grafi/MsgRetireHost")
	legacy.RegisterAminoMsg(cdc, &MsgSubmitAttestations{}, "grafi/MsgSubmitAttestations")
	legacy.RegisterAminoMsg(cdc, &MsgSubmitEquivocation{}, "grafi/MsgSubmitEquivocation")
	legacy.RegisterAminoMsg(cdc, &MsgCommitChallenge{}, "grafi/MsgCommitChallenge")
	legacy.RegisterAminoMsg(cdc, &MsgOpenChallenge{}, "grafi/MsgOpenChallenge")
	legacy.RegisterAminoMsg(cdc, &MsgRegisterDevice{}, "grafi/MsgRegisterDevice")
	legacy.RegisterAminoMsg(cdc, &MsgSubmitDoubleDevice{}, "grafi/MsgSubmitDoubleDevice")
	legacy.RegisterAminoMsg(cdc, &MsgSetRevocation{}, "grafi/MsgSetRevocation")
	legacy.RegisterAminoMsg(cdc, &MsgSubmitProbes{}, "grafi/MsgSubmitProbes")
	legacy.RegisterAminoMsg(cdc, &MsgSubmitContradiction{}, "grafi/MsgSubmitContradiction")
	legacy.RegisterAminoMsg(cdc, &MsgSetHardwareClass{}, "grafi/MsgSetHardwareClass")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "grafi/x/attestation/MsgUpdateParams")
	cdc.RegisterConcrete(&Params{}, "grafi/x/attestation/Params", nil)
}

// RegisterInterfaces registers the messages for Any.
func RegisterInterfaces(registry types.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgRegisterHost{},
		&MsgUpdateHost{},
		&MsgUpdateInventory{},
		&MsgRotateAgentKey{},
		&MsgRevokeAgentKey{},
		&MsgRetireHost{},
		&MsgSubmitAttestations{},
		&MsgSubmitEquivocation{},
		&MsgCommitChallenge{},
		&MsgOpenChallenge{},
		&MsgRegisterDevice{},
		&MsgSubmitDoubleDevice{},
		&MsgSetRevocation{},
		&MsgSubmitProbes{},
		&MsgSubmitContradiction{},
		&MsgSetHardwareClass{},
		&MsgUpdateParams{},
	)
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
