package keeper

import (
	"bytes"
	"context"
	"errors"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// batch is what the attestations of one message share: each record is loaded
// once, changed in memory and written once.
type batch struct {
	k       *Keeper
	params  types.Params
	chainID string
	now     time.Time

	groups  []groupState
	pages   map[uint64]types.SignerPage
	seen    map[hostSlot]struct{}
	records struct{ attested, up, counters, hostCounts recordSet }
	counted []countedDay
	// firstOfDay is the number of GPUs that were not counted before on their day.
	firstOfDay int
}

// groupState is an attestation group with its anchor, or why all of it is refused.
type groupState struct {
	anchor types.Anchor
	reason types.RejectReason // unspecified: none
	detail string
}

type hostSlot struct{ host, slot uint64 }

func (k *Keeper) newBatch(ctx context.Context, params types.Params, groups []types.AttestationGroup) (*batch, error) {
	b := &batch{
		k: k, params: params, chainID: sdk.UnwrapSDKContext(ctx).ChainID(), now: blockTime(ctx),
		groups: make([]groupState, len(groups)),
		pages:  make(map[uint64]types.SignerPage),
		seen:   make(map[hostSlot]struct{}),
	}
	b.records.attested = newRecordSet(k.attested)
	b.records.up = newRecordSet(k.up)
	b.records.counters = newRecordSet(k.counters)
	b.records.hostCounts = newRecordSet(k.hostCounts)
	for i := range groups {
		if err := b.checkGroup(ctx, &groups[i], &b.groups[i]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// checkGroup finds the anchor of the group's slot, and what speaks against all of
// the group.
func (b *batch) checkGroup(ctx context.Context, group *types.AttestationGroup, state *groupState) error {
	anchor, err := b.k.Anchor(ctx, group.Slot)
	switch {
	case errors.Is(err, types.ErrSlotOpen):
		state.reason, state.detail = types.REJECT_REASON_SLOT_OPEN, err.Error()
		return nil
	case errors.Is(err, types.ErrSlotPruned):
		state.reason, state.detail = types.REJECT_REASON_TOO_LATE, err.Error()
		return nil
	case err != nil:
		return err
	}
	state.anchor = anchor
	switch {
	case !b.params.Accepts(&anchor, b.now):
		state.reason = types.REJECT_REASON_TOO_LATE
		state.detail = "accepted until " + anchor.Time.Add(b.params.SubmitWindow).Format(time.RFC3339Nano) + ", now is " + b.now.Format(time.RFC3339Nano)
	case group.AnchorHeight != anchor.Height || !bytes.Equal(group.AnchorHash, anchor.Hash):
		state.reason = types.REJECT_REASON_WRONG_ANCHOR
		state.detail = anchorText(group.AnchorHeight, group.AnchorHash) + ", want " + anchorText(anchor.Height, anchor.Hash)
	}
	return nil
}

// check goes through everything that costs less than a signature, cheapest first.
func (b *batch) check(ctx context.Context, index uint32, c *candidate) error {
	if g := &b.groups[c.group]; g.reason != types.REJECT_REASON_UNSPECIFIED {
		c.reject(index, g.reason, "%s", g.detail)
		return nil
	}
	att := c.att
	if n := len(att.Signature); n != types.SignatureSize {
		c.reject(index, types.REJECT_REASON_MALFORMED, "signature has %d bytes, want %d", n, types.SignatureSize)
		return nil
	}
	if n := len(att.DetailRoot); n != 0 && n != types.DetailRootSize {
		c.reject(index, types.REJECT_REASON_MALFORMED, "detail_root has %d bytes, want 0 or %d", n, types.DetailRootSize)
		return nil
	}
	signer, err := b.signer(ctx, att.HostId)
	if err != nil {
		return err
	}
	switch signer.Status {
	case types.HOST_STATUS_ACTIVE:
	case types.HOST_STATUS_UNSPECIFIED:
		c.reject(index, types.REJECT_REASON_UNKNOWN_HOST, "id %d", att.HostId)
		return nil
	default:
		c.reject(index, types.REJECT_REASON_HOST_NOT_ACTIVE, "host is %s", signer.Status)
		return nil
	}
	c.signer = signer
	if err := types.ValidateDown(att.Down, signer.GPUCount); err != nil {
		c.reject(index, types.REJECT_REASON_MALFORMED, "%s", err)
		return nil
	}
	if err := types.ValidateNotRunning(att.NotRunning, signer.GPUCount); err != nil {
		c.reject(index, types.REJECT_REASON_MALFORMED, "%s", err)
		return nil
	}
	id := hostSlot{att.HostId, c.slot}
	if _, twice := b.seen[id]; twice {
		c.reject(index, types.REJECT_REASON_DUPLICATE, "host %d is in this message for slot %d already", att.HostId, c.slot)
		return nil
	}
	b.seen[id] = struct{}{}
	bucket, position := types.Bucket(att.HostId)
	record, err := b.records.attested.get(ctx, c.slot, bucket)
	if err != nil {
		return err
	}
	if types.Bitmap(record.bytes).Get(position) {
		c.reject(index, types.REJECT_REASON_DUPLICATE, "host %d has attested slot %d already", att.HostId, c.slot)
	}
	return nil
}

// verify checks the signatures of what is left: in one batch, but for slots of a
// host in which other keys than its newest may have signed.
func (b *batch) verify(ctx context.Context, candidates []candidate) error {
	sigs := newSigBatch(keyCache, len(candidates))
	var encoded []byte
	for i := range candidates {
		c := &candidates[i]
		if c.rejected != nil {
			continue
		}
		keys, err := b.olderKeys(ctx, c)
		if err != nil {
			return err
		}
		if keys != nil && len(keys) == 0 {
			c.reject(uint32(i), types.REJECT_REASON_HOST_NOT_ACTIVE, "no agent key of host %d may sign for slot %d", c.att.HostId, c.slot)
			continue
		}
		host := types.Host{Id: c.att.HostId, Generation: c.signer.Generation}
		doc := types.NewAttestationDoc(b.chainID, &host, c.slot, &b.groups[c.group].anchor, c.att)
		size := doc.Size()
		if cap(encoded) < size {
			encoded = make([]byte, 2*size)
		}
		encoded = encoded[:size]
		if _, err := doc.MarshalToSizedBuffer(encoded); err != nil {
			return err
		}
		signBytes := types.SignBytesOf(types.DomainAttestation, encoded)
		if keys == nil {
			sigs.add(i, c.signer.Key[:], signBytes, c.att.Signature)
		} else if !keyCache.verifyAny(keys, signBytes, c.att.Signature) {
			c.rejectSignature(i, b)
		}
	}
	for _, i := range sigs.bad() {
		candidates[i].rejectSignature(i, b)
	}
	return nil
}

func (c *candidate) rejectSignature(index int, b *batch) {
	c.reject(uint32(index), types.REJECT_REASON_BAD_SIGNATURE,
		"not by an agent key of host %d over chain %s, slot %d, generation %d and %s",
		c.att.HostId, b.chainID, c.slot, c.signer.Generation, anchorText(b.groups[c.group].anchor.Height, b.groups[c.group].anchor.Hash))
}

// count sets the bits of an accepted attestation and raises its counters.
func (b *batch) count(ctx context.Context, c *candidate) error {
	bucket, position := types.Bucket(c.att.HostId)
	attested, err := b.records.attested.get(ctx, c.slot, bucket)
	if err != nil {
		return err
	}
	attested.set(types.Bitmap(attested.bytes).Set(position))
	day := b.params.DayOf(c.slot)
	hosts, err := b.records.hostCounts.get(ctx, day, 0)
	if err != nil {
		return err
	}
	hosts.set(types.HostCounts(hosts.bytes).Add(c.slot - b.params.FirstSlotOf(day)))

	bucket, position = types.Bucket(c.signer.FirstGPU)
	up, err := b.records.up.get(ctx, c.slot, bucket)
	if err != nil {
		return err
	}
	counters, err := b.records.counters.get(ctx, day, bucket)
	if err != nil {
		return err
	}
	down := types.Bitmap(c.att.Down)
	counts := b.addCounted(day, c)
	for i := range uint64(c.signer.GPUCount) {
		if !down.Get(i) {
			up.set(types.Bitmap(up.bytes).Set(position + i))
			counters.set(types.Counts(counters.bytes).Add(position + i))
			counts[i] = counters.bytes[position+i]
			if counts[i] == 1 {
				b.firstOfDay++
			}
		}
	}
	return nil
}

// countedDay is what a message counted on one day, for the hooks.
type countedDay struct {
	day   uint64
	hosts []types.CountedHost
	arena []uint8 // of the counts: one allocation for many hosts
}

// addCounted lists the attestation for the hooks and returns its counts, all 0.
func (b *batch) addCounted(day uint64, c *candidate) []uint8 {
	at := -1
	for i := range b.counted {
		if b.counted[i].day == day {
			at = i
		}
	}
	if at < 0 {
		at = len(b.counted)
		b.counted = append(b.counted, countedDay{day: day})
	}
	d, n := &b.counted[at], int(c.signer.GPUCount)
	if len(d.arena) < n {
		d.arena = make([]uint8, max(n, types.BucketSize))
	}
	counts := d.arena[:n:n]
	d.arena = d.arena[n:]
	d.hosts = append(d.hosts, types.CountedHost{HostID: c.att.HostId, FirstGPU: c.signer.FirstGPU, Counts: counts})
	return counts
}

// write stores every record that was changed.
func (b *batch) write(ctx context.Context) error {
	for _, s := range []*recordSet{&b.records.attested, &b.records.up, &b.records.counters, &b.records.hostCounts} {
		if err := s.write(ctx); err != nil {
			return err
		}
	}
	return nil
}

// signer returns what the chain knows of a host's signer; its page is loaded once.
func (b *batch) signer(ctx context.Context, hostID uint64) (types.Signer, error) {
	number, position := types.SignerPosition(hostID)
	page, ok := b.pages[number]
	if !ok {
		var err error
		if page, err = b.k.signerPage(ctx, number); err != nil {
			return types.Signer{}, err
		}
		b.pages[number] = page
	}
	return page.Get(position), nil
}

// olderKeys returns nil when only the signer's own key may sign for the slot, as
// nearly always. Else it returns the keys that may, newest first, from the host's
// record: not nil, and empty when none may.
func (b *batch) olderKeys(ctx context.Context, c *candidate) ([][]byte, error) {
	if c.slot >= c.signer.SoleFrom {
		return nil, nil
	}
	host, err := b.k.Host(ctx, c.att.HostId)
	if err != nil {
		return nil, err
	}
	return append([][]byte{}, host.SigningKeys(c.slot)...), nil
}
