package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"
	"cosmossdk.io/collections/codec"
	"cosmossdk.io/collections/indexes"
	"cosmossdk.io/core/address"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// subject is what a dispute is about: (kind, operator, id).
type subject = collections.Triple[int32, sdk.AccAddress, uint64]

// disputeIndexes are the ways to find a dispute other than by its id.
type disputeIndexes struct {
	claimant *indexes.Multi[sdk.AccAddress, uint64, types.Dispute]
	// subject: one dispute per subject, for longer than it can be disputed.
	subject *indexes.Unique[subject, uint64, types.Dispute]
	due     dueIndex
}

func newDisputeIndexes(sb *collections.SchemaBuilder, addressCodec address.Codec) disputeIndexes {
	return disputeIndexes{
		claimant: indexes.NewMulti(sb, types.DisputesByClaimantPrefix, "disputes_by_claimant",
			sdk.AccAddressKey, collections.Uint64Key,
			func(_ uint64, d types.Dispute) (sdk.AccAddress, error) { return addressCodec.StringToBytes(d.Claimant) }),
		subject: indexes.NewUnique(sb, types.DisputesBySubjectPrefix, "disputes_by_subject",
			collections.TripleKeyCodec(collections.Int32Key, sdk.AccAddressKey, collections.Uint64Key),
			collections.Uint64Key,
			func(_ uint64, d types.Dispute) (subject, error) {
				operator, err := addressCodec.StringToBytes(d.Operator)
				return collections.Join3(int32(d.Kind), sdk.AccAddress(operator), d.SubjectId), err
			}),
		due: dueIndex{keys: collections.NewKeySet(sb, types.DisputesByDuePrefix, "disputes_by_due",
			collections.PairKeyCodec(sdk.TimeKey, collections.Uint64Key), collections.WithKeySetSecondaryIndex())},
	}
}

// IndexesList implements collections.Indexes.
func (i disputeIndexes) IndexesList() []collections.Index[uint64, types.Dispute] {
	return []collections.Index[uint64, types.Dispute]{i.claimant, i.subject, i.due}
}

// dueIndex holds (due time, dispute) of the disputes that are not parked.
type dueIndex struct {
	keys collections.KeySet[collections.Pair[time.Time, uint64]]
}

// Reference implements collections.Index.
func (i dueIndex) Reference(ctx context.Context, id uint64, d types.Dispute, old func() (types.Dispute, error)) error {
	was, err := old()
	switch {
	case errors.Is(err, collections.ErrNotFound):
	case err != nil:
		return err
	default:
		if err := i.keys.Remove(ctx, collections.Join(was.DueAt, id)); err != nil {
			return err
		}
	}
	if d.Parked {
		return nil
	}
	return i.keys.Set(ctx, collections.Join(d.DueAt, id))
}

// Unreference implements collections.Index.
func (i dueIndex) Unreference(ctx context.Context, id uint64, old func() (types.Dispute, error)) error {
	was, err := old()
	if err != nil {
		return err
	}
	return i.keys.Remove(ctx, collections.Join(was.DueAt, id))
}

// seatIndexes find the seats of one juror.
type seatIndexes struct {
	juror *indexes.ReversePair[uint64, sdk.AccAddress, types.PanelSeat]
}

func newSeatIndexes(sb *collections.SchemaBuilder, key codec.KeyCodec[collections.Pair[uint64, sdk.AccAddress]]) seatIndexes {
	return seatIndexes{juror: indexes.NewReversePair[types.PanelSeat](sb, types.SeatsByJurorPrefix, "seats_by_juror",
		key)}
}

// IndexesList implements collections.Indexes.
func (i seatIndexes) IndexesList() []collections.Index[collections.Pair[uint64, sdk.AccAddress], types.PanelSeat] {
	return []collections.Index[collections.Pair[uint64, sdk.AccAddress], types.PanelSeat]{i.juror}
}
