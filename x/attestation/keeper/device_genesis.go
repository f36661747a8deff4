package keeper

import (
	"bytes"
	"context"

	"github.com/grafilab/grafi/x/attestation/device"
	"github.com/grafilab/grafi/x/attestation/types"
)

// initDevices writes registrations, certificates, revocations and recent blocks.
func (k *Keeper) initDevices(ctx context.Context, gs types.GenesisState) error {
	for _, d := range gs.Devices {
		if err := k.setDevice(ctx, d); err != nil {
			return err
		}
	}
	if err := k.checkIssued(gs.Certificates); err != nil {
		return err
	}
	for _, c := range gs.Certificates {
		if err := k.setCertificate(ctx, c); err != nil {
			return err
		}
	}
	for _, r := range gs.Revocations {
		if err := k.device.revocations.Set(ctx, r.Serial, r); err != nil {
			return err
		}
	}
	for _, b := range gs.RecentBlocks {
		if err := k.device.recent.Set(ctx, uint64(b.Height), b); err != nil {
			return err
		}
	}
	return nil
}

// checkIssued checks that each certificate is what its record says, and signed by
// one above it that is there, up to the root.
func (k *Keeper) checkIssued(records []types.Certificate) error {
	root := k.device.root.Certificate()
	rootDigest := root.Digest()
	type issuer struct {
		certificate *device.Certificate
		depth       uint32
	}
	issuers := map[string]issuer{string(rootDigest[:]): {certificate: root}}
	for i := range records {
		c, err := device.ParseCertificate(records[i].Der)
		if err != nil {
			return types.ErrInvalidGenesis.Wrapf("certificate %x: %s", records[i].Digest, err)
		}
		issuers[string(records[i].Digest)] = issuer{certificate: c, depth: records[i].Depth}
	}
	for i := range records {
		r := &records[i]
		c, by := issuers[string(r.Digest)], issuers[string(r.Issuer)]
		if by.certificate == nil || c.depth != by.depth+1 || c.depth > device.MaxChain || !bytes.Equal(c.certificate.Serial, r.Serial) ||
			!c.certificate.SignedBy(by.certificate) {
			return types.ErrInvalidGenesis.Wrapf("certificate %x at depth %d has another serial number than %x, or is not signed by %x one above it",
				r.Digest, r.Depth, r.Serial, r.Issuer)
		}
	}
	return nil
}

// exportDevices reads what initDevices writes.
func (k *Keeper) exportDevices(ctx context.Context, gs *types.GenesisState) (err error) {
	if gs.Devices, err = values(ctx, k.device.devices.Iterate); err != nil {
		return err
	}
	if gs.Certificates, err = values(ctx, k.device.certificates.Iterate); err != nil {
		return err
	}
	if gs.Revocations, err = values(ctx, k.device.revocations.Iterate); err != nil {
		return err
	}
	gs.RecentBlocks, err = values(ctx, k.device.recent.Iterate)
	return err
}
