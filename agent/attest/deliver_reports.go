package attest

import (
	"bytes"
	"context"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/internal/chainclient"
	market "github.com/grafilab/grafi/x/gpumarket/types"
)

// rentalOf reads the entry's rental. why says that the entry can't be delivered.
func (a *Agent) rentalOf(ctx context.Context, v *view, e Entry) (r market.Rental, why string, err error) {
	r, err = a.chain.Rental(ctx, e.rental())
	if chainclient.IsNotFound(err) {
		return r, "the chain knows no such rental", nil
	}
	if err != nil {
		return r, "", err
	}
	if r.HostId != v.id.HostID {
		return r, fmt.Sprintf("the rental is of host %d, this is host %d", r.HostId, v.id.HostID), nil
	}
	return r, "", nil
}

// deliverStart confirms a start, unless the chain has it already.
func (a *Agent) deliverStart(ctx context.Context, e Entry) error {
	v, err := a.refresh(ctx)
	if err != nil {
		return err
	}
	r, why, err := a.rentalOf(ctx, v, e)
	switch {
	case err != nil:
		return err
	case why != "":
		return a.refuse(e, why)
	case r.StartedAt != nil:
		return a.delivered(e)
	case r.State == market.RENTAL_STATE_CLOSED:
		return a.refuse(e, "the rental is closed: "+r.CloseReason.String())
	case !bytes.Equal(r.ManifestDigest, e.Started.ManifestDigest):
		return a.refuse(e, fmt.Sprintf("the manifest that runs is %x, the chain has %x", e.Started.ManifestDigest, r.ManifestDigest))
	case r.State != market.RENTAL_STATE_PENDING:
		return fmt.Errorf("%w: rental %d is %s and can't start", errNotYet, r.Id, r.State)
	}
	report := market.StartReport{ChainId: v.id.ChainID, HostId: v.id.HostID, RentalId: r.Id, ManifestDigest: r.ManifestDigest}
	return a.sendReport(ctx, v, e, market.DomainStart, &report, func(sig []byte) sdk.Msg {
		return &market.MsgConfirmStart{Sender: a.chain.Sender(), RentalId: r.Id, AgentSignature: sig}
	})
}

// deliverResult reports how a workload ended, unless the chain knows already.
func (a *Agent) deliverResult(ctx context.Context, e Entry) error {
	v, err := a.refresh(ctx)
	if err != nil {
		return err
	}
	r, why, err := a.rentalOf(ctx, v, e)
	result := resultOf(*e.Result)
	switch {
	case err != nil:
		return err
	case why != "":
		return a.refuse(e, why)
	case r.Result != nil && sameResult(*r.Result, result):
		return a.delivered(e)
	case r.Result != nil:
		return a.refuse(e, "the chain has another result")
	case r.StartedAt == nil && r.State != market.RENTAL_STATE_CLOSED:
		return fmt.Errorf("%w: the start of rental %d is not on chain", errNotYet, r.Id)
	case r.StartedAt == nil:
		return a.refuse(e, fmt.Sprintf("the rental never started: it is %s %s", r.State, r.CloseReason))
	}
	report := market.ResultReport{ChainId: v.id.ChainID, HostId: v.id.HostID, RentalId: r.Id, Result: result}
	return a.sendReport(ctx, v, e, market.DomainResult, &report, func(sig []byte) sdk.Msg {
		return &market.MsgReportResult{Sender: a.chain.Sender(), RentalId: r.Id, Result: result, AgentSignature: sig}
	})
}

func resultOf(r agentapi.Result) market.WorkloadResult {
	return market.WorkloadResult{
		ExitKnown: !r.UnknownExit, ExitCode: r.ExitCode, OutputDigest: r.OutputDigest, Seconds: r.Seconds,
	}
}

func sameResult(a, b market.WorkloadResult) bool {
	return a.ExitKnown == b.ExitKnown && a.ExitCode == b.ExitCode && a.Seconds == b.Seconds &&
		bytes.Equal(a.OutputDigest, b.OutputDigest)
}

// sendReport signs with the key that is live now and sends.
func (a *Agent) sendReport(ctx context.Context, v *view, e Entry, domain string, report interface{ Marshal() ([]byte, error) }, msg func([]byte) sdk.Msg) error {
	clock, err := a.chain.Clock(ctx)
	if err != nil {
		return err
	}
	signer := signerFor(&v.host, clock.Slot, a.signers)
	if signer == nil {
		return fmt.Errorf("%w: no key of this agent is live for host %d (%s)", errNotYet, v.id.HostID, v.host.Status)
	}
	doc, err := report.Marshal()
	if err != nil {
		return err
	}
	_, err = a.chain.Submit(ctx, msg(signer.SignDoc(domain, doc)))
	if refusal, ok := final(err); ok {
		// It may have arrived by a transaction that was given up, or the rental
		// has moved on meanwhile: look once more.
		done, early, again := a.onChain(ctx, e)
		switch {
		case again != nil:
			return again
		case done:
			return a.delivered(e)
		case early:
			return fmt.Errorf("%w: %w", errNotYet, err)
		}
		return a.refuse(e, refusal.Log)
	}
	if err != nil {
		return err
	}
	return a.delivered(e)
}

// onChain tells whether the chain has what the entry states, and if not whether
// it is too early to state it.
func (a *Agent) onChain(ctx context.Context, e Entry) (done, early bool, err error) {
	r, err := a.chain.Rental(ctx, e.rental())
	if chainclient.IsNotFound(err) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	if e.Kind == KindStart {
		return r.StartedAt != nil, r.State == market.RENTAL_STATE_RESERVED, nil
	}
	early = r.StartedAt == nil && r.State != market.RENTAL_STATE_CLOSED
	return r.Result != nil && sameResult(*r.Result, resultOf(*e.Result)), early, nil
}
