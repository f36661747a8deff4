package keeper

import (
	"context"
	"fmt"
	"slices"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// ProbeResult tells what became of a message of receipts.
type ProbeResult struct {
	Accepted   uint32
	Rejections []types.ProbeRejection // by index
}

// receipt is one receipt of a message on its way through the checks.
type receipt struct {
	*types.ProbeReceipt
	operator string // of the prober
	keys     [2][][]byte
	rejected error
}

// probeBatch is what the receipts of one message share: each record is loaded
// once, changed in memory and written once.
type probeBatch struct {
	k           *Keeper
	params      types.Params
	chainID     string
	beacons     map[uint64]*types.ProbeBeacon // nil: no receipts of the slot are taken
	hosts       map[uint64]*types.Host        // nil: no such host
	connections map[uint64]*types.HostConnection
	changed     []uint64 // targets, in the order of their first receipt
}

// SubmitProbes keeps the good receipts and names the bad ones. It fails with
// ErrInvalidBatch when there are none or too many of them, and with
// ErrNothingAccepted when none is good.
//
// Gas is flat for each receipt, whatever its fate, as it is for attestations.
func (k *Keeper) SubmitProbes(ctx context.Context, receipts []types.ProbeReceipt) (ProbeResult, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return ProbeResult{}, err
	}
	if n := len(receipts); n == 0 || n > int(params.Probe.MaxReceipts) {
		return ProbeResult{}, types.ErrInvalidBatch.Wrapf("%d receipts, want 1 to %d", n, params.Probe.MaxReceipts)
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	sdkCtx.GasMeter().ConsumeGas(params.Probe.ReceiptGas*uint64(len(receipts)), "probe receipts")
	var flat context.Context = sdkCtx.WithGasMeter(storetypes.NewInfiniteGasMeter())

	b := &probeBatch{
		k: k, params: params, chainID: sdkCtx.ChainID(), beacons: map[uint64]*types.ProbeBeacon{},
		hosts: map[uint64]*types.Host{}, connections: map[uint64]*types.HostConnection{},
	}
	list := make([]receipt, len(receipts))
	for i := range receipts {
		list[i].ProbeReceipt = &receipts[i]
		if err := b.check(flat, &list[i]); err != nil {
			return ProbeResult{}, err
		}
	}
	if err := verifyReceipts(list); err != nil {
		return ProbeResult{}, err
	}
	var result ProbeResult
	for i := range list {
		r := &list[i]
		if r.rejected == nil {
			if err := b.keep(flat, r); err != nil {
				return ProbeResult{}, err
			}
		}
		if r.rejected == nil {
			result.Accepted++
			continue
		}
		result.Rejections = append(result.Rejections, types.ProbeRejection{
			Index: uint32(i), HostId: r.Doc.Target, Slot: r.Doc.Slot, Detail: r.rejected.Error(),
		})
	}
	if result.Accepted == 0 {
		return ProbeResult{}, types.ErrNothingAccepted.Wrapf("%d rejected, the first of a probe of host %d in slot %d: %s",
			len(list), list[0].Doc.Target, list[0].Doc.Slot, list[0].rejected)
	}
	return result, b.write(flat)
}

// check goes through everything that costs less than a signature, cheapest first.
// An error is a failure of the store; what speaks against the receipt is in it.
func (b *probeBatch) check(ctx context.Context, r *receipt) error {
	doc := &r.Doc
	if r.rejected = doc.Validate(b.chainID, b.params.Probe); r.rejected != nil {
		return nil
	}
	beacon, err := b.beacon(ctx, doc.Slot)
	if err != nil {
		return err
	}
	if beacon == nil {
		r.reject("slot %d has no beacon, or its receipts are no longer taken", doc.Slot)
		return nil
	}
	if probers := beacon.ProbersOf(doc.Target, b.params.Probe); !slices.Contains(probers, doc.Prober) {
		r.reject("host %d does not probe host %d in slot %d, the beacon assigns %v", doc.Prober, doc.Target, doc.Slot, probers)
		return nil
	}
	var operators [2]string
	for i, id := range []uint64{doc.Prober, doc.Target} {
		host, err := b.host(ctx, id)
		if err != nil {
			return err
		}
		if host == nil {
			r.reject("no host %d", id)
			return nil
		}
		operators[i] = host.Operator
		if r.keys[i] = host.SigningKeys(doc.Slot); len(r.keys[i]) == 0 {
			r.reject("no agent key of host %d may sign for slot %d", id, doc.Slot)
			return nil
		}
	}
	if r.operator = operators[0]; operators[0] == operators[1] {
		r.reject("hosts %d and %d are of one operator", doc.Prober, doc.Target)
	}
	return nil
}

// verifyReceipts checks both signatures of every receipt: in one batch, but for
// slots in which a host has two keys.
func verifyReceipts(list []receipt) error {
	sigs := newSigBatch(keyCache, 2*len(list))
	sides := [2]string{"prober", "target"}
	for i := range list {
		r := &list[i]
		if r.rejected != nil {
			continue
		}
		signBytes, err := r.Doc.SignBytes()
		if err != nil {
			return err
		}
		for side, signature := range [2][]byte{r.ProberSignature, r.TargetSignature} {
			switch {
			case len(signature) != types.SignatureSize:
				r.reject("signature of the %s has %d bytes, want %d", sides[side], len(signature), types.SignatureSize)
			case len(r.keys[side]) == 1:
				sigs.add(2*i+side, r.keys[side][0], signBytes, signature)
			case !keyCache.verifyAny(r.keys[side], signBytes, signature):
				r.reject("not signed by an agent key of the %s", sides[side])
			}
		}
	}
	for _, position := range sigs.bad() {
		list[position/2].reject("not signed by the agent key of the %s", sides[position%2])
	}
	return nil
}

// keep adds the receipt to the measures of its target's day.
func (b *probeBatch) keep(ctx context.Context, r *receipt) error {
	doc := &r.Doc
	c, known := b.connections[doc.Target]
	if !known {
		record, err := b.k.connection(ctx, doc.Target)
		if err != nil {
			return err
		}
		c = &record
		b.connections[doc.Target] = c
	}
	day := b.params.DayOf(doc.Slot)
	if day < c.Day {
		r.reject("day %d of host %d is over: it has receipts of day %d", day, doc.Target, c.Day)
		return nil
	}
	if day > c.Day {
		if err := b.k.closeProbeDay(ctx, b.params.Probe, c); err != nil {
			return err
		}
		c.Day = day
	}
	for i := range c.Measures {
		if m := &c.Measures[i]; m.Slot == doc.Slot && m.Prober == doc.Prober {
			r.reject("the probe of host %d by host %d in slot %d has a receipt", doc.Target, doc.Prober, doc.Slot)
			return nil
		}
	}
	if n := len(c.Measures); n >= int(b.params.Probe.MaxMeasures) {
		r.reject("host %d has %d measures of day %d, at most %d", doc.Target, n, day, b.params.Probe.MaxMeasures)
		return nil
	}
	c.Measures = append(c.Measures, doc.Measure(r.operator))
	if !slices.Contains(b.changed, doc.Target) {
		b.changed = append(b.changed, doc.Target)
	}
	return nil
}

func (b *probeBatch) write(ctx context.Context) error {
	for _, target := range b.changed {
		if err := b.k.probes.connections.Set(ctx, target, *b.connections[target]); err != nil {
			return err
		}
	}
	return nil
}

// beacon returns the beacon of a slot whose receipts are taken; nil for another.
func (b *probeBatch) beacon(ctx context.Context, slot uint64) (*types.ProbeBeacon, error) {
	if beacon, known := b.beacons[slot]; known {
		return beacon, nil
	}
	b.beacons[slot] = nil
	beacon, err := b.k.probes.beacons.Get(ctx, slot)
	if isNotFound(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	open, err := b.k.takesReceipts(ctx, b.params, slot)
	if err == nil && open {
		b.beacons[slot] = &beacon
	}
	return b.beacons[slot], err
}

// host returns a host, or nil.
func (b *probeBatch) host(ctx context.Context, id uint64) (*types.Host, error) {
	if host, known := b.hosts[id]; known {
		return host, nil
	}
	host, err := b.k.hosts.Get(ctx, id)
	if isNotFound(err) {
		b.hosts[id] = nil
		return nil, nil
	}
	b.hosts[id] = &host
	return &host, err
}

// reject ends a receipt's way; the first reason stays.
func (r *receipt) reject(format string, args ...any) {
	if r.rejected == nil {
		r.rejected = fmt.Errorf(format, args...)
	}
}
