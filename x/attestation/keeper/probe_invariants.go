package keeper

import (
	"context"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// checkProbes: beacons are of slots that began; the measures of a connection are of
// its day, which is after that of its medians; scores are within their bound.
func (k *Keeper) checkProbes(ctx context.Context) (broken []string, err error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	last, err := getOr(ctx, k.lastClosed, 0)
	if err != nil {
		return nil, err
	}
	if err := k.probes.beacons.Walk(ctx, nil, func(slot uint64, b types.ProbeBeacon) (bool, error) {
		if slot > last+1 || b.Slot != slot {
			broken = append(broken, fmt.Sprintf("probe beacon of slot %d under %d, the last closed one is %d", b.Slot, slot, last))
		}
		return false, nil
	}); err != nil {
		return nil, err
	}
	if err := k.probes.scores.Walk(ctx, nil, func(_ sdk.AccAddress, s types.ProberScore) (bool, error) {
		if n := s.Agreed + s.Strayed; n == 0 || n >= types.MaxScore {
			broken = append(broken, fmt.Sprintf("score of %s: %d receipts, want 1 to %d", s.Operator, n, types.MaxScore-1))
		}
		return false, nil
	}); err != nil {
		return nil, err
	}
	err = k.probes.connections.Walk(ctx, nil, func(id uint64, c types.HostConnection) (bool, error) {
		if c.HostId != id || c.MedianDay >= c.Day || len(c.Measures) == 0 {
			broken = append(broken, fmt.Sprintf("connection of host %d under %d: day %d with %d measures, medians of day %d",
				c.HostId, id, c.Day, len(c.Measures), c.MedianDay))
		}
		for i := range c.Measures {
			if params.DayOf(c.Measures[i].Slot) != c.Day {
				broken = append(broken, fmt.Sprintf("host %d: measure of slot %d in day %d", id, c.Measures[i].Slot, c.Day))
			}
		}
		return false, nil
	})
	return broken, err
}
