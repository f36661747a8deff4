package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/rewards/types"
)

type msgServer struct{ k *Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServer returns the module's message handlers. Each parses and calls one
// keeper method, which also emits the events.
func NewMsgServer(k *Keeper) types.MsgServer { return msgServer{k: k} }

// ClaimMining implements types.MsgServer.
func (s msgServer) ClaimMining(ctx context.Context, msg *types.MsgClaimMining) (*types.MsgClaimMiningResponse, error) {
	operator, err := s.account("operator", msg.Operator)
	if err != nil {
		return nil, err
	}
	reward, err := s.k.ClaimMining(ctx, operator, msg.Day, msg.HostId, msg.Ordinals)
	if err != nil {
		return nil, err
	}
	return &types.MsgClaimMiningResponse{Reward: reward}, nil
}

// WithdrawReleased implements types.MsgServer.
func (s msgServer) WithdrawReleased(ctx context.Context, msg *types.MsgWithdrawReleased) (*types.MsgWithdrawReleasedResponse, error) {
	operator, err := s.account("operator", msg.Operator)
	if err != nil {
		return nil, err
	}
	paid, err := s.k.Withdraw(ctx, operator)
	if err != nil {
		return nil, err
	}
	return &types.MsgWithdrawReleasedResponse{Amount: paid}, nil
}

// ClaimStakingRewards implements types.MsgServer.
func (s msgServer) ClaimStakingRewards(ctx context.Context, msg *types.MsgClaimStakingRewards) (*types.MsgClaimStakingRewardsResponse, error) {
	delegator, err := s.account("delegator", msg.Delegator)
	if err != nil {
		return nil, err
	}
	if n := len(msg.Operators); n > types.MaxClaimOperators { // before any of them is parsed
		return nil, types.ErrInvalidClaim.Wrapf("%d operators, want 1 to %d", n, types.MaxClaimOperators)
	}
	operators := make([]sdk.AccAddress, len(msg.Operators))
	for i, text := range msg.Operators {
		if operators[i], err = s.account("operator", text); err != nil {
			return nil, err
		}
	}
	paid, err := s.k.ClaimStakingRewards(ctx, delegator, operators)
	if err != nil {
		return nil, err
	}
	return &types.MsgClaimStakingRewardsResponse{Amount: paid}, nil
}

// UpdateParams implements types.MsgServer.
func (s msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if err := s.k.UpdateParams(ctx, msg.Authority, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, nil
}

func (s msgServer) account(role, address string) (sdk.AccAddress, error) {
	account, err := s.k.addressCodec.StringToBytes(address)
	if err != nil {
		return nil, sdkerrors.ErrInvalidAddress.Wrapf("%s %q: %s", role, address, err)
	}
	return account, nil
}
