package types

import (
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/legacy"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/msgservice"
)

// RegisterLegacyAminoCodec registers the messages under the amino names of
// their proto definitions, which hardware wallets sign.
func RegisterLegacyAminoCodec(cdc *codec.LegacyAmino) {
	cdc.RegisterConcrete(Params{}, "grafi/x/gpumarket/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgCreateListing{}, "grafi/MsgCreateListing")
	legacy.RegisterAminoMsg(cdc, &MsgChangeListing{}, "grafi/MsgChangeListing")
	legacy.RegisterAminoMsg(cdc, &MsgSetListingStatus{}, "grafi/MsgSetListingStatus")
	legacy.RegisterAminoMsg(cdc, &MsgRent{}, "grafi/MsgRent")
	legacy.RegisterAminoMsg(cdc, &MsgConfirmStart{}, "grafi/MsgConfirmStart")
	legacy.RegisterAminoMsg(cdc, &MsgReportResult{}, "grafi/MsgReportResult")
	legacy.RegisterAminoMsg(cdc, &MsgExtendRental{}, "grafi/MsgExtendRental")
	legacy.RegisterAminoMsg(cdc, &MsgCloseRental{}, "grafi/MsgCloseRental")
	legacy.RegisterAminoMsg(cdc, &MsgSubscribe{}, "grafi/MsgSubscribe")
	legacy.RegisterAminoMsg(cdc, &MsgTopUpSubscription{}, "grafi/MsgTopUpSubscription")
	legacy.RegisterAminoMsg(cdc, &MsgCancelSubscription{}, "grafi/MsgCancelSubscription")
	legacy.RegisterAminoMsg(cdc, &MsgRequestCompute{}, "grafi/MsgRequestCompute")
	legacy.RegisterAminoMsg(cdc, &MsgInviteRenter{}, "grafi/MsgInviteRenter")
	legacy.RegisterAminoMsg(cdc, &MsgRequestAccess{}, "grafi/MsgRequestAccess")
	legacy.RegisterAminoMsg(cdc, &MsgAnswerInvitation{}, "grafi/MsgAnswerInvitation")
	legacy.RegisterAminoMsg(cdc, &MsgRevokeAccess{}, "grafi/MsgRevokeAccess")
	legacy.RegisterAminoMsg(cdc, &MsgProveRental{}, "grafi/MsgProveRental")
	legacy.RegisterAminoMsg(cdc, &MsgSettle{}, "grafi/MsgSettle")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "grafi/x/gpumarket/MsgUpdateParams")
}

// RegisterInterfaces registers the messages as sdk.Msg.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgCreateListing{}, &MsgChangeListing{}, &MsgSetListingStatus{}, &MsgRent{}, &MsgConfirmStart{},
		&MsgReportResult{}, &MsgExtendRental{}, &MsgCloseRental{}, &MsgSubscribe{}, &MsgTopUpSubscription{},
		&MsgCancelSubscription{}, &MsgRequestCompute{}, &MsgInviteRenter{}, &MsgRequestAccess{},
		&MsgAnswerInvitation{}, &MsgRevokeAccess{}, &MsgProveRental{}, &MsgSettle{}, &MsgUpdateParams{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
