package keeper

import (
	"bytes"
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// SubmitContradiction punishes the operator of a host that signed two different
// receipts of one probe, once per probe. It does not matter whether either was
// ever submitted, nor whether the other side signed it.
//
// Errors: ErrInvalidEvidence, ErrHostNotFound, ErrSlotOpen, ErrEvidenceTooOld,
// ErrInvalidSignature, and those of the slash.
func (k *Keeper) SubmitContradiction(ctx context.Context, submitter sdk.AccAddress, hostID uint64, first, second *types.ProbeReceipt) error {
	docs, err := differentReceipts(sdk.UnwrapSDKContext(ctx).ChainID(), hostID, &first.Doc, &second.Doc)
	if err != nil {
		return err
	}
	host, err := k.Host(ctx, hostID)
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	slot, now := first.Doc.Slot, blockTime(ctx)
	if current := params.SlotAt(now); slot > current {
		return types.ErrSlotOpen.Wrapf("slot %d has not begun, this is %d", slot, current)
	}
	if params.EvidenceExpired(slot, now) {
		return types.ErrEvidenceTooOld.Wrapf("slot %d began at %s, evidence counts for %s, now is %s",
			slot, params.SlotStart(slot), params.EvidenceMaxAge, now)
	}
	for i, r := range []*types.ProbeReceipt{first, second} {
		signature := r.ProberSignature
		if hostID == r.Doc.Target {
			signature = r.TargetSignature
		}
		if err := verifyEvidence(ctx, params, &host, slot, types.DomainProbe, docs[i], signature); err != nil {
			return err
		}
	}
	operator, err := k.addressCodec.StringToBytes(host.Operator)
	if err != nil {
		return err
	}
	if _, err := k.staking.SlashBySchedule(ctx, stakingext.FAULT_EQUIVOCATION, stakingext.SlashRequest{
		Operator:    operator,
		FaultID:     first.Doc.FaultID(hostID),
		CommittedAt: params.SlotStart(slot),
		Reporter:    submitter,
	}); err != nil {
		return err
	}
	return k.hooks.AfterEquivocationProven(ctx, hostID, slot)
}

// differentReceipts returns the canonical encodings of two receipts of one probe
// of the host that contradict each other, or an error when they do not.
func differentReceipts(chainID string, hostID uint64, a, b *types.ProbeDoc) (docs [2][]byte, err error) {
	switch {
	case a.ChainId != chainID || b.ChainId != chainID:
		return docs, types.ErrInvalidEvidence.Wrapf("of chains %q and %q, this is %q", a.ChainId, b.ChainId, chainID)
	case a.Slot != b.Slot || a.Prober != b.Prober || a.Target != b.Target:
		return docs, types.ErrInvalidEvidence.Wrapf("of probes of host %d by host %d in slot %d and of host %d by host %d in slot %d, want one probe",
			a.Target, a.Prober, a.Slot, b.Target, b.Prober, b.Slot)
	case a.Prober == a.Target || (hostID != a.Prober && hostID != a.Target):
		return docs, types.ErrInvalidEvidence.Wrapf("host %d is not one side of a probe of host %d by host %d", hostID, a.Target, a.Prober)
	}
	if docs[0], err = a.Marshal(); err != nil {
		return docs, err
	}
	if docs[1], err = b.Marshal(); err != nil {
		return docs, err
	}
	if bytes.Equal(docs[0], docs[1]) {
		return docs, types.ErrInvalidEvidence.Wrap("the same receipt twice")
	}
	return docs, nil
}
