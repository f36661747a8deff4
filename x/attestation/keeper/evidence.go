package keeper

import (
	"bytes"
	"context"
	"fmt"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// SubmitEquivocation punishes the operator of a host that signed two different
// documents for one slot, once per host and slot. Keys that were revoked or
// rotated out count for the slots in which they were bound.
//
// Errors: ErrInvalidEvidence, ErrHostNotFound, ErrSlotOpen, ErrEvidenceTooOld,
// ErrFaultProven, ErrInvalidSignature, and those of the slash.
func (k *Keeper) SubmitEquivocation(ctx context.Context, submitter sdk.AccAddress, first, second *types.SignedAttestation) error {
	docs, err := differentDocs(sdk.UnwrapSDKContext(ctx).ChainID(), first, second)
	if err != nil {
		return err
	}
	host, err := k.Host(ctx, first.Doc.HostId)
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	slot := first.Doc.Slot
	if err := k.checkFault(ctx, params, host.Id, slot); err != nil {
		return err
	}
	for i, signed := range []*types.SignedAttestation{first, second} {
		if err := verifyEvidence(ctx, params, &host, slot, types.DomainAttestation, docs[i], signed.Signature); err != nil {
			return err
		}
	}
	operator, err := k.addressCodec.StringToBytes(host.Operator)
	if err != nil {
		return err
	}
	if err := k.faults.Set(ctx, collections.Join(slot, host.Id)); err != nil {
		return err
	}
	if _, err := k.staking.SlashBySchedule(ctx, stakingext.FAULT_EQUIVOCATION, stakingext.SlashRequest{
		Operator:    operator,
		FaultID:     fmt.Sprintf("equivocation/%d/%d", host.Id, slot),
		CommittedAt: params.SlotStart(slot),
		Reporter:    submitter,
	}); err != nil {
		return err
	}
	return k.hooks.AfterEquivocationProven(ctx, host.Id, slot)
}

// differentDocs returns the canonical encodings of two documents that contradict
// each other, or an error when they do not.
func differentDocs(chainID string, first, second *types.SignedAttestation) (docs [2][]byte, err error) {
	a, b := &first.Doc, &second.Doc
	switch {
	case a.ChainId != chainID || b.ChainId != chainID:
		return docs, types.ErrInvalidEvidence.Wrapf("of chains %q and %q, this is %q", a.ChainId, b.ChainId, chainID)
	case a.HostId != b.HostId:
		return docs, types.ErrInvalidEvidence.Wrapf("of hosts %d and %d, want one host", a.HostId, b.HostId)
	case a.Slot != b.Slot:
		return docs, types.ErrInvalidEvidence.Wrapf("for slots %d and %d, want one slot", a.Slot, b.Slot)
	}
	if docs[0], err = a.Marshal(); err != nil {
		return docs, err
	}
	if docs[1], err = b.Marshal(); err != nil {
		return docs, err
	}
	if bytes.Equal(docs[0], docs[1]) {
		return docs, types.ErrInvalidEvidence.Wrap("the same document twice")
	}
	return docs, nil
}

// checkFault checks that a fault in the slot can still be punished, and was not.
func (k *Keeper) checkFault(ctx context.Context, params types.Params, hostID, slot uint64) error {
	last, err := getOr(ctx, k.lastClosed, 0)
	if err != nil {
		return err
	}
	if slot > last {
		return types.ErrSlotOpen.Wrapf("slot %d, the last closed one is %d", slot, last)
	}
	if now := blockTime(ctx); params.EvidenceExpired(slot, now) {
		return types.ErrEvidenceTooOld.Wrapf("slot %d began at %s, evidence counts for %s, now is %s",
			slot, params.SlotStart(slot), params.EvidenceMaxAge, now)
	}
	proven, err := k.FaultProven(ctx, hostID, slot)
	if err != nil {
		return err
	}
	if proven {
		return types.ErrFaultProven.Wrapf("of host %d in slot %d", hostID, slot)
	}
	return nil
}

// FaultProven tells whether an equivocation of the host in the slot was punished.
func (k *Keeper) FaultProven(ctx context.Context, hostID, slot uint64) (bool, error) {
	return k.faults.Has(ctx, collections.Join(slot, hostID))
}

// verifyEvidence checks a signature against every key that answers for the slot.
func verifyEvidence(ctx context.Context, params types.Params, host *types.Host, slot uint64, domain string, doc, signature []byte) error {
	signBytes := types.SignBytesOf(domain, doc)
	for i := range host.AgentKeys {
		key := &host.AgentKeys[i]
		if !key.Answers(slot) {
			continue
		}
		chargeSignature(ctx, params)
		if types.Verify(key.PublicKey, signBytes, signature) {
			return nil
		}
	}
	return types.ErrInvalidSignature.Wrapf("by no agent key that host %d had in slot %d", host.Id, slot)
}
