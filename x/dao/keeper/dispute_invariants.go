package keeper

import (
	"context"
	"fmt"
	"time"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/dao/types"
)

// disputeInvariant: disputes, jurors and seats agree with each other, and
// exactly the disputes that are not parked wait in the queue.
func (k *Keeper) disputeInvariant(ctx context.Context, gs *types.GenesisState) ([]string, error) {
	var broken []string
	disputes, waiting, parked := make(map[uint64]types.Dispute), 0, 0
	for _, d := range gs.Disputes {
		disputes[d.Id] = d
		queued, err := k.disputes.Indexes.due.keys.Has(ctx, collections.Join(d.DueAt, d.Id))
		if err != nil {
			return nil, err
		}
		if queued == d.Parked {
			broken = append(broken, fmt.Sprintf("dispute %d is parked: %t, and in the queue: %t", d.Id, d.Parked, queued))
		}
		if d.Parked {
			parked++
		}
	}
	if err := k.disputes.Indexes.due.keys.Walk(ctx, nil, func(collections.Pair[time.Time, uint64]) (bool, error) {
		waiting++
		return false, nil
	}); err != nil {
		return nil, err
	}
	if waiting != len(gs.Disputes)-parked {
		broken = append(broken, fmt.Sprintf("%d keys in the queue for %d disputes, %d of them parked", waiting, len(gs.Disputes), parked))
	}
	return append(broken, seatInvariant(gs, disputes)...), nil
}

// seatInvariant: no party is a juror of its own dispute, and jurors know how
// many seats of theirs are open.
func seatInvariant(gs *types.GenesisState, disputes map[uint64]types.Dispute) (broken []string) {
	open := make(map[string]uint32)
	for _, s := range gs.Seats {
		d := disputes[s.DisputeId]
		if s.Juror == d.Claimant || s.Juror == d.Operator {
			broken = append(broken, fmt.Sprintf("%s is a party and a juror of dispute %d", s.Juror, d.Id))
		}
		if d.InPanel() && s.Round == d.Round {
			open[s.Juror]++
		}
	}
	for _, j := range gs.Jurors {
		if j.OpenSeats != open[j.Address] {
			broken = append(broken, fmt.Sprintf("juror %s says %d open seats, there are %d", j.Address, j.OpenSeats, open[j.Address]))
		}
		if j.Leaving && j.OpenSeats == 0 {
			broken = append(broken, fmt.Sprintf("juror %s is leaving without an open seat", j.Address))
		}
		delete(open, j.Address)
	}
	if len(open) > 0 {
		broken = append(broken, fmt.Sprintf("%d accounts with open seats are no jurors", len(open)))
	}
	return broken
}
