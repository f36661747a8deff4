package keeper

import (
	"bytes"
	"context"
	"crypto/sha256"
	"time"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// SignedReport is a report with its agent's signature.
type SignedReport struct {
	Report    *types.DeviceReport
	Signature []byte
}

// SubmitDoubleDevice punishes an operator whose agents claimed one die for two of his
// hosts at once: both signed reports of it, with nonces at most max_nonce_age blocks
// apart. It returns the serial number of the die.
//
// Two operators are no evidence: whoever rents a card can ask it for a report in his
// own name, so that it can't be told which of the two has it. Two GPUs of one host
// are none either, because their order changes with the inventory.
//
// Errors: ErrInvalidEvidence, ErrEvidenceTooOld, ErrHostNotFound,
// ErrInvalidSignature, ErrInvalidReport, ErrCertificateNotFound, and those of the slash.
func (k *Keeper) SubmitDoubleDevice(ctx context.Context, submitter sdk.AccAddress, first, second SignedReport) ([]byte, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	a, b := first.Report, second.Report
	apart := a.NonceHeight - b.NonceHeight
	if age := int64(params.Device.MaxNonceAge); a.HostId == b.HostId || apart > age || apart < -age {
		return nil, types.ErrInvalidEvidence.Wrapf("reports for hosts %d and %d with nonces of heights %d and %d, want two hosts and at most %d blocks between",
			a.HostId, b.HostId, a.NonceHeight, b.NonceHeight, age)
	}
	// The fault is done with the later of the two; its time is that of the block.
	at, err := k.timeOfHeight(ctx, params, max(a.NonceHeight, b.NonceHeight))
	if err != nil {
		return nil, err
	}
	var operator string
	var serials [2][]byte
	for i, signed := range []SignedReport{first, second} {
		host, err := k.Host(ctx, signed.Report.HostId)
		if err != nil {
			return nil, err
		}
		if i > 0 && host.Operator != operator {
			return nil, types.ErrInvalidEvidence.Wrapf("hosts of %s and %s, want one operator: a tenant can ask a card for a report in his own name",
				operator, host.Operator)
		}
		operator = host.Operator
		if serials[i], err = k.verifyClaim(ctx, params, &host, signed, at); err != nil {
			return nil, err
		}
	}
	if !bytes.Equal(serials[0], serials[1]) {
		return nil, types.ErrInvalidEvidence.Wrapf("reports of dies %x and %x, want one die", serials[0], serials[1])
	}
	account, err := k.addressCodec.StringToBytes(operator)
	if err != nil {
		return nil, err
	}
	_, err = k.staking.SlashBySchedule(ctx, stakingext.FAULT_DOUBLE_DEVICE, stakingext.SlashRequest{
		Operator: account, FaultID: "double-device/" + hexOf(serials[0]), CommittedAt: at, Reporter: submitter,
	})
	return serials[0], err
}

// verifyClaim checks that an agent key that the host had at the time signed the
// report, and a genuine die too. It returns the serial number of the die. Neither
// must be live any more, and the hash of the block is what the agent says it is: a
// lie about it is his own.
func (k *Keeper) verifyClaim(ctx context.Context, params types.Params, host *types.Host, signed SignedReport, at time.Time) ([]byte, error) {
	report := signed.Report
	if report.Ordinal >= host.Capacity {
		return nil, types.ErrInvalidEvidence.Wrapf("GPU %d of host %d, which has room for %d", report.Ordinal, host.Id, host.Capacity)
	}
	if !hadKey(host, report.AgentKey, params.SlotAt(at)) {
		return nil, types.ErrInvalidEvidence.Wrapf("%x was no key of host %d at %s", report.AgentKey, host.Id, at)
	}
	if err := checkReportSignature(ctx, params, report, signed.Signature); err != nil {
		return nil, err
	}
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(params.Device.ReportGas, "device report")
	die, err := k.claimedDie(ctx, params, report)
	if err != nil {
		return nil, err
	}
	nonce, err := k.nonceOf(ctx, host, report)
	if err != nil {
		return nil, err
	}
	chargeP384(ctx, params, 1)
	if _, err := die.leaf.VerifyReport(report.Report, nonce); err != nil {
		return nil, types.ErrInvalidReport.Wrap(err.Error())
	}
	return die.serials[1], nil
}

// claimedDie verifies the chain of old evidence, in which a leaf may be named that
// is registered for the GPU now.
func (k *Keeper) claimedDie(ctx context.Context, params types.Params, report *types.DeviceReport) (reportedDie, error) {
	if names := report.Certificates; len(names) == 1 && len(names[0]) == sha256.Size {
		return k.registeredDie(ctx, report)
	}
	die, _, err := k.verifiedDie(ctx, params, report)
	return die, err
}

// hadKey tells whether the key answers for the slot.
func hadKey(host *types.Host, key []byte, slot uint64) bool {
	for i := range host.AgentKeys {
		if bytes.Equal(host.AgentKeys[i].PublicKey, key) && host.AgentKeys[i].Answers(slot) {
			return true
		}
	}
	return false
}

// timeOfHeight returns a time at or before that of the block, by less than a slot:
// that of the newest kept anchor which is not above it.
//
// Errors: ErrInvalidEvidence for a block to come, ErrEvidenceTooOld.
func (k *Keeper) timeOfHeight(ctx context.Context, params types.Params, height int64) (time.Time, error) {
	if now := sdk.UnwrapSDKContext(ctx).BlockHeight(); height < 1 || height > now {
		return time.Time{}, types.ErrInvalidEvidence.Wrapf("nonce of height %d, this is %d", height, now)
	}
	var found *types.Anchor
	if err := k.anchors.Walk(ctx, new(collections.Range[uint64]).Descending(), func(_ uint64, anchor types.Anchor) (bool, error) {
		if anchor.Height <= height { // at most the slots of bitmap_days come before
			found = &anchor
		}
		return found != nil, nil
	}); err != nil {
		return time.Time{}, err
	}
	if found == nil {
		return time.Time{}, types.ErrEvidenceTooOld.Wrapf("block %d is before the oldest slot that is kept", height)
	}
	if now := blockTime(ctx); now.Sub(found.Time) > params.EvidenceMaxAge {
		return time.Time{}, types.ErrEvidenceTooOld.Wrapf("block %d is of %s, evidence counts for %s", height, found.Time, params.EvidenceMaxAge)
	}
	return found.Time, nil
}
