package keeper

import (
	"context"
	"time"

	"cosmossdk.io/math"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// replace re-places the unserved time of a rental that closes at time at for the
// reason. It returns what it took of the rental's escrow and of its failover
// reserve; the caller returns the rest of both to the renter.
//
// close calls it once the rental is billed and its GPUs are free, with the rental
// still in its old state, in a cached context: an error leaves no trace, makes an
// EventFailoverFailed and never stops the close.
func (k *Keeper) replace(
	_ context.Context, _ types.Params, _ *types.Rental, _ types.CloseReason, _ time.Time,
) (fromEscrow, fromReserve math.Int, err error) {
	return math.ZeroInt(), math.ZeroInt(), types.ErrNotImplemented.Wrap("failover")
}
