package attest

import (
	"context"
	"fmt"

	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// deliverAttestations sends the entries in one transaction. Each entry ends as
// delivered or refused, or all of them stay for a later try.
func (a *Agent) deliverAttestations(ctx context.Context, entries []Entry) error {
	clock, err := a.chain.Clock(ctx)
	if err != nil {
		return err
	}
	v, err := a.refresh(ctx)
	if err != nil {
		return err
	}
	entries = entries[:min(len(entries), max(1, int(v.params.MaxBatch)))]
	msg := attestation.MsgSubmitAttestations{Submitter: a.chain.Sender()}
	var sent []Entry
	for _, e := range entries {
		att, why, err := a.sign(v, e, clock)
		if err != nil {
			return err
		}
		if why != "" {
			if err := a.settle(ctx, e, why); err != nil {
				return err
			}
			continue
		}
		msg.Groups = append(msg.Groups, att)
		sent = append(sent, e)
	}
	if len(sent) == 0 {
		return nil
	}
	res, err := a.chain.Submit(ctx, &msg)
	if r, ok := final(err); ok {
		for _, e := range sent { // none of them was new to the chain
			if err := a.settle(ctx, e, r.Log); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil {
		return err
	}
	return a.settleResponse(ctx, sent, res)
}

// sign returns the entry's group, or why it can't be delivered any more.
func (a *Agent) sign(v *view, e Entry, clock attestation.QueryClockResponse) (g attestation.AttestationGroup, why string, err error) {
	if e.Identity != v.id {
		return g, fmt.Sprintf("it is of host %d on %s", e.Identity.HostID, e.Identity.ChainID), nil
	}
	if e.Slot < clock.OldestAcceptedSlot {
		return g, "its submission window is over", nil
	}
	raw, err := a.store.Document(e.Identity, e.Slot)
	if err != nil {
		return g, "", wrapStore(err)
	}
	if raw == nil {
		return g, "its document is lost", nil
	}
	signer := signerFor(&v.host, e.Slot, a.signers)
	if signer == nil {
		return g, "no key of this agent may sign for the slot", nil
	}
	var doc attestation.AttestationDoc
	if err := doc.Unmarshal(raw); err != nil {
		return g, "", wrapStore(fmt.Errorf("stored document of slot %d: %w", e.Slot, err))
	}
	return attestation.AttestationGroup{
		Slot: doc.Slot, AnchorHeight: doc.AnchorHeight, AnchorHash: doc.AnchorHash,
		Attestations: []attestation.Attestation{{
			HostId: doc.HostId, Signature: signer.SignDoc(attestation.DomainAttestation, raw),
			Down: doc.Down, NotRunning: doc.NotRunning, DetailRoot: doc.DetailRoot,
		}},
	}, "", nil
}

// settle ends an entry that was not accepted: it may be there already, from a
// transaction of which the agent never heard.
func (a *Agent) settle(ctx context.Context, e Entry, why string) error {
	if e.Identity.ChainID == a.chain.ChainID() {
		attested, err := a.chain.Attested(ctx, e.Identity.HostID, e.Slot)
		if _, refused := chainclient.AsRejected(err); err != nil && !refused {
			return err
		}
		if attested {
			return a.delivered(e)
		}
	}
	return a.refuse(e, why)
}

// settleResponse ends each entry by the response of its transaction. The groups
// hold one attestation each, so positions are those of sent.
func (a *Agent) settleResponse(ctx context.Context, sent []Entry, res chainclient.Result) error {
	var resp attestation.MsgSubmitAttestationsResponse
	if err := res.Response(0, &resp); err != nil {
		return err
	}
	rejected := make(map[uint32]attestation.Rejection, len(resp.Rejections))
	for _, r := range resp.Rejections {
		rejected[r.Index] = r
	}
	for i, e := range sent {
		r, bad := rejected[uint32(i)]
		var err error
		if bad {
			err = a.settle(ctx, e, fmt.Sprintf("%s: %s", r.Reason, r.Detail))
		} else {
			err = a.delivered(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
