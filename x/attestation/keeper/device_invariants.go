package keeper

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/attestation/types"
)

// checkDevices: a registration is of a declared GPU of an active host, is found by
// that GPU, and ends at its time. Nothing else is in the index and the queue.
func (k *Keeper) checkDevices(ctx context.Context) (broken []string, err error) {
	registered := 0
	if err := k.device.devices.Walk(ctx, nil, func(serial []byte, d types.Device) (bool, error) {
		registered++
		host, err := k.Host(ctx, d.HostId)
		if err != nil {
			return true, err
		}
		if !bytes.Equal(serial, d.Serial) || host.Status != types.HOST_STATUS_ACTIVE || d.Ordinal >= host.GpuCount || d.Operator != host.Operator {
			broken = append(broken, fmt.Sprintf("device %x is for GPU %d of host %d, which is none of %s", serial, d.Ordinal, d.HostId, d.Operator))
		}
		indexed, err := k.device.byGPU.Get(ctx, collections.Join(d.HostId, d.Ordinal))
		if err != nil && !isNotFound(err) {
			return true, err
		}
		queued, err := k.device.expiry.Has(ctx, expiryKey(d))
		if err != nil {
			return true, err
		}
		if !bytes.Equal(indexed, serial) || !queued {
			broken = append(broken, fmt.Sprintf("device %x is not found by its GPU (%x is), or never ends", serial, indexed))
		}
		return false, nil
	}); err != nil {
		return nil, err
	}
	indexed, queued := 0, 0
	if err := k.device.byGPU.Walk(ctx, nil, func(collections.Pair[uint64, uint32], []byte) (bool, error) {
		indexed++
		return false, nil
	}); err != nil {
		return nil, err
	}
	if err := k.device.expiry.Walk(ctx, nil, func(collections.Pair[time.Time, []byte]) (bool, error) {
		queued++
		return false, nil
	}); err != nil {
		return nil, err
	}
	if indexed != registered || queued != registered {
		broken = append(broken, fmt.Sprintf("%d devices, %d in the index, %d in the queue", registered, indexed, queued))
	}
	return broken, nil
}

// checkCertificates: each is below the root or another that was used as late, and all
// are counted and can be evicted.
func (k *Keeper) checkCertificates(ctx context.Context) (broken []string, err error) {
	root := k.device.root.Certificate().Digest()
	var count, queued uint64
	if err := k.device.certificates.Walk(ctx, nil, func(digest []byte, c types.Certificate) (bool, error) {
		count++
		if in, err := k.device.evictable.Has(ctx, evictionKey(&c)); err != nil {
			return true, err
		} else if !in {
			broken = append(broken, fmt.Sprintf("certificate %x can't be evicted", digest))
		}
		if bytes.Equal(c.Issuer, root[:]) {
			return false, nil
		}
		issuer, err := k.device.certificates.Get(ctx, c.Issuer)
		if err != nil && !isNotFound(err) {
			return true, err
		}
		if err != nil || issuer.Depth+1 != c.Depth || issuer.UsedAt.Before(c.UsedAt) {
			broken = append(broken, fmt.Sprintf("certificate %x at depth %d: issuer %x is not there, not above it, or was used before it", digest, c.Depth, c.Issuer))
		}
		return false, nil
	}); err != nil {
		return nil, err
	}
	if err := k.device.evictable.Walk(ctx, nil, func(collections.Triple[time.Time, uint32, []byte]) (bool, error) {
		queued++
		return false, nil
	}); err != nil {
		return nil, err
	}
	counted, err := getOr(ctx, k.device.cached, 0)
	if err != nil {
		return nil, err
	}
	if counted != count || queued != count {
		broken = append(broken, fmt.Sprintf("%d certificates, counted %d, %d can be evicted", count, counted, queued))
	}
	return broken, nil
}
