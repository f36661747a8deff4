package keeper

import (
	"context"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/attestation/types"
)

// SubmitProbes implements types.MsgServer.
func (s msgServer) SubmitProbes(context.Context, *types.MsgSubmitProbes) (*types.MsgSubmitProbesResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}

// SubmitContradiction implements types.MsgServer.
func (s msgServer) SubmitContradiction(context.Context, *types.MsgSubmitContradiction) (*types.MsgSubmitContradictionResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}

// Probers implements types.QueryServer.
func (s queryServer) Probers(context.Context, *types.QueryProbersRequest) (*types.QueryProbersResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}

// Connection implements types.QueryServer.
func (s queryServer) Connection(context.Context, *types.QueryConnectionRequest) (*types.QueryConnectionResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}

// Proofs implements types.QueryServer.
func (s queryServer) Proofs(context.Context, *types.QueryProofsRequest) (*types.QueryProofsResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}
