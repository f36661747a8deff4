package types

import (
	"bytes"
	"crypto/sha256"
)

// validateDevices checks registrations, certificates, revocations and recent blocks.
// That certificates are signed is checked by whoever knows the root.
func (gs *GenesisState) validateDevices() error {
	hosts := map[uint64]*Host{}
	for i := range gs.Hosts {
		hosts[gs.Hosts[i].Id] = &gs.Hosts[i]
	}
	type gpu struct {
		host    uint64
		ordinal uint32
	}
	taken := map[gpu]bool{}
	for i := range gs.Devices {
		d := &gs.Devices[i]
		if i > 0 && bytes.Compare(gs.Devices[i-1].Serial, d.Serial) >= 0 {
			return ErrInvalidGenesis.Wrapf("device %x is not after the one before", d.Serial)
		}
		if err := d.validate(); err != nil {
			return err
		}
		host, at := hosts[d.HostId], gpu{d.HostId, d.Ordinal}
		if host == nil || host.Status != HOST_STATUS_ACTIVE || d.Ordinal >= host.GpuCount || d.Operator != host.Operator || taken[at] {
			return ErrInvalidGenesis.Wrapf("device %x is for GPU %d of host %d, which is none of %s's active ones, or has another",
				d.Serial, d.Ordinal, d.HostId, d.Operator)
		}
		taken[at] = true
	}
	if err := gs.validateCertificates(); err != nil {
		return err
	}
	for i := range gs.Revocations {
		r := &gs.Revocations[i]
		if err := r.Validate(); err != nil {
			return err
		}
		if i > 0 && bytes.Compare(gs.Revocations[i-1].Serial, r.Serial) >= 0 || r.RevokedAt.IsZero() {
			return ErrInvalidGenesis.Wrapf("revocation of %x is not after the one before, or has no time", r.Serial)
		}
	}
	for i, b := range gs.RecentBlocks {
		if b.Height < 1 || len(b.Hash) != BlockHashSize || i > 0 && b.Height <= gs.RecentBlocks[i-1].Height {
			return ErrInvalidGenesis.Wrapf("recent block %d with hash %x: want ascending heights and hashes of %d bytes", b.Height, b.Hash, BlockHashSize)
		}
	}
	if len(gs.RecentBlocks) > RecentBlocks {
		return ErrInvalidGenesis.Wrapf("%d recent blocks, want at most %d", len(gs.RecentBlocks), RecentBlocks)
	}
	return nil
}

func (d *Device) validate() error {
	if err := ValidateSerial(d.Serial); err != nil {
		return err
	}
	if d.Architecture == "" || len(d.Leaf) != sha256.Size || len(d.LeafKey) == 0 || len(d.AgentKey) != AgentKeySize || d.NonceHeight < 1 {
		return ErrInvalidGenesis.Wrapf("device %x has no architecture, leaf, agent key or nonce", d.Serial)
	}
	if len(d.Chain) < 2 || !bytes.Equal(d.Chain[1], d.Serial) {
		return ErrInvalidGenesis.Wrapf("device %x is not the second of its chain", d.Serial)
	}
	if d.RegisteredAt.IsZero() || d.RefreshedAt.Before(d.RegisteredAt) || !d.ExpiresAt.After(d.RefreshedAt) {
		return ErrInvalidGenesis.Wrapf("device %x: registered at %s, refreshed at %s, expires at %s, want this order",
			d.Serial, d.RegisteredAt, d.RefreshedAt, d.ExpiresAt)
	}
	return nil
}

func (gs *GenesisState) validateCertificates() error {
	for i := range gs.Certificates {
		c := &gs.Certificates[i]
		digest := sha256.Sum256(c.Der)
		if !bytes.Equal(c.Digest, digest[:]) || len(c.Issuer) != sha256.Size || c.Depth == 0 || c.UsedAt.IsZero() {
			return ErrInvalidGenesis.Wrapf("certificate %x has another digest, no issuer, no depth or was never used", c.Digest)
		}
		if i > 0 && bytes.Compare(gs.Certificates[i-1].Digest, c.Digest) >= 0 {
			return ErrInvalidGenesis.Wrapf("certificate %x is not after the one before", c.Digest)
		}
	}
	if n, most := len(gs.Certificates), gs.Params.Device.MaxCachedCertificates; n > int(most) {
		return ErrInvalidGenesis.Wrapf("%d certificates, want at most %d", n, most)
	}
	return nil
}
