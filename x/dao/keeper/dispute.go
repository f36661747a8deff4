package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// Dispute returns a dispute, or ErrDisputeNotFound.
func (k *Keeper) Dispute(ctx context.Context, id uint64) (types.Dispute, error) {
	d, err := k.disputes.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return d, types.ErrDisputeNotFound.Wrapf("id %d: never opened, or closed and removed", id)
	}
	return d, err
}

// OpenDispute locks the claimant's bond and queues the draw of a panel. The
// message's form and the claimant have been parsed; what it is about is checked
// here, and copied, so that nothing depends on the record later.
func (k *Keeper) OpenDispute(ctx context.Context, claimant sdk.AccAddress, msg types.MsgOpenDispute) (types.Dispute, error) {
	if err := msg.Validate(); err != nil {
		return types.Dispute{}, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Dispute{}, err
	}
	about, err := k.subjectOf(ctx, claimant, msg.Kind, msg.SubjectId)
	if err != nil {
		return types.Dispute{}, err
	}
	opened := now(ctx)
	if end := about.at.Add(params.DisputeWindow); opened.After(end) {
		return types.Dispute{}, types.ErrDisputeWindow.Wrapf("at %s, the window ended at %s", stamp(opened), stamp(end))
	}
	if msg.Claim.GT(about.most) {
		return types.Dispute{}, types.ErrInvalidClaim.Wrapf("%s, want 1 to %s", msg.Claim, about.most)
	}
	if err := k.checkUndisputed(ctx, msg.Kind, about.operator, msg.SubjectId); err != nil {
		return types.Dispute{}, err
	}
	if err := k.lock(ctx, claimant, params.DisputeBond, "bond of a dispute"); err != nil {
		return types.Dispute{}, err
	}
	operator, err := k.addressCodec.BytesToString(about.operator)
	if err != nil {
		return types.Dispute{}, err
	}
	id, err := k.disputeSeq.Next(ctx)
	if err != nil {
		return types.Dispute{}, err
	}
	d := types.Dispute{
		Id: id, Kind: msg.Kind, SubjectId: msg.SubjectId, SubjectAt: about.at,
		Operator: operator, Claimant: msg.Claimant, Claim: msg.Claim, StatementDigest: msg.StatementDigest,
		Bond: params.DisputeBond, AppealBond: math.ZeroInt(), Held: math.ZeroInt(), Paid: math.ZeroInt(),
		State: types.DISPUTE_STATE_OPEN, OpenedAt: opened, OpenedHeight: sdk.UnwrapSDKContext(ctx).BlockHeight(),
		DueAt: opened.Add(types.DrawDelay),
	}
	if err := k.disputes.Set(ctx, id, d); err != nil {
		return types.Dispute{}, err
	}
	return d, emit(ctx, &types.EventDisputeOpened{
		DisputeId: id, Kind: d.Kind, SubjectId: d.SubjectId, Operator: d.Operator, Claimant: d.Claimant, Claim: d.Claim,
	})
}

func (k *Keeper) checkUndisputed(ctx context.Context, kind types.DisputeKind, operator sdk.AccAddress, id uint64) error {
	dispute, err := k.disputes.Indexes.subject.MatchExact(ctx, collections.Join3(int32(kind), operator, id))
	if errors.Is(err, collections.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	return types.ErrDisputeExists.Wrapf("dispute %d is about %s %d", dispute, kind, id)
}

func stamp(t time.Time) string { return t.Format(time.RFC3339Nano) }

// subjectFacts is what a dispute takes over from the thing it is about.
type subjectFacts struct {
	operator sdk.AccAddress
	at       time.Time // when the window began
	most     math.Int  // most that can be claimed
}

func (k *Keeper) subjectOf(ctx context.Context, claimant sdk.AccAddress, kind types.DisputeKind, id uint64) (subjectFacts, error) {
	if kind == types.DISPUTE_KIND_RENTAL {
		return k.rentalSubject(ctx, claimant, id)
	}
	return k.slashSubject(ctx, claimant, id)
}

// rentalSubject: the renter may claim back up to what a closed rental was paid.
// What was not paid has returned to it already.
func (k *Keeper) rentalSubject(ctx context.Context, claimant sdk.AccAddress, id uint64) (subjectFacts, error) {
	rental, err := k.market.Rental(ctx, id)
	if err != nil {
		return subjectFacts{}, err
	}
	renter, err := k.addressCodec.StringToBytes(rental.Renter)
	if err != nil {
		return subjectFacts{}, err
	}
	operator, err := k.addressCodec.StringToBytes(rental.Operator)
	if err != nil {
		return subjectFacts{}, err
	}
	denom, err := k.staking.StakeDenom(ctx)
	if err != nil {
		return subjectFacts{}, err
	}
	switch {
	case !claimant.Equals(sdk.AccAddress(renter)):
		return subjectFacts{}, types.ErrNotAllowed.Wrapf("claimant is not %s, the renter of rental %d", rental.Renter, id)
	case rental.State != gpumarket.RENTAL_STATE_CLOSED || rental.ClosedAt == nil:
		return subjectFacts{}, types.ErrInvalidDispute.Wrapf("rental %d is %s, want %s", id, rental.State, gpumarket.RENTAL_STATE_CLOSED)
	case rental.Price.Denom != denom:
		return subjectFacts{}, types.ErrInvalidDispute.Wrapf("rental %d was paid in %s, want %s", id, rental.Price.Denom, denom)
	}
	return subjectFacts{operator: operator, at: *rental.ClosedAt, most: rental.Paid}, nil
}

// slashSubject: an operator may claim back what a slash took of its own money. A
// slash by a dispute has had its panel, and its appeal.
func (k *Keeper) slashSubject(ctx context.Context, claimant sdk.AccAddress, id uint64) (subjectFacts, error) {
	record, err := k.staking.SlashRecord(ctx, claimant, id)
	if err != nil {
		return subjectFacts{}, err
	}
	if record.Fault == disputeFault {
		return subjectFacts{}, types.ErrInvalidDispute.Wrapf("slash %d was the verdict of a dispute, want another fault", id)
	}
	own := record.FromRewards.Add(record.FromOwnStake).Add(record.FromUnbonding)
	return subjectFacts{operator: claimant, at: record.ExecutedAt, most: own}, nil
}

// Rental returns a rental as x/gpumarket knows it.
func (k *Keeper) Rental(ctx context.Context, id uint64) (gpumarket.Rental, error) {
	return k.market.Rental(ctx, id)
}

// SlashRecord returns an executed slash as x/staking-ext knows it.
func (k *Keeper) SlashRecord(ctx context.Context, operator sdk.AccAddress, id uint64) (stakingext.SlashRecord, error) {
	return k.staking.SlashRecord(ctx, operator, id)
}
