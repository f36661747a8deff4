package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

type msgServer struct{ k *Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServer returns the module's message handlers. Each parses and calls one
// keeper method, which also emits the events, because other modules call it too.
func NewMsgServer(k *Keeper) types.MsgServer { return msgServer{k: k} }

// RegisterOperator implements types.MsgServer.
func (s msgServer) RegisterOperator(ctx context.Context, msg *types.MsgRegisterOperator) (*types.MsgRegisterOperatorResponse, error) {
	operator, err := s.operator(msg.Operator)
	if err != nil {
		return nil, err
	}
	if err := s.k.Register(ctx, operator, Registration{
		Moniker: msg.Moniker, Website: msg.Website, Kind: msg.Kind, CommissionPPM: msg.CommissionPpm, Bond: msg.Bond,
	}); err != nil {
		return nil, err
	}
	return &types.MsgRegisterOperatorResponse{}, nil
}

// EditOperator implements types.MsgServer.
func (s msgServer) EditOperator(ctx context.Context, msg *types.MsgEditOperator) (*types.MsgEditOperatorResponse, error) {
	operator, err := s.operator(msg.Operator)
	if err != nil {
		return nil, err
	}
	if err := s.k.Edit(ctx, operator, msg.Moniker, msg.Website, msg.CommissionPpm); err != nil {
		return nil, err
	}
	return &types.MsgEditOperatorResponse{}, nil
}

// Bond implements types.MsgServer.
func (s msgServer) Bond(ctx context.Context, msg *types.MsgBond) (*types.MsgBondResponse, error) {
	operator, err := s.operator(msg.Operator)
	if err != nil {
		return nil, err
	}
	if err := s.k.Bond(ctx, operator, msg.Amount); err != nil {
		return nil, err
	}
	return &types.MsgBondResponse{}, nil
}

// Unbond implements types.MsgServer.
func (s msgServer) Unbond(ctx context.Context, msg *types.MsgUnbond) (*types.MsgUnbondResponse, error) {
	operator, err := s.operator(msg.Operator)
	if err != nil {
		return nil, err
	}
	entry, err := s.k.Unbond(ctx, operator, msg.Amount)
	if err != nil {
		return nil, err
	}
	return &types.MsgUnbondResponse{EntryId: entry.Id, CompletesAt: entry.CompletesAt}, nil
}

// Unjail implements types.MsgServer.
func (s msgServer) Unjail(ctx context.Context, msg *types.MsgUnjail) (*types.MsgUnjailResponse, error) {
	operator, err := s.operator(msg.Operator)
	if err != nil {
		return nil, err
	}
	if err := s.k.Unjail(ctx, operator); err != nil {
		return nil, err
	}
	return &types.MsgUnjailResponse{}, nil
}

// Delegate implements types.MsgServer.
func (s msgServer) Delegate(ctx context.Context, msg *types.MsgDelegate) (*types.MsgDelegateResponse, error) {
	delegator, err := s.account("delegator", msg.Delegator)
	if err != nil {
		return nil, err
	}
	operator, err := s.operator(msg.Operator)
	if err != nil {
		return nil, err
	}
	shares, err := s.k.Delegate(ctx, delegator, operator, msg.Amount)
	if err != nil {
		return nil, err
	}
	return &types.MsgDelegateResponse{Shares: shares}, nil
}

// Undelegate implements types.MsgServer.
func (s msgServer) Undelegate(ctx context.Context, msg *types.MsgUndelegate) (*types.MsgUndelegateResponse, error) {
	delegator, err := s.account("delegator", msg.Delegator)
	if err != nil {
		return nil, err
	}
	operator, err := s.operator(msg.Operator)
	if err != nil {
		return nil, err
	}
	entry, err := s.k.Undelegate(ctx, delegator, operator, msg.Amount)
	if err != nil {
		return nil, err
	}
	denom, err := s.k.StakeDenom(ctx)
	if err != nil {
		return nil, err
	}
	return &types.MsgUndelegateResponse{
		EntryId: entry.Id, Amount: sdk.NewCoin(denom, entry.Amount), CompletesAt: entry.CompletesAt,
	}, nil
}

// Redelegate implements types.MsgServer.
func (s msgServer) Redelegate(ctx context.Context, msg *types.MsgRedelegate) (*types.MsgRedelegateResponse, error) {
	delegator, err := s.account("delegator", msg.Delegator)
	if err != nil {
		return nil, err
	}
	from, err := s.account("from", msg.From)
	if err != nil {
		return nil, err
	}
	to, err := s.account("to", msg.To)
	if err != nil {
		return nil, err
	}
	entry, err := s.k.Redelegate(ctx, delegator, from, to, msg.Amount)
	if err != nil {
		return nil, err
	}
	return &types.MsgRedelegateResponse{EntryId: entry.Id, Shares: entry.Shares, CompletesAt: entry.CompletesAt}, nil
}

// UpdateParams implements types.MsgServer.
func (s msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if err := s.k.UpdateParams(ctx, msg.Authority, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, nil
}

func (s msgServer) operator(address string) (sdk.AccAddress, error) {
	return s.account("operator", address)
}

func (s msgServer) account(role, address string) (sdk.AccAddress, error) {
	account, err := s.k.addressCodec.StringToBytes(address)
	if err != nil {
		return nil, sdkerrors.ErrInvalidAddress.Wrapf("%s %q: %s", role, address, err)
	}
	return account, nil
}
