package simulation

import (
	"context"
	"crypto/sha256"
	"fmt"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/keeper"
	"github.com/grafilab/grafi/x/dao/types"
)

// JoinJuryFactory joins the jury, or renews, with enough stake.
func JoinJuryFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgJoinJury] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgJoinJury) {
		account := data.AnyAccountN(20, reporter, simsx.SimAccountFilterFn(func(a simsx.SimAccount) bool {
			return must(k.JurorStake(ctx, a.Address)).IsPositive()
		}))
		msg := &types.MsgJoinJury{Juror: account.AddressBech32}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).JoinJury(ctx, msg)
			return err
		})
		if reporter.IsSkipped() {
			return nil, nil
		}
		bond := must(k.Params(ctx)).JurorBond
		if j, err := k.Juror(ctx, account.Address); err == nil {
			bond = math.MaxInt(bond.Sub(j.Bond), math.ZeroInt())
		}
		return payingBond(ctx, k, reporter, account, bond), msg
	}
}

// LeaveJuryFactory leaves the jury.
func LeaveJuryFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgLeaveJury] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgLeaveJury) {
		j := pick(data, reporter, "juror", must(k.ExportGenesis(ctx)).Jurors,
			func(j types.Juror) bool { return !j.Leaving && data.HasAccount(j.Address) })
		if reporter.IsSkipped() {
			return nil, nil
		}
		return []simsx.SimAccount{data.GetAccount(reporter, j.Address)}, &types.MsgLeaveJury{Juror: j.Address}
	}
}

// CommitVoteFactory commits to a vote that RevealVoteFactory can tell again.
func CommitVoteFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgCommitVote] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgCommitVote) {
		seat, account := openSeat(ctx, k, data, reporter, types.DISPUTE_STATE_COMMIT,
			func(s types.PanelSeat) bool { return len(s.Commitment) == 0 })
		if reporter.IsSkipped() {
			return nil, nil
		}
		vote, salt := voteOf(seat)
		commitment := types.Commitment(sdk.UnwrapSDKContext(ctx).ChainID(), seat.DisputeId, seat.Round, account.Address, vote, salt)
		return []simsx.SimAccount{account}, &types.MsgCommitVote{
			Juror: seat.Juror, DisputeId: seat.DisputeId, Commitment: commitment[:],
		}
	}
}

// RevealVoteFactory reveals a committed vote.
func RevealVoteFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgRevealVote] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgRevealVote) {
		seat, account := openSeat(ctx, k, data, reporter, types.DISPUTE_STATE_REVEAL,
			func(s types.PanelSeat) bool { return len(s.Commitment) > 0 && s.Vote == types.VERDICT_UNSPECIFIED })
		if reporter.IsSkipped() {
			return nil, nil
		}
		vote, salt := voteOf(seat)
		return []simsx.SimAccount{account}, &types.MsgRevealVote{
			Juror: seat.Juror, DisputeId: seat.DisputeId, Vote: vote, Salt: salt,
		}
	}
}

// openSeat returns a seat of a present panel in a dispute that is in the state,
// before the state's end.
func openSeat(ctx context.Context, k *keeper.Keeper, data *simsx.ChainDataSource, reporter simsx.SimulationReporter,
	state types.DisputeState, fits func(types.PanelSeat) bool,
) (types.PanelSeat, simsx.SimAccount) {
	gs := must(k.ExportGenesis(ctx))
	now := simsx.BlockTime(ctx)
	rounds := make(map[uint64]uint32)
	for _, d := range gs.Disputes {
		if d.State == state && now.Before(d.DueAt) {
			rounds[d.Id] = d.Round
		}
	}
	seat := pick(data, reporter, "seat", gs.Seats, func(s types.PanelSeat) bool {
		return s.Round == rounds[s.DisputeId] && fits(s) && data.HasAccount(s.Juror)
	})
	if reporter.IsSkipped() {
		return seat, simsx.SimAccount{}
	}
	return seat, data.GetAccount(reporter, seat.Juror)
}

// voteOf is what a simulated juror votes, always the same in one seat.
func voteOf(s types.PanelSeat) (types.Verdict, []byte) {
	salt := sha256.Sum256(fmt.Append(nil, s.Juror, s.DisputeId, s.Round))
	return randomVerdict(int(salt[0] % 2)), salt[:]
}
