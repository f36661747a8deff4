package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// dueKeys returns the first keys of a time-keyed queue before end, at most
// budget of them. They are collected before any is processed, because an
// iterator must not see its store change.
func dueKeys[K any](ctx context.Context, queue collections.KeySet[K], end K, budget uint32) ([]K, error) {
	iter, err := queue.Iterate(ctx, new(collections.Range[K]).EndExclusive(end))
	if err != nil {
		return nil, err
	}
	defer iter.Close()
	var keys []K
	for ; iter.Valid() && len(keys) < int(budget); iter.Next() {
		key, err := iter.Key()
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// try runs a step in a cached context: what fails changes nothing.
func try(ctx context.Context, step func(ctx context.Context) error) error {
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	if err := step(cached); err != nil {
		return err
	}
	write()
	return nil
}
