package keeper

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/attestation/types"
)

// checkBits: every attested bit is a host's, every up bit is within the range of
// a host. (A host may have fewer GPUs now than in the slot, so that capacity and
// not gpu_count bounds its bits.)
func (k *Keeper) checkBits(ctx context.Context) (broken []string, err error) {
	hosts, gpus := map[uint64]bool{}, map[uint64]bool{}
	if err := k.hosts.Walk(ctx, nil, func(id uint64, h types.Host) (bool, error) {
		hosts[id] = true
		for i := range uint64(h.Capacity) {
			gpus[h.FirstGpu+i] = true
		}
		return false, nil
	}); err != nil {
		return nil, err
	}
	last, err := getOr(ctx, k.lastClosed, 0)
	if err != nil {
		return nil, err
	}
	for _, records := range []struct {
		name  string
		bits  collections.Map[recordKey, []byte]
		known map[uint64]bool
	}{{"host", k.attested, hosts}, {"GPU", k.up, gpus}} {
		if err := records.bits.Walk(ctx, nil, func(key recordKey, bits []byte) (bool, error) {
			if key.K1() > last {
				broken = append(broken, fmt.Sprintf("%s bits of slot %d, the last closed one is %d", records.name, key.K1(), last))
			}
			for _, i := range setBits(bits) {
				if id := key.K2()*types.BucketSize + i; !records.known[id] {
					broken = append(broken, fmt.Sprintf("slot %d: bit of %s %d, which does not exist", key.K1(), records.name, id))
				}
			}
			return false, nil
		}); err != nil {
			return nil, err
		}
	}
	return broken, nil
}

// checkSigners: the pages of signers say what the hosts' records say, and nothing
// of hosts that do not exist.
func (k *Keeper) checkSigners(ctx context.Context) (broken []string, err error) {
	hosts := 0
	if err := k.hosts.Walk(ctx, nil, func(id uint64, h types.Host) (bool, error) {
		hosts++
		number, position := types.SignerPosition(id)
		page, err := k.signerPage(ctx, number)
		if err == nil && page.Get(position) != types.SignerOf(&h) {
			broken = append(broken, fmt.Sprintf("host %d: its signer is %v, want %v", id, page.Get(position), types.SignerOf(&h)))
		}
		return false, err
	}); err != nil {
		return nil, err
	}
	signers := 0
	if err := k.signers.Walk(ctx, nil, func(_ uint64, page []byte) (bool, error) {
		for i := range uint64(types.SignersPerPage) {
			if types.SignerPage(page).Get(i) != (types.Signer{}) {
				signers++
			}
		}
		return false, nil
	}); err != nil {
		return nil, err
	}
	if signers != hosts {
		broken = append(broken, fmt.Sprintf("%d signers, %d hosts", signers, hosts))
	}
	return broken, nil
}

// checkCounters: on a day of which every slot is kept, counters are the bits added
// up; on the day of the floor they are at least that.
func (k *Keeper) checkCounters(ctx context.Context) (broken []string, err error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	floor, err := getOr(ctx, k.floor, 0)
	if err != nil {
		return nil, err
	}
	sums := map[[2]uint64]map[uint64]uint32{}
	if err := k.up.Walk(ctx, nil, func(key recordKey, bits []byte) (bool, error) {
		if key.K1() <= floor {
			return false, nil // waits to be pruned
		}
		day := [2]uint64{params.DayOf(key.K1()), key.K2()}
		if sums[day] == nil {
			sums[day] = map[uint64]uint32{}
		}
		for _, i := range setBits(bits) {
			sums[day][i]++
		}
		return false, nil
	}); err != nil {
		return nil, err
	}
	counted := 0
	if err := k.counters.Walk(ctx, nil, func(key recordKey, counts []byte) (bool, error) {
		sum, kept := sums[[2]uint64{key.K1(), key.K2()}]
		if kept {
			counted++
		}
		whole := params.FirstSlotOf(key.K1()) > floor
		for i := range uint64(types.BucketSize) {
			if got, want := types.Counts(counts).Get(i), sum[i]; got < want || (whole && got != want) {
				broken = append(broken, fmt.Sprintf("day %d, GPU %d: counter %d, bitmaps say %d", key.K1(), key.K2()*types.BucketSize+i, got, want))
			}
		}
		return false, nil
	}); err != nil {
		return nil, err
	}
	if counted != len(sums) {
		broken = append(broken, fmt.Sprintf("bitmaps of %d (day, bucket) pairs, counters for %d of them", len(sums), counted))
	}
	return broken, nil
}

// setBits returns the positions of the bits that are set, ascending.
func setBits(bits types.Bitmap) []uint64 {
	var set []uint64
	for i := range uint64(len(bits) * 8) {
		if bits.Get(i) {
			set = append(set, i)
		}
	}
	return set
}

// compareCounts names the slots after the floor whose counts differ, ascending.
func compareCounts(bits, counts map[uint64]uint32, floor uint64) (broken []string) {
	slots := slices.Collect(maps.Keys(bits))
	for slot := range counts {
		if _, known := bits[slot]; !known {
			slots = append(slots, slot)
		}
	}
	slices.Sort(slots)
	for _, slot := range slots {
		if slot > floor && bits[slot] != counts[slot] {
			broken = append(broken, fmt.Sprintf("slot %d: %d hosts counted, bitmaps say %d", slot, counts[slot], bits[slot]))
		}
	}
	return broken
}
