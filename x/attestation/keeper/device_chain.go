package keeper

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/device"
	"github.com/grafilab/grafi/x/attestation/types"
)

// reportedDie is who signs a report, by a chain that was verified.
type reportedDie struct {
	leaf         device.Leaf
	digest       [sha256.Size]byte
	serials      [][]byte // of the chain, leaf first; the second is the die's
	architecture string
	// known: the report names the leaf of the GPU's registration, and brings none.
	known bool
}

// certificateAge is how old the time of a certificate's last use may get, so that a
// report every week by each of many dies is no write each.
const certificateAge = 24 * time.Hour

// reportedDie verifies the chain of a report, of which no certificate may be revoked.
// It charges for the report and for each certificate that comes with it.
func (k *Keeper) reportedDie(ctx context.Context, params types.Params, report *types.DeviceReport) (reportedDie, error) {
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(params.Device.ReportGas, "device report")
	var die reportedDie
	var chain []*device.Certificate
	var err error
	if names := report.Certificates; len(names) == 1 && len(names[0]) == sha256.Size {
		die, err = k.registeredDie(ctx, report)
	} else {
		die, chain, err = k.verifiedDie(ctx, params, report)
	}
	if err != nil {
		return reportedDie{}, err
	}
	revoked, err := k.firstRevoked(ctx, die.serials)
	if err != nil {
		return reportedDie{}, err
	}
	if revoked != nil {
		return reportedDie{}, types.ErrRevoked.Wrapf("serial number %x", revoked)
	}
	if chain != nil {
		err = k.cacheCertificates(ctx, params, chain)
	}
	return die, err
}

// registeredDie returns the die that answers for the GPU already.
func (k *Keeper) registeredDie(ctx context.Context, report *types.DeviceReport) (reportedDie, error) {
	d, live, err := k.deviceOf(ctx, report.HostId, report.Ordinal)
	if err != nil {
		return reportedDie{}, err
	}
	if leaf := report.Certificates[0]; !live || !bytes.Equal(d.Leaf, leaf) {
		return reportedDie{}, types.ErrCertificateNotFound.Wrapf("leaf %x has no live registration for GPU %d of host %d", leaf, report.Ordinal, report.HostId)
	}
	return reportedDie{
		leaf: device.Leaf{Key: d.LeafKey, FWID: d.Fwid}, digest: [sha256.Size]byte(d.Leaf),
		serials: d.Chain, architecture: d.Architecture, known: true,
	}, nil
}

// verifiedDie reads and verifies the certificates of the report. It returns those
// above the die's, to be cached.
func (k *Keeper) verifiedDie(ctx context.Context, params types.Params, report *types.DeviceReport) (reportedDie, []*device.Certificate, error) {
	certificates, trusted, err := k.readChain(ctx, report.Certificates)
	if err != nil {
		return reportedDie{}, nil, err
	}
	chargeP384(ctx, params, len(certificates)-trusted)
	chain, err := device.VerifyChain(k.device.root, certificates, trusted)
	if err != nil {
		return reportedDie{}, nil, types.ErrInvalidReport.Wrap(err.Error())
	}
	all := chain.Certificates()
	die := reportedDie{leaf: chain.Leaf(), digest: chain.LeafDigest(), architecture: chain.Architecture()}
	for _, c := range all {
		die.serials = append(die.serials, c.Serial)
	}
	return die, all[2:], nil
}

// readChain parses the certificates and reads those that a digest at the end stands
// for; trusted is their number.
func (k *Keeper) readChain(ctx context.Context, entries [][]byte) (chain []*device.Certificate, trusted int, err error) {
	if len(entries) > device.MaxChain {
		return nil, 0, types.ErrInvalidReport.Wrapf("%d certificates, want at most %d", len(entries), device.MaxChain)
	}
	for i, entry := range entries {
		if len(entry) == sha256.Size && i == len(entries)-1 {
			cached, err := k.cachedChain(ctx, entry)
			return append(chain, cached...), len(cached), err
		}
		c, err := device.ParseCertificate(entry)
		if err != nil {
			return nil, 0, types.ErrInvalidReport.Wrapf("certificate %d: %s", i, err)
		}
		chain = append(chain, c)
	}
	return chain, 0, nil
}

// cachedChain returns the cached certificate and those above it.
func (k *Keeper) cachedChain(ctx context.Context, digest []byte) ([]*device.Certificate, error) {
	root := k.device.root.Certificate().Digest()
	var chain []*device.Certificate
	for !bytes.Equal(digest, root[:]) {
		record, err := k.device.certificates.Get(ctx, digest)
		if isNotFound(err) {
			return nil, types.ErrCertificateNotFound.Wrapf("with digest %x", digest)
		} else if err != nil {
			return nil, err
		}
		c, err := device.ParseCertificate(record.Der)
		if err != nil {
			return nil, fmt.Errorf("cached certificate %x: %w", digest, err)
		}
		chain, digest = append(chain, c), record.Issuer
	}
	return chain, nil
}

// cacheCertificates remembers verified certificates, lowest first, or that they are
// in use. Only those above the dies' are kept: nobody but NVIDIA can make more.
//
// A certificate is never used later than its issuer, and of those used at one time
// the lower go first, so that no issuer goes before what it issued.
func (k *Keeper) cacheCertificates(ctx context.Context, params types.Params, chain []*device.Certificate) error {
	now, fresh := blockTime(ctx), true
	for _, c := range chain {
		digest := c.Digest()
		record, err := k.device.certificates.Get(ctx, digest[:])
		if err != nil && !isNotFound(err) {
			return err
		}
		fresh = fresh && err == nil && now.Sub(record.UsedAt) < certificateAge
	}
	if fresh {
		return nil
	}
	issuer := k.device.root.Certificate().Digest()
	for i := len(chain) - 1; i >= 0; i-- {
		c := chain[i]
		digest := c.Digest()
		if err := k.setCertificate(ctx, types.Certificate{
			Digest: digest[:], Serial: c.Serial, Der: c.Raw, Issuer: bytes.Clone(issuer[:]), Depth: uint32(len(chain) - i), UsedAt: now,
		}); err != nil {
			return err
		}
		issuer = digest
	}
	return k.evictCertificates(ctx, params)
}

// setCertificate writes a certificate with what is derived from it.
func (k *Keeper) setCertificate(ctx context.Context, c types.Certificate) error {
	old, err := k.device.certificates.Get(ctx, c.Digest)
	switch {
	case isNotFound(err):
		n, err := getOr(ctx, k.device.cached, 0)
		if err != nil {
			return err
		}
		if err := k.device.cached.Set(ctx, n+1); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if err := k.device.evictable.Remove(ctx, evictionKey(&old)); err != nil {
			return err
		}
	}
	if err := k.device.certificates.Set(ctx, c.Digest, c); err != nil {
		return err
	}
	return k.device.evictable.Set(ctx, evictionKey(&c))
}

// evictCertificates removes what was used longest ago while there are too many, at
// most two chains at a time: a lower cap is reached in steps.
func (k *Keeper) evictCertificates(ctx context.Context, params types.Params) error {
	n, err := getOr(ctx, k.device.cached, 0)
	if err != nil {
		return err
	}
	excess := int64(n) - int64(params.Device.MaxCachedCertificates)
	if excess <= 0 {
		return nil
	}
	keys, err := firstKeys(ctx, k.device.evictable.Iterate, nil, int(min(excess, 2*device.MaxChain)))
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := k.device.evictable.Remove(ctx, key); err != nil {
			return err
		}
		if err := k.device.certificates.Remove(ctx, key.K3()); err != nil {
			return err
		}
	}
	return k.device.cached.Set(ctx, n-uint64(len(keys)))
}

// evictionKey orders certificates by use, and the lower before the higher.
func evictionKey(c *types.Certificate) collections.Triple[time.Time, uint32, []byte] {
	return collections.Join3(c.UsedAt, device.MaxChain-c.Depth, c.Digest)
}

func expiryKey(d types.Device) collections.Pair[time.Time, []byte] {
	return collections.Join(d.ExpiresAt, d.Serial)
}
