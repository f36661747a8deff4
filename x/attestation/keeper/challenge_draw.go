package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// maxOperators bounds the operators that the draw counts on: owed visits stay
// under 2^31 × 30 days in milliseconds, below 2^63.
const maxOperators = 1 << 31

// draw looks at the operators that are due, from the cursor on in the order of
// their addresses, so that each is looked at once in draw_every_ms whatever their
// number: as many milliseconds pass, times as many operators there are, divided by
// draw_every_ms. Whom the beacon draws has all of its hosts challenged.
//
// A block looks at ChallengeBudget operators and hosts; what is left carries over,
// but never more than one round.
func (s *starter) draw(ctx context.Context, elapsed uint64) error {
	count, err := getOr(ctx, s.k.challenge.operators, 0)
	if err != nil || count == 0 {
		return err
	}
	count = min(count, maxOperators)
	every := s.params.Challenge.DrawEveryMs
	s.clock.DrawDebt = min(s.clock.DrawDebt+elapsed*count, count*every)
	hosts := types.ChallengeBudget
	for range types.ChallengeBudget {
		if s.clock.DrawHost > 0 {
			if err := s.challengeOperator(ctx, &hosts); err != nil || s.clock.DrawHost > 0 {
				return err
			}
		}
		if s.clock.DrawDebt < every {
			return nil
		}
		s.clock.DrawDebt -= every
		operator, ok, err := s.nextOperator(ctx)
		if err != nil || !ok {
			return err
		}
		if s.clock.DrawCursor, err = s.k.addressCodec.BytesToString(operator); err != nil {
			return err
		}
		if types.IsDrawn(s.beacon, operator, s.params.Challenge.DrawPpm) {
			s.clock.DrawHost = 1
		}
	}
	if s.clock.DrawHost > 0 {
		return s.challengeOperator(ctx, &hosts)
	}
	return nil
}

// nextOperator returns the operator after the cursor, after the last the first.
func (s *starter) nextOperator(ctx context.Context) (sdk.AccAddress, bool, error) {
	var after collections.Ranger[collections.Pair[sdk.AccAddress, uint64]]
	if s.clock.DrawCursor != "" {
		cursor, err := s.k.addressCodec.StringToBytes(s.clock.DrawCursor)
		if err != nil {
			return nil, false, err
		}
		after = new(collections.Range[collections.Pair[sdk.AccAddress, uint64]]).
			StartExclusive(collections.Join(sdk.AccAddress(cursor), uint64(1<<64-1)))
	}
	operator, ok, err := s.firstOperator(ctx, after)
	if err != nil || ok || after == nil {
		return operator, ok, err
	}
	return s.firstOperator(ctx, nil)
}

func (s *starter) firstOperator(ctx context.Context, rng collections.Ranger[collections.Pair[sdk.AccAddress, uint64]]) (_ sdk.AccAddress, ok bool, err error) {
	it, err := s.k.hosts.Indexes.operator.Iterate(ctx, rng)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	if !it.Valid() {
		return nil, false, nil
	}
	key, err := it.FullKey()
	return key.K1(), err == nil, err
}

// challengeOperator challenges the hosts of the operator at the cursor from
// DrawHost on, and sets that to 0 when none is left.
func (s *starter) challengeOperator(ctx context.Context, budget *int) error {
	operator, err := s.k.addressCodec.StringToBytes(s.clock.DrawCursor)
	if err != nil {
		return err
	}
	ids, err := s.hostsFrom(ctx, operator, s.clock.DrawHost, *budget+1)
	if err != nil {
		return err
	}
	s.clock.DrawHost = 0
	if len(ids) > *budget {
		s.clock.DrawHost = ids[*budget]
		ids = ids[:*budget]
	}
	*budget -= len(ids)
	for _, id := range ids {
		host, err := s.k.Host(ctx, id)
		if err != nil {
			return err
		}
		waits, err := s.k.challenge.due.Has(ctx, id)
		if err != nil {
			return err
		}
		if alive, err := s.alive(ctx, id); err != nil {
			return err
		} else if !alive || waits {
			continue
		}
		due := types.DueChallenge{HostId: id, Reason: types.CHALLENGE_REASON_DRAW, Ordinals: make([]uint32, host.GpuCount)}
		for i := range due.Ordinals {
			due.Ordinals[i] = uint32(i)
		}
		if err := s.start(ctx, &host, due); err != nil {
			return err
		}
	}
	return nil
}

// hostsFrom returns at most n hosts of the operator, from the id on.
func (s *starter) hostsFrom(ctx context.Context, operator sdk.AccAddress, from uint64, n int) (ids []uint64, err error) {
	it, err := s.k.hosts.Indexes.operator.Iterate(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, uint64](operator).StartInclusive(from))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ; it.Valid() && len(ids) < n; it.Next() {
		key, err := it.FullKey()
		if err != nil {
			return nil, err
		}
		ids = append(ids, key.K2())
	}
	return ids, nil
}

// alive tells whether the host attested the latest closed slot, or the one before:
// of the latest not everybody's attestation may be here yet.
func (s *starter) alive(ctx context.Context, hostID uint64) (bool, error) {
	last, err := getOr(ctx, s.k.lastClosed, 0)
	if err != nil {
		return false, err
	}
	bucket, position := types.Bucket(hostID)
	for _, slot := range []uint64{last, max(last, 1) - 1} {
		bits, err := readRecord(ctx, s.k.attested, slot, bucket)
		if err != nil || types.Bitmap(bits).Get(position) {
			return err == nil, err
		}
	}
	return false, nil
}

// countOperator counts an operator that is about to get its first host.
func (k *Keeper) countOperator(ctx context.Context, operator sdk.AccAddress) error {
	it, err := k.hosts.Indexes.operator.Iterate(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, uint64](operator))
	if err != nil {
		return err
	}
	known := it.Valid()
	if err := it.Close(); err != nil || known {
		return err
	}
	count, err := getOr(ctx, k.challenge.operators, 0)
	if err != nil {
		return err
	}
	return k.challenge.operators.Set(ctx, count+1)
}
