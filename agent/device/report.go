package device

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/cosmos/cosmos-sdk/types/bech32"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// report asks the card, checks what it says, and sends it.
func (f *Flow) report(ctx context.Context, id attest.Identity, host *attestation.Host, g *attestation.Gpu, slot uint64) error {
	s, err := f.ask(ctx, id, host, g, slot)
	wait := f.cfg.Retry
	if errors.Is(err, gpu.ErrUnsupported) || errors.Is(err, gpu.ErrConfidentialComputingOff) {
		wait = f.cfg.Never
	}
	var refused *chainclient.RejectedError
	if err != nil && !errors.As(err, &refused) && chainGone(err) {
		return err // nothing is known of the card
	}
	f.mu.Lock()
	state := f.gpus[g.Inventory.Uuid]
	before := state.Why
	state.Why, state.next = "", time.Time{}
	if err != nil {
		state.Why, state.next = explain(err), time.Now().Add(wait)
	}
	why := state.Why
	f.mu.Unlock()
	if err == nil {
		f.observer.DeviceReported(OutcomeRegistered)
		f.log.Info("device is registered", "gpu", g.Ordinal, "serial", s)
		return nil
	}
	f.observer.DeviceReported(OutcomeFailed)
	if why != before { // said once for each reason
		f.log.Warn("GPU has no device attestation, so its trust tier stays below 3", "gpu", g.Ordinal, "name", g.Inventory.Name, "why", why)
	}
	return nil
}

// ask returns the serial of the die that the chain has registered.
func (f *Flow) ask(ctx context.Context, id attest.Identity, host *attestation.Host, g *attestation.Gpu, slot uint64) (string, error) {
	if f.rules.Nonce == nil || f.rules.Verify == nil {
		return "", fmt.Errorf("%w: this agent has no rules of the chain for them", gpu.ErrUnsupported)
	}
	index, err := f.index(ctx, g.Inventory.Uuid)
	if err != nil {
		return "", err
	}
	signer := attest.SignerFor(host, slot, f.signers)
	if signer == nil {
		return "", fmt.Errorf("no key of this agent signs for slot %d", slot)
	}
	now, err := f.chain.DeviceNonce(ctx, id.HostID, g.Ordinal)
	if err != nil {
		return "", err
	}
	// The nonce is the agent's own computation and not the node's: a card that signs
	// any nonce it is given would sign for another operator's GPU.
	_, operator, err := bech32.DecodeAndConvert(host.Operator)
	if err != nil {
		return "", fmt.Errorf("operator %q: %w", host.Operator, err)
	}
	nonce := f.rules.Nonce(id.ChainID, operator, signer.PublicKey(), host.FirstGpu+uint64(g.Ordinal), now.BlockHash, now.Height)
	r, err := f.source.Attest(ctx, index, nonce)
	if err != nil {
		return "", err
	}
	// What the chain would call forged costs its operator stake: it never leaves.
	if err := f.rules.Verify(r.SPDM, r.Chain, nonce); err != nil {
		return "", fmt.Errorf("report of the card does not verify: %w", err)
	}
	report := attestation.DeviceReport{
		HostId: id.HostID, Ordinal: g.Ordinal, AgentKey: signer.PublicKey(), NonceHeight: now.Height, BlockHash: now.BlockHash,
		Report: r.SPDM, Certificates: r.Chain,
	}
	canonical, err := report.Marshal()
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(canonical)
	doc, err := (&attestation.DeviceReportDoc{ChainId: id.ChainID, ReportDigest: digest[:]}).Marshal()
	if err != nil {
		return "", err
	}
	res, err := f.chain.Submit(ctx, &attestation.MsgRegisterDevice{
		Submitter: f.chain.Sender(), Report: report, Signature: signer.SignDoc(attestation.DomainReport, doc),
	})
	if err != nil {
		return "", err
	}
	var answer attestation.MsgRegisterDeviceResponse
	if err := res.Response(0, &answer); err != nil {
		return "", err
	}
	if !answer.Accepted {
		return "", fmt.Errorf("chain calls the report forged: %s", answer.Detail)
	}
	return hex.EncodeToString(answer.Serial), nil
}

func (f *Flow) index(ctx context.Context, uuid string) (int, error) {
	devices, err := f.source.Devices(ctx)
	if err != nil {
		return 0, err
	}
	for _, d := range devices {
		if d.UUID == uuid {
			return d.Index, nil
		}
	}
	return 0, fmt.Errorf("%w: %s is declared and not in this machine", gpu.ErrNoGPU, uuid)
}
