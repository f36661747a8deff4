package keeper

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// CommitVote stores a juror's commitment. Until the end of the commit period a
// later one replaces it.
func (k *Keeper) CommitVote(ctx context.Context, juror sdk.AccAddress, dispute uint64, commitment []byte) error {
	if len(commitment) != sha256.Size {
		return types.ErrInvalidDigest.Wrapf("commitment has %d bytes, want %d", len(commitment), sha256.Size)
	}
	_, seat, err := k.seatIn(ctx, juror, dispute, types.DISPUTE_STATE_COMMIT)
	if err != nil {
		return err
	}
	seat.Commitment = commitment
	if err := k.seats.Set(ctx, collections.Join(dispute, juror), seat); err != nil {
		return err
	}
	return emit(ctx, &types.EventVoteCommitted{DisputeId: dispute, Juror: seat.Juror})
}

// RevealVote opens a juror's commitment.
func (k *Keeper) RevealVote(ctx context.Context, juror sdk.AccAddress, dispute uint64, vote types.Verdict, salt []byte) error {
	if err := vote.Validate(); err != nil {
		return err
	}
	if len(salt) != types.SaltSize {
		return types.ErrInvalidVote.Wrapf("salt has %d bytes, want %d", len(salt), types.SaltSize)
	}
	d, seat, err := k.seatIn(ctx, juror, dispute, types.DISPUTE_STATE_REVEAL)
	if err != nil {
		return err
	}
	if seat.Vote != types.VERDICT_UNSPECIFIED {
		return types.ErrAlreadyRevealed.Wrapf("by %s in dispute %d", seat.Juror, dispute)
	}
	want := types.Commitment(sdk.UnwrapSDKContext(ctx).ChainID(), dispute, d.Round, juror, vote, salt)
	if !bytes.Equal(seat.Commitment, want[:]) {
		return types.ErrCommitmentMismatch.Wrapf("committed to %X, this is %X", seat.Commitment, want)
	}
	seat.Vote = vote
	if err := k.seats.Set(ctx, collections.Join(dispute, juror), seat); err != nil {
		return err
	}
	return emit(ctx, &types.EventVoteRevealed{DisputeId: dispute, Juror: seat.Juror, Vote: vote})
}

// seatIn returns the juror's seat in the present panel of a dispute that is in
// the state, before the state's end.
func (k *Keeper) seatIn(ctx context.Context, juror sdk.AccAddress, dispute uint64, state types.DisputeState) (types.Dispute, types.PanelSeat, error) {
	d, err := k.inState(ctx, dispute, state)
	if err != nil {
		return types.Dispute{}, types.PanelSeat{}, err
	}
	seat, err := k.seats.Get(ctx, collections.Join(dispute, juror))
	if errors.Is(err, collections.ErrNotFound) || err == nil && seat.Round != d.Round {
		return types.Dispute{}, types.PanelSeat{}, types.ErrNoSeat.Wrapf("in panel %d of dispute %d", d.Round, dispute)
	}
	return d, seat, err
}

// inState returns a dispute that is in the state, before the state's end: from
// that second on it is too late, whether the chain has looked at it or not.
func (k *Keeper) inState(ctx context.Context, dispute uint64, state types.DisputeState) (types.Dispute, error) {
	d, err := k.Dispute(ctx, dispute)
	if err != nil {
		return types.Dispute{}, err
	}
	if d.State != state {
		return types.Dispute{}, types.ErrWrongState.Wrapf("dispute %d is %s, want %s", dispute, d.State, state)
	}
	if at := now(ctx); !at.Before(d.DueAt) {
		return types.Dispute{}, types.ErrWrongState.Wrapf("dispute %d was %s until %s, it is %s", dispute, state, stamp(d.DueAt), stamp(at))
	}
	return d, nil
}
