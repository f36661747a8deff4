package keeper

import (
	"context"
	"strconv"
	"time"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// StreamTerms say what a stream pays, to whom and when.
type StreamTerms struct {
	Title     string
	Recipient sdk.AccAddress
	Amount    sdk.Coin
	// Start is nil for the time of the block.
	Start    *time.Time
	Duration time.Duration
}

// CreateStream commits the whole amount and opens the stream. The caller has
// checked the authority.
func (k *Keeper) CreateStream(ctx context.Context, terms StreamTerms) (types.Stream, error) {
	start := now(ctx)
	if terms.Start != nil {
		start = *terms.Start
	}
	if err := types.CheckTitle(terms.Title); err != nil {
		return types.Stream{}, err
	}
	if err := types.CheckCoin(terms.Amount); err != nil {
		return types.Stream{}, err
	}
	if err := types.CheckStreamTime(now(ctx), start, terms.Duration); err != nil {
		return types.Stream{}, err
	}
	if err := k.checkRecipient(terms.Recipient); err != nil {
		return types.Stream{}, err
	}
	recipient, err := k.addressCodec.BytesToString(terms.Recipient)
	if err != nil {
		return types.Stream{}, err
	}
	if err := k.commit(ctx, terms.Amount); err != nil {
		return types.Stream{}, err
	}
	id, err := k.streamSeq.Next(ctx)
	if err != nil {
		return types.Stream{}, err
	}
	s := types.Stream{
		Id: id, Title: terms.Title, Recipient: recipient, Amount: terms.Amount,
		StartsAt: start, EndsAt: start.Add(terms.Duration),
		Withdrawn: math.ZeroInt(), Returned: math.ZeroInt(), State: types.STREAM_STATE_OPEN,
	}
	if err := k.streams.Set(ctx, id, s); err != nil {
		return types.Stream{}, err
	}
	if err := k.recordStream(ctx, s, types.DECISION_OUTCOME_CREATED); err != nil {
		return types.Stream{}, err
	}
	return s, emit(ctx, &types.EventStreamCreated{
		StreamId: id, Recipient: recipient, Amount: s.Amount, StartsAt: s.StartsAt, EndsAt: s.EndsAt,
	})
}

// WithdrawStream pays what is due to the recipient, whoever asks for it.
func (k *Keeper) WithdrawStream(ctx context.Context, id uint64) (sdk.Coin, error) {
	s, err := k.openStream(ctx, id)
	if err != nil {
		return sdk.Coin{}, err
	}
	due := s.Due(now(ctx))
	if due.IsZero() {
		return sdk.Coin{}, types.ErrNothingDue.Wrapf("stream %d: %s of %s withdrawn, from %s to %s", id, s.Withdrawn, s.Amount,
			s.StartsAt.UTC().Format(time.RFC3339), s.EndsAt.UTC().Format(time.RFC3339))
	}
	if err := k.payStream(ctx, &s, due); err != nil {
		return sdk.Coin{}, err
	}
	return due, k.streams.Set(ctx, id, s)
}

// CancelStream pays what is due until now and returns the rest to the treasury.
// The caller has checked the authority.
func (k *Keeper) CancelStream(ctx context.Context, id uint64) (paid, returned sdk.Coin, err error) {
	fail := func(err error) (sdk.Coin, sdk.Coin, error) { return sdk.Coin{}, sdk.Coin{}, err }
	s, err := k.openStream(ctx, id)
	if err != nil {
		return fail(err)
	}
	paid = s.Due(now(ctx))
	if paid.IsPositive() {
		if err := k.payStream(ctx, &s, paid); err != nil {
			return fail(err)
		}
	}
	returned = s.Held()
	if err := k.giveBack(ctx, returned); err != nil {
		return fail(err)
	}
	s.Returned, s.State = returned.Amount, types.STREAM_STATE_CANCELLED
	if err := k.streams.Set(ctx, id, s); err != nil {
		return fail(err)
	}
	if err := k.recordStream(ctx, s, types.DECISION_OUTCOME_CANCELLED); err != nil {
		return fail(err)
	}
	return paid, returned, emit(ctx, &types.EventStreamCancelled{StreamId: id, Paid: paid, Returned: returned})
}

// payStream pays and notes it in s, which the caller stores.
func (k *Keeper) payStream(ctx context.Context, s *types.Stream, due sdk.Coin) error {
	if err := k.pay(ctx, s.Recipient, due); err != nil {
		return err
	}
	s.Withdrawn = s.Withdrawn.Add(due.Amount)
	if s.Withdrawn.Equal(s.Amount.Amount) {
		s.State = types.STREAM_STATE_PAID
	}
	return emit(ctx, &types.EventStreamWithdrawn{StreamId: s.Id, Recipient: s.Recipient, Amount: due})
}

func (k *Keeper) openStream(ctx context.Context, id uint64) (types.Stream, error) {
	s, err := k.Stream(ctx, id)
	if err != nil {
		return s, err
	}
	if s.State != types.STREAM_STATE_OPEN {
		return s, types.ErrStreamClosed.Wrapf("id %d: %s", id, s.State)
	}
	return s, nil
}

func (k *Keeper) recordStream(ctx context.Context, s types.Stream, outcome types.DecisionOutcome) error {
	return k.record(ctx, types.DECISION_KIND_STREAM, strconv.FormatUint(s.Id, 10), outcome, s.Title)
}
