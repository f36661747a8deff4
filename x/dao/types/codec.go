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
	cdc.RegisterConcrete(Params{}, "grafi/x/dao/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgCreateStream{}, "grafi/x/dao/MsgCreateStream")
	legacy.RegisterAminoMsg(cdc, &MsgCancelStream{}, "grafi/x/dao/MsgCancelStream")
	legacy.RegisterAminoMsg(cdc, &MsgWithdrawStream{}, "grafi/dao/MsgWithdrawStream")
	legacy.RegisterAminoMsg(cdc, &MsgCreateGrant{}, "grafi/x/dao/MsgCreateGrant")
	legacy.RegisterAminoMsg(cdc, &MsgReleaseMilestone{}, "grafi/x/dao/MsgReleaseMilestone")
	legacy.RegisterAminoMsg(cdc, &MsgCancelGrant{}, "grafi/x/dao/MsgCancelGrant")
	legacy.RegisterAminoMsg(cdc, &MsgPause{}, "grafi/dao/MsgPause")
	legacy.RegisterAminoMsg(cdc, &MsgUnpause{}, "grafi/dao/MsgUnpause")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "grafi/x/dao/MsgUpdateParams")
	legacy.RegisterAminoMsg(cdc, &MsgOpenDispute{}, "grafi/dao/MsgOpenDispute")
	legacy.RegisterAminoMsg(cdc, &MsgJoinJury{}, "grafi/dao/MsgJoinJury")
	legacy.RegisterAminoMsg(cdc, &MsgLeaveJury{}, "grafi/dao/MsgLeaveJury")
	legacy.RegisterAminoMsg(cdc, &MsgCommitVote{}, "grafi/dao/MsgCommitVote")
	legacy.RegisterAminoMsg(cdc, &MsgRevealVote{}, "grafi/dao/MsgRevealVote")
	legacy.RegisterAminoMsg(cdc, &MsgAppeal{}, "grafi/dao/MsgAppeal")
	legacy.RegisterAminoMsg(cdc, &MsgDecideAppeal{}, "grafi/x/dao/MsgDecideAppeal")
	legacy.RegisterAminoMsg(cdc, &MsgResumeDispute{}, "grafi/dao/MsgResumeDispute")
}

// RegisterInterfaces registers the messages as sdk.Msg.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgCreateStream{}, &MsgCancelStream{}, &MsgWithdrawStream{}, &MsgCreateGrant{}, &MsgReleaseMilestone{},
		&MsgCancelGrant{}, &MsgPause{}, &MsgUnpause{}, &MsgUpdateParams{},
		&MsgOpenDispute{}, &MsgJoinJury{}, &MsgLeaveJury{}, &MsgCommitVote{}, &MsgRevealVote{}, &MsgAppeal{},
		&MsgDecideAppeal{}, &MsgResumeDispute{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
