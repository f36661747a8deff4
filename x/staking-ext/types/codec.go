package types

import (
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/legacy"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/msgservice"
)

// RegisterLegacyAminoCodec registers the messages under the names that hardware
// wallets sign.
func RegisterLegacyAminoCodec(cdc *codec.LegacyAmino) {
	legacy.RegisterAminoMsg(cdc, &MsgRegisterOperator{}, "grafi/MsgRegisterOperator")
	legacy.RegisterAminoMsg(cdc, &MsgEditOperator{}, "grafi/MsgEditOperator")
	legacy.RegisterAminoMsg(cdc, &MsgBond{}, "grafi/MsgBond")
	legacy.RegisterAminoMsg(cdc, &MsgUnbond{}, "grafi/MsgUnbond")
	legacy.RegisterAminoMsg(cdc, &MsgUnjail{}, "grafi/MsgUnjail")
	legacy.RegisterAminoMsg(cdc, &MsgDelegate{}, "grafi/MsgDelegate")
	legacy.RegisterAminoMsg(cdc, &MsgUndelegate{}, "grafi/MsgUndelegate")
	legacy.RegisterAminoMsg(cdc, &MsgRedelegate{}, "grafi/MsgRedelegate")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "grafi/x/stakingext/MsgUpdateParams")
	cdc.RegisterConcrete(&Params{}, "grafi/x/stakingext/Params", nil)
}

// RegisterInterfaces registers the messages for Any.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgRegisterOperator{},
		&MsgEditOperator{},
		&MsgBond{},
		&MsgUnbond{},
		&MsgUnjail{},
		&MsgDelegate{},
		&MsgUndelegate{},
		&MsgRedelegate{},
		&MsgUpdateParams{},
	)
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
