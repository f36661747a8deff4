package keeper

import (
	"context"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/attestation/types"
)

// CommitChallenge implements types.MsgServer.
func (s msgServer) CommitChallenge(context.Context, *types.MsgCommitChallenge) (*types.MsgCommitChallengeResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}

// OpenChallenge implements types.MsgServer.
func (s msgServer) OpenChallenge(context.Context, *types.MsgOpenChallenge) (*types.MsgOpenChallengeResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}

// Challenge implements types.QueryServer.
func (s queryServer) Challenge(context.Context, *types.QueryChallengeRequest) (*types.QueryChallengeResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}
