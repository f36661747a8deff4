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
	legacy.RegisterAminoMsg(cdc, &MsgClaimMining{}, "grafi/MsgClaimMining")
	legacy.RegisterAminoMsg(cdc, &MsgWithdrawReleased{}, "grafi/MsgWithdrawReleased")
	legacy.RegisterAminoMsg(cdc, &MsgClaimStakingRewards{}, "grafi/MsgClaimStakingRewards")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "grafi/x/rewards/MsgUpdateParams")
	cdc.RegisterConcrete(&Params{}, "grafi/x/rewards/Params", nil)
}

// RegisterInterfaces registers the messages for Any.
func RegisterInterfaces(registry types.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgClaimMining{},
		&MsgWithdrawReleased{},
		&MsgClaimStakingRewards{},
		&MsgUpdateParams{},
	)
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
