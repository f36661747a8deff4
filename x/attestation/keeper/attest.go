package keeper

import (
	"context"
	"fmt"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// BatchResult tells what became of a message of attestations.
type BatchResult struct {
	Accepted   uint32
	Rejections []types.Rejection                      // by index
	Groups     []types.EventAttestationsAccepted      // one per group
	NotRunning []types.EventRentalsReportedNotRunning // one per attestation that lists any
}

// candidate is an attestation of the message on its way through the checks.
type candidate struct {
	group    int
	slot     uint64
	att      *types.Attestation
	signer   types.Signer
	rejected *types.Rejection
}

// SubmitAttestations keeps the good attestations and names the bad ones. It fails
// with ErrInvalidBatch when the message is malformed as a whole, and with
// ErrNothingAccepted when none is good.
//
// Gas is flat for each attestation, whatever its fate, so that it depends neither
// on what others have stored nor on what a cache holds. GPUs that are counted for the
// first time on a day pay for what the listeners then find out about them, and a list
// of rentals that do not run for its writes.
func (k *Keeper) SubmitAttestations(ctx context.Context, groups []types.AttestationGroup) (BatchResult, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return BatchResult{}, err
	}
	candidates, err := unpackBatch(params, groups)
	if err != nil {
		return BatchResult{}, err
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	sdkCtx.GasMeter().ConsumeGas(params.AttestationGas*uint64(len(candidates)), "attestations")
	// As an interface once: the context is large, and each conversion copies it.
	var flat context.Context = sdkCtx.WithGasMeter(storetypes.NewInfiniteGasMeter())

	b, err := k.newBatch(flat, params, groups)
	if err != nil {
		return BatchResult{}, err
	}
	for i := range candidates {
		if err := b.check(flat, uint32(i), &candidates[i]); err != nil {
			return BatchResult{}, err
		}
	}
	if err := b.verify(flat, candidates); err != nil {
		return BatchResult{}, err
	}
	for i := range candidates {
		if c := &candidates[i]; c.rejected == nil {
			if err := b.count(flat, c); err != nil {
				return BatchResult{}, err
			}
		}
	}
	result := summary(groups, candidates)
	if result.Accepted == 0 {
		r := result.Rejections[0]
		return BatchResult{}, types.ErrNothingAccepted.Wrapf("%d rejected, the first is of host %d for slot %d: %s: %s",
			len(result.Rejections), r.HostId, r.Slot, r.Reason, r.Detail)
	}
	if err := b.write(flat); err != nil {
		return BatchResult{}, err
	}
	sdkCtx.GasMeter().ConsumeGas(params.FirstOfDayGas(b.firstOfDay), "first slot of the day")
	for i := range b.counted {
		if err := k.hooks.AfterSlotsCounted(flat, b.counted[i].day, b.counted[i].hosts); err != nil {
			return BatchResult{}, err
		}
	}
	for _, e := range result.NotRunning {
		if err := k.hooks.AfterRentalsNotRunning(ctx, e.HostId, e.Slot, e.RentalIds); err != nil {
			return BatchResult{}, err
		}
	}
	return result, nil
}

// unpackBatch checks the sizes of a message and lists its attestations.
func unpackBatch(params types.Params, groups []types.AttestationGroup) ([]candidate, error) {
	total := 0
	for i := range groups {
		n := len(groups[i].Attestations)
		if n == 0 {
			return nil, types.ErrInvalidBatch.Wrapf("group %d is empty", i)
		}
		total += n
	}
	if total == 0 || total > int(params.MaxBatch) {
		return nil, types.ErrInvalidBatch.Wrapf("%d attestations, want 1 to %d", total, params.MaxBatch)
	}
	candidates := make([]candidate, 0, total)
	for g := range groups {
		for i := range groups[g].Attestations {
			candidates = append(candidates, candidate{group: g, slot: groups[g].Slot, att: &groups[g].Attestations[i]})
		}
	}
	return candidates, nil
}

// summary lists the outcome in the order of the message.
func summary(groups []types.AttestationGroup, candidates []candidate) BatchResult {
	result := BatchResult{Groups: make([]types.EventAttestationsAccepted, len(groups))}
	for g := range groups {
		result.Groups[g].Slot = groups[g].Slot
	}
	for i := range candidates {
		c := &candidates[i]
		if c.rejected != nil {
			result.Groups[c.group].Rejected++
			result.Rejections = append(result.Rejections, *c.rejected)
			continue
		}
		result.Accepted++
		result.Groups[c.group].Accepted++
		if len(c.att.NotRunning) > 0 {
			result.NotRunning = append(result.NotRunning, types.EventRentalsReportedNotRunning{
				HostId: c.att.HostId, Slot: c.slot, RentalIds: c.att.NotRunning,
			})
		}
	}
	return result
}

// reject ends a candidate's way; the detail names the value and what is allowed.
func (c *candidate) reject(index uint32, reason types.RejectReason, format string, args ...any) {
	c.rejected = &types.Rejection{
		Index: index, HostId: c.att.HostId, Slot: c.slot, Reason: reason, Detail: fmt.Sprintf(format, args...),
	}
}
