package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// ReportResult records the end of the workload, once. A rental that was opened
// to close with its workload closes. A result may also come after the close, as
// long as the rental is in state: what was computed until then stays worth knowing.
func (k *Keeper) ReportResult(ctx context.Context, id uint64, result types.WorkloadResult, agentSignature []byte) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	r, err := k.touch(ctx, params, id)
	if err != nil {
		return err
	}
	if r.StartedAt == nil {
		return types.ErrNotActive.Wrapf("rental %d never started: it is %s %s", id, r.State, r.CloseReason)
	}
	if r.Result != nil {
		return types.ErrResultReported.Wrapf("rental %d", id)
	}
	if err := result.Validate(); err != nil {
		return err
	}
	report := types.ResultReport{
		ChainId: sdk.UnwrapSDKContext(ctx).ChainID(), HostId: r.HostId, RentalId: id, Result: result,
	}
	doc, err := report.Marshal()
	if err != nil {
		return err
	}
	if err := k.attestation.VerifyAgentSignature(ctx, r.HostId, types.DomainResult, doc, agentSignature); err != nil {
		return err
	}
	r.Result = &result
	if err := emit(ctx, &types.EventResultReported{RentalId: id, Result: result}); err != nil {
		return err
	}
	if r.State == types.RENTAL_STATE_ACTIVE && r.CloseOnExit {
		return k.closeEarly(ctx, params, &r, types.CLOSE_REASON_WORKLOAD_EXITED)
	}
	return k.rentals.Set(ctx, id, r)
}
