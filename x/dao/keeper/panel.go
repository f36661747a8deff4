package keeper

import (
	"context"
	"time"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// drawPanel draws a panel with this block's beacon, or ends the round when there
// are too few jurors.
func (k *Keeper) drawPanel(ctx context.Context, params types.Params, d types.Dispute) error {
	if sdk.UnwrapSDKContext(ctx).BlockHeight() <= d.OpenedHeight {
		return types.ErrWrongState.Wrapf("dispute %d was opened in block %d, want a later one", d.Id, d.OpenedHeight)
	}
	d.Round++
	jurors, candidates, err := k.candidates(ctx, params, d)
	if err != nil {
		return err
	}
	drawn, err := k.draw(ctx, params, d, jurors, candidates)
	if err != nil {
		return err
	}
	if len(drawn) == 0 {
		if err := emit(ctx, &types.EventNoPanel{
			DisputeId: d.Id, Round: d.Round, Candidates: uint32(len(candidates)),
		}); err != nil {
			return err
		}
		// As long as a panel would have had: others may join meanwhile.
		return k.retry(ctx, params, d, params.CommitPeriod+params.RevealPeriod)
	}

	d.State, d.DueAt = types.DISPUTE_STATE_COMMIT, now(ctx).Add(params.CommitPeriod)
	names := make([]string, len(drawn))
	for n, i := range drawn {
		names[n] = jurors[i].Address
		jurors[i].OpenSeats++
		if err := k.jurors.Set(ctx, candidates[i].Juror, jurors[i]); err != nil {
			return err
		}
		seat := types.PanelSeat{DisputeId: d.Id, Juror: names[n], Round: d.Round}
		if err := k.seats.Set(ctx, collections.Join(d.Id, sdk.AccAddress(candidates[i].Juror)), seat); err != nil {
			return err
		}
	}
	if err := k.disputes.Set(ctx, d.Id, d); err != nil {
		return err
	}
	return emit(ctx, &types.EventPanelDrawn{DisputeId: d.Id, Round: d.Round, Jurors: names, CommitUntil: d.DueAt})
}

// candidates are the jurors that the dispute can be given to: not a party, not
// in a panel of it before, with a whole bond, staying, and joined (or renewed)
// DrawDelay before the draw, when nobody could know the beacon. At most max_jurors.
func (k *Keeper) candidates(ctx context.Context, params types.Params, d types.Dispute) ([]types.Juror, []types.Candidate, error) {
	var (
		jurors     []types.Juror
		candidates []types.Candidate
		joinedBy   = d.DueAt.Add(-types.DrawDelay)
	)
	err := k.jurors.Walk(ctx, nil, func(address sdk.AccAddress, j types.Juror) (bool, error) {
		if j.Address == d.Claimant || j.Address == d.Operator || j.Leaving ||
			j.Bond.LT(params.JurorBond) || j.JoinedAt.After(joinedBy) {
			return false, nil
		}
		sat, err := k.seats.Has(ctx, collections.Join(d.Id, address))
		if err != nil || sat {
			return false, err
		}
		jurors = append(jurors, j)
		candidates = append(candidates, types.Candidate{Juror: address, Weight: j.Weight})
		return false, nil
	})
	return jurors, candidates, err
}

// draw returns the positions of the drawn jurors: panel_size of them, the
// largest odd number when there are fewer, and none under LeastPanel. It stores
// the weights that it found too high; jurors and candidates lie in step.
func (k *Keeper) draw(ctx context.Context, params types.Params, d types.Dispute, jurors []types.Juror, candidates []types.Candidate) ([]int, error) {
	size := int(params.PanelSize)
	least := min(types.LeastPanel, size)
	if len(candidates) < least {
		return nil, nil
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	beacon := types.Beacon(sdkCtx.BlockHeight(), sdkCtx.VoteInfos(), sdkCtx.HeaderInfo().AppHash)
	drawn, corrected, err := types.DrawPanel(types.DrawSeed(beacon, d.Id, d.Round), candidates, size,
		func(juror []byte) (math.Int, error) { return k.jurorStake(ctx, params, juror) })
	if err != nil {
		return nil, err
	}
	for _, i := range corrected {
		jurors[i].Weight = candidates[i].Weight
		if err := k.jurors.Set(ctx, candidates[i].Juror, jurors[i]); err != nil {
			return nil, err
		}
	}
	if len(drawn)%2 == 0 && len(drawn) > 0 {
		drawn = drawn[:len(drawn)-1]
	}
	if len(drawn) < least {
		return nil, nil
	}
	return drawn, nil
}

// retry queues the next round, or dismisses the claim after the last one.
func (k *Keeper) retry(ctx context.Context, params types.Params, d types.Dispute, delay time.Duration) error {
	if d.Round >= types.Rounds {
		return k.decide(ctx, params, d, types.VERDICT_DISMISSED, types.Tally{})
	}
	d.State, d.DueAt = types.DISPUTE_STATE_OPEN, now(ctx).Add(delay)
	return k.disputes.Set(ctx, d.Id, d)
}

// seatsOf returns the seats of all rounds of a dispute.
func (k *Keeper) seatsOf(ctx context.Context, dispute uint64) ([]types.PanelSeat, error) {
	var seats []types.PanelSeat
	err := k.seats.Walk(ctx, collections.NewPrefixedPairRange[uint64, sdk.AccAddress](dispute),
		func(_ collections.Pair[uint64, sdk.AccAddress], s types.PanelSeat) (bool, error) {
			seats = append(seats, s)
			return false, nil
		})
	return seats, err
}

// panelOf returns the seats of the dispute's last round.
func (k *Keeper) panelOf(ctx context.Context, d types.Dispute) ([]types.PanelSeat, error) {
	seats, err := k.seatsOf(ctx, d.Id)
	if err != nil {
		return nil, err
	}
	panel := seats[:0]
	for _, s := range seats {
		if s.Round == d.Round {
			panel = append(panel, s)
		}
	}
	return panel, nil
}
