package keeper

import (
	"context"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// Unjail ends a jail whose term is over: from jailed_until on. It doesn't ask
// for cover: stake under the requirement has its own grace.
func (k *Keeper) Unjail(ctx context.Context, operator sdk.AccAddress) error {
	record, err := k.Operator(ctx, operator)
	if err != nil {
		return err
	}
	now := blockTime(ctx)
	switch {
	case record.Tombstoned:
		return types.ErrTombstoned.Wrapf("operator %s stays jailed for ever", record.Address)
	case !record.Jailed:
		return types.ErrNotJailed.Wrapf("operator %s", record.Address)
	case now.Before(record.JailedUntil):
		return types.ErrJailed.Wrapf("operator %s at %s, may unjail from %s",
			record.Address, now.Format(time.RFC3339), record.JailedUntil.Format(time.RFC3339))
	}
	record.Jailed, record.JailedUntil = false, time.Time{}
	if err := k.operators.Set(ctx, operator, record); err != nil {
		return err
	}
	return emit(ctx, &types.EventUnjailed{Operator: record.Address})
}

// jail sets the operator's jail in the record, which the caller saves. A
// longer term that already runs is kept.
func jail(ctx context.Context, record *types.Operator, term time.Duration, tombstone bool) error {
	if until := blockTime(ctx).Add(term); !record.Jailed || until.After(record.JailedUntil) {
		record.JailedUntil = until
	}
	record.Jailed = true
	record.Tombstoned = record.Tombstoned || tombstone
	return emit(ctx, &types.EventJailed{
		Operator: record.Address, Until: record.JailedUntil, Tombstoned: record.Tombstoned,
	})
}
