package keeper

import (
	"context"
	"fmt"
	"time"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// slash makes the rental's operator pay for a fault, in a context of its own:
// when that fails, nothing of it stays, an event tells why and ok is false. A
// rental must go on, and close, whatever became of its operator's stake.
func (k *Keeper) slash(
	ctx context.Context, r types.Rental, req stakingext.SlashRequest,
) (result stakingext.SlashResult, ok bool, err error) {
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	result, failure := k.trySlash(cached, r, req)
	if failure == nil {
		write()
		return result, true, nil
	}
	return stakingext.SlashResult{}, false, emit(ctx, &types.EventSlashFailed{
		RentalId: r.Id, FaultId: req.FaultID, Error: failure.Error(),
	})
}

func (k *Keeper) trySlash(ctx context.Context, r types.Rental, req stakingext.SlashRequest) (stakingext.SlashResult, error) {
	operator, err := k.addressCodec.StringToBytes(r.Operator)
	if err != nil {
		return stakingext.SlashResult{}, err
	}
	req.Operator = operator
	// The first missed slot of a long rental may be older than the stake that
	// answers for it: it reaches what still can be reached.
	unbonding, err := k.staking.UnbondingTime(ctx)
	if err != nil {
		return stakingext.SlashResult{}, err
	}
	if oldest := now(ctx).Add(time.Second - unbonding); req.CommittedAt.Before(oldest) {
		req.CommittedAt = oldest
	}
	if req.VictimLoss.IsNil() {
		return k.staking.Slash(ctx, req)
	}
	if req.Victim, err = k.addressCodec.StringToBytes(r.Renter); err != nil {
		return stakingext.SlashResult{}, err
	}
	return k.staking.Slash(ctx, req)
}

// punishOffline takes the penalty of a run of missed slots that is over.
func (k *Keeper) punishOffline(
	ctx context.Context, params types.Params, r types.Rental, a *types.Availability, in types.Incident,
) error {
	begins, err := k.attestation.SlotStart(ctx, in.FirstSlot)
	if err != nil {
		return err
	}
	charged := a.UseFree(types.DayOf(begins), in.Seconds, params.OfflineFreeSeconds)
	if charged < params.OfflineStepSeconds {
		return nil
	}
	faultID := fmt.Sprintf("offline/%d/%d", r.Id, in.FirstSlot)
	requirement, err := k.requirement(ctx, r)
	if err != nil {
		return emit(ctx, &types.EventSlashFailed{RentalId: r.Id, FaultId: faultID, Error: err.Error()})
	}
	penalty := params.OfflinePenalty(requirement, charged)
	if !penalty.IsPositive() {
		return nil
	}
	result, ok, err := k.slash(ctx, r, stakingext.SlashRequest{
		Fault: stakingext.FAULT_OFFLINE_IN_RENTAL, FaultID: faultID, Amount: penalty,
		CommittedAt: begins,
	})
	if err != nil || !ok {
		return err
	}
	return emit(ctx, &types.EventOfflinePenalty{
		RentalId: r.Id, FirstSlot: in.FirstSlot, Seconds: in.Seconds, Penalty: penalty.String(), Taken: result.Taken().String(),
	})
}

// requirement is what the rental's GPUs ask of their operator's stake now.
func (k *Keeper) requirement(ctx context.Context, r types.Rental) (math.Int, error) {
	operator, err := k.addressCodec.StringToBytes(r.Operator)
	if err != nil {
		return math.Int{}, err
	}
	sum := math.ZeroInt()
	for _, ordinal := range r.Gpus {
		amount, err := k.staking.GPURequirement(ctx, operator, r.HostId, ordinal)
		if err != nil {
			return math.Int{}, err
		}
		sum = sum.Add(amount)
	}
	return sum, nil
}

// creditService pays the renter of a period that is over what the operator owes
// for missed slots.
func (k *Keeper) creditService(ctx context.Context, params types.Params, r *types.Rental) error {
	a := *r.Availability
	credit := params.ServiceCredit(r.Paid.Sub(a.PeriodPaid), a.JudgedSlots, a.MissedSlots)
	if !credit.IsPositive() {
		return nil
	}
	if denom, err := k.staking.StakeDenom(ctx); err != nil || denom != r.Price.Denom {
		return err
	}
	begins, err := k.attestation.SlotStart(ctx, a.FirstMissedSlot)
	if err != nil {
		return err
	}
	result, ok, err := k.slash(ctx, *r, stakingext.SlashRequest{
		Fault: stakingext.FAULT_SLA_CREDIT, FaultID: fmt.Sprintf("sla/%d/%d", r.Id, r.Period()),
		Amount: credit, CommittedAt: begins, VictimLoss: credit,
	})
	if err != nil || !ok {
		return err
	}
	a.Credited = a.Credited.Add(result.Victim)
	r.Availability = &a
	return emit(ctx, &types.EventServiceCredit{
		RentalId: r.Id, JudgedSlots: a.JudgedSlots, MissedSlots: a.MissedSlots, Credit: credit.String(), ToRenter: result.Victim.String(),
	})
}

// forfeit gives the rest of a reservation's bond to the renter whom the operator
// failed at time at.
func (k *Keeper) forfeit(ctx context.Context, r *types.Rental, at time.Time) error {
	res := *r.Reservation
	bond := res.Bond
	operator, err := k.addressCodec.StringToBytes(r.Operator)
	if err != nil {
		return err
	}
	if err := k.staking.ReleaseBond(ctx, operator, bond); err != nil {
		return err
	}
	result, ok, err := k.slash(ctx, *r, stakingext.SlashRequest{
		Fault: stakingext.FAULT_ABANDONED_RESERVATION, FaultID: fmt.Sprintf("reservation/%d", r.Id),
		Amount: bond, CommittedAt: at, VictimLoss: bond,
	})
	res.Bond = math.ZeroInt()
	r.Reservation = &res
	if err != nil || !ok {
		return err
	}
	res.Forfeited = result.Victim
	return emit(ctx, &types.EventBondForfeited{RentalId: r.Id, Bond: bond.String(), ToRenter: result.Victim.String()})
}
