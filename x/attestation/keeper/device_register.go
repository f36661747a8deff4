package keeper

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/device"
	"github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// DeviceOutcome is what became of a report.
type DeviceOutcome struct {
	Device  types.Device
	Renewed bool
	// Forged says what is wrong with a forged report; empty for a good one.
	Forged string
}

// RegisterDevice makes the die that signed the report the one that answers for the
// GPU, or renews it. A report that the agent signed, under a genuine chain that it
// sent along and with the right nonce, but which the die did not sign, is forged: its
// operator is punished, and there is no error.
//
// Errors: ErrHostNotFound, ErrHostNotActive, ErrGPUNotFound, ErrStaleNonce,
// ErrInvalidAgentKey, ErrInvalidSignature, ErrInvalidReport, ErrCertificateNotFound,
// ErrRevoked, ErrDeviceInUse, and those of the slash.
func (k *Keeper) RegisterDevice(ctx context.Context, report *types.DeviceReport, signature []byte) (DeviceOutcome, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return DeviceOutcome{}, err
	}
	host, err := k.reportedHost(ctx, params, report)
	if err != nil {
		return DeviceOutcome{}, err
	}
	if err := k.checkRecent(ctx, params, report); err != nil {
		return DeviceOutcome{}, err
	}
	if err := checkReportSignature(ctx, params, report, signature); err != nil {
		return DeviceOutcome{}, err
	}
	die, err := k.reportedDie(ctx, params, report)
	if err != nil {
		return DeviceOutcome{}, err
	}
	nonce, err := k.nonceOf(ctx, &host, report)
	if err != nil {
		return DeviceOutcome{}, err
	}
	chargeP384(ctx, params, 1)
	verified, err := die.leaf.VerifyReport(report.Report, nonce)
	if errors.Is(err, device.ErrSignature) && !die.known {
		return DeviceOutcome{Forged: err.Error()}, k.punishForgery(ctx, &host, report)
	}
	if err != nil {
		return DeviceOutcome{}, types.ErrInvalidReport.Wrap(err.Error())
	}
	return k.saveDevice(ctx, params, &host, report, die, verified)
}

// reportedHost returns the host if it and the agent key of the report are live, and
// the GPU is declared.
func (k *Keeper) reportedHost(ctx context.Context, params types.Params, report *types.DeviceReport) (types.Host, error) {
	if _, err := k.GPU(ctx, report.HostId, report.Ordinal); err != nil {
		return types.Host{}, err
	}
	host, err := k.Host(ctx, report.HostId)
	if err != nil {
		return types.Host{}, err
	}
	if host.Status != types.HOST_STATUS_ACTIVE {
		return types.Host{}, types.ErrHostNotActive.Wrapf("host %d is %s", host.Id, host.Status)
	}
	for _, key := range host.SigningKeys(params.SlotAt(blockTime(ctx))) {
		if bytes.Equal(key, report.AgentKey) {
			return host, nil
		}
	}
	return types.Host{}, types.ErrInvalidAgentKey.Wrapf("%x is no live key of host %d", report.AgentKey, host.Id)
}

// checkRecent checks that the nonce names a block of the last max_nonce_age ones.
func (k *Keeper) checkRecent(ctx context.Context, params types.Params, report *types.DeviceReport) error {
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	if age := height - report.NonceHeight; report.NonceHeight < 1 || age < 0 || age > int64(params.Device.MaxNonceAge) {
		return types.ErrStaleNonce.Wrapf("of height %d, this is %d, want one of at most %d blocks ago", report.NonceHeight, height, params.Device.MaxNonceAge)
	}
	block, err := k.device.recent.Get(ctx, uint64(report.NonceHeight))
	if isNotFound(err) {
		return types.ErrStaleNonce.Wrapf("the hash of block %d is not kept", report.NonceHeight)
	} else if err != nil {
		return err
	}
	if !bytes.Equal(block.Hash, report.BlockHash) {
		return types.ErrStaleNonce.Wrapf("hash of block %d is %x, got %x", block.Height, block.Hash, report.BlockHash)
	}
	return nil
}

// checkReportSignature checks that the agent key of the report signed it.
func checkReportSignature(ctx context.Context, params types.Params, report *types.DeviceReport, signature []byte) error {
	doc, err := types.NewDeviceReportDoc(sdk.UnwrapSDKContext(ctx).ChainID(), report)
	if err != nil {
		return err
	}
	signBytes, err := doc.SignBytes()
	if err != nil {
		return err
	}
	chargeSignature(ctx, params)
	if !types.Verify(report.AgentKey, signBytes, signature) {
		return types.ErrInvalidSignature.Wrapf("by agent key %x over its report of GPU %d of host %d", report.AgentKey, report.Ordinal, report.HostId)
	}
	return nil
}

// nonceOf returns the nonce that the report must answer.
func (k *Keeper) nonceOf(ctx context.Context, host *types.Host, report *types.DeviceReport) ([sha256.Size]byte, error) {
	operator, err := k.addressCodec.StringToBytes(host.Operator)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return types.DeviceNonce(sdk.UnwrapSDKContext(ctx).ChainID(), operator, report.AgentKey,
		host.FirstGpu+uint64(report.Ordinal), report.BlockHash, report.NonceHeight), nil
}

// punishForgery punishes the host's operator, once for each GPU and nonce.
func (k *Keeper) punishForgery(ctx context.Context, host *types.Host, report *types.DeviceReport) error {
	operator, err := k.addressCodec.StringToBytes(host.Operator)
	if err != nil {
		return err
	}
	_, err = k.staking.SlashBySchedule(ctx, stakingext.FAULT_FORGED_REPORT, stakingext.SlashRequest{
		Operator:    operator,
		FaultID:     fmt.Sprintf("forged-report/%d/%d/%d", host.Id, report.Ordinal, report.NonceHeight),
		CommittedAt: blockTime(ctx),
	})
	return err
}

// saveDevice registers the die, if it answers for no other GPU. The die that
// answered for the GPU before ends.
func (k *Keeper) saveDevice(ctx context.Context, params types.Params, host *types.Host, report *types.DeviceReport,
	die reportedDie, verified *device.Report,
) (DeviceOutcome, error) {
	now := blockTime(ctx)
	updated := types.Device{
		Serial: die.serials[1], HostId: host.Id, Ordinal: report.Ordinal, Operator: host.Operator, Architecture: die.architecture,
		DriverVersion: verified.Driver, VbiosVersion: verified.VBIOS,
		RegisteredAt: now, RefreshedAt: now, ExpiresAt: now.Add(params.Device.MaxAge),
		NonceHeight: report.NonceHeight, AgentKey: report.AgentKey,
		Leaf: die.digest[:], LeafKey: die.leaf.Key, Fwid: die.leaf.FWID, Chain: die.serials,
	}
	renewed := false
	old, err := k.device.devices.Get(ctx, updated.Serial)
	switch {
	case isNotFound(err):
	case err != nil:
		return DeviceOutcome{}, err
	case !old.ExpiresAt.After(now): // and still in the queue
		if err := k.endDevice(ctx, old, endExpired); err != nil {
			return DeviceOutcome{}, err
		}
	case old.HostId != host.Id || old.Ordinal != report.Ordinal:
		return DeviceOutcome{}, types.ErrDeviceInUse.Wrapf("%x answers for GPU %d of host %d until %s", old.Serial, old.Ordinal, old.HostId, old.ExpiresAt)
	case report.NonceHeight <= old.NonceHeight:
		return DeviceOutcome{}, types.ErrStaleNonce.Wrapf("of height %d, the registration has one of %d", report.NonceHeight, old.NonceHeight)
	default:
		renewed, updated.RegisteredAt = true, old.RegisteredAt
		if err := k.device.expiry.Remove(ctx, expiryKey(old)); err != nil {
			return DeviceOutcome{}, err
		}
	}
	if !renewed {
		if err := k.endDevicesOf(ctx, host.Id, []uint32{report.Ordinal}, endReplaced); err != nil {
			return DeviceOutcome{}, err
		}
	}
	return DeviceOutcome{Device: updated, Renewed: renewed}, k.setDevice(ctx, updated)
}

// chargeP384 charges for n signatures on P-384.
func chargeP384(ctx context.Context, params types.Params, n int) {
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(params.Device.SignatureGas*uint64(n), "device signature")
}

func hexOf(serial []byte) string { return hex.EncodeToString(serial) }
