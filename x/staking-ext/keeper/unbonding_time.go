package keeper

import (
	"context"
	"time"
)

// UnbondingTime is how long stake takes to leave, and with that the age from
// which a fault can't take stake any more.
func (k *Keeper) UnbondingTime(ctx context.Context) (time.Duration, error) {
	params, err := k.params.Get(ctx)
	return params.UnbondingTime, err
}
