package keeper

import (
	"context"
	"fmt"

	"github.com/grafilab/grafi/x/attestation/types"
)

// CheckInvariants recomputes what the records say of each other and returns, in
// words, what does not hold. Its cost grows with the state: it is for tests,
// simulation and a query.
func (k *Keeper) CheckInvariants(ctx context.Context) ([]string, error) {
	var broken []string
	for _, check := range []func(context.Context) ([]string, error){k.checkHosts, k.checkKeys, k.checkCounters} {
		found, err := check(ctx)
		if err != nil {
			return nil, err
		}
		broken = append(broken, found...)
	}
	return broken, nil
}

// checkHosts: GPU ranges are disjoint and within a bucket, the declared GPUs are
// exactly the ordinals from 0 to gpu_count - 1.
func (k *Keeper) checkHosts(ctx context.Context) (broken []string, err error) {
	next, err := getOr(ctx, k.nextGPU, 0)
	if err != nil {
		return nil, err
	}
	var free uint64 // hosts get their ranges in the order of their ids
	err = k.hosts.Walk(ctx, nil, func(id uint64, h types.Host) (bool, error) {
		first, _ := types.Bucket(h.FirstGpu)
		last, _ := types.Bucket(h.FirstGpu + uint64(h.Capacity) - 1)
		if h.FirstGpu < free || first != last || h.FirstGpu+uint64(h.Capacity) > next {
			broken = append(broken, fmt.Sprintf("host %d: GPU range %d+%d overlaps, straddles or passes next_gpu %d", id, h.FirstGpu, h.Capacity, next))
		}
		free = h.FirstGpu + uint64(h.Capacity)
		gpus, err := k.GPUsOf(ctx, id)
		if err != nil {
			return true, err
		}
		if len(gpus) != int(h.GpuCount) || h.GpuCount > h.Capacity {
			broken = append(broken, fmt.Sprintf("host %d: gpu_count %d, %d GPUs, capacity %d", id, h.GpuCount, len(gpus), h.Capacity))
		}
		for i := range gpus {
			if gpus[i].Ordinal != uint32(i) {
				broken = append(broken, fmt.Sprintf("host %d: GPU %d has ordinal %d", id, i, gpus[i].Ordinal))
			}
		}
		return false, nil
	})
	return broken, err
}

// checkKeys: the index of agent keys holds exactly the keys that aren't revoked.
func (k *Keeper) checkKeys(ctx context.Context) (broken []string, err error) {
	live := 0
	if err := k.hosts.Walk(ctx, nil, func(id uint64, h types.Host) (bool, error) {
		for i := range h.AgentKeys {
			if h.AgentKeys[i].Revoked {
				continue
			}
			live++
			owner, err := k.hostByAgentKey.Get(ctx, h.AgentKeys[i].PublicKey)
			if err != nil && !isNotFound(err) {
				return true, err
			}
			if err != nil || owner != id {
				broken = append(broken, fmt.Sprintf("host %d: agent key %x is not in the index", id, h.AgentKeys[i].PublicKey))
			}
		}
		return false, nil
	}); err != nil {
		return nil, err
	}
	indexed := 0
	if err := k.hostByAgentKey.Walk(ctx, nil, func([]byte, uint64) (bool, error) { indexed++; return false, nil }); err != nil {
		return nil, err
	}
	if indexed != live {
		broken = append(broken, fmt.Sprintf("index of agent keys has %d entries, hosts have %d live keys", indexed, live))
	}
	return broken, nil
}

// checkCounters: the counters of today are the bits of today's slots added up,
// and no day counts fewer slots than its kept bitmaps show.
func (k *Keeper) checkCounters(ctx context.Context) (broken []string, err error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	next, err := getOr(ctx, k.nextGPU, 0)
	if err != nil {
		return nil, err
	}
	sums := map[[2]uint64][]uint32{}
	if err := k.up.Walk(ctx, nil, func(key recordKey, bits []byte) (bool, error) {
		day := [2]uint64{params.DayOf(key.K1()), key.K2()}
		if sums[day] == nil {
			sums[day] = make([]uint32, types.BucketSize)
		}
		for i := range uint64(len(bits) * 8) {
			if !types.Bitmap(bits).Get(i) {
				continue
			}
			sums[day][i]++
			if key.K2()*types.BucketSize+i >= next {
				broken = append(broken, fmt.Sprintf("slot %d: bit of GPU %d, next_gpu is %d", key.K1(), key.K2()*types.BucketSize+i, next))
			}
		}
		return false, nil
	}); err != nil {
		return nil, err
	}
	last, err := getOr(ctx, k.lastClosed, 0)
	if err != nil {
		return nil, err
	}
	today := params.DayOf(last)
	counted := 0
	if err := k.counters.Walk(ctx, nil, func(key recordKey, counts []byte) (bool, error) {
		sum, kept := sums[[2]uint64{key.K1(), key.K2()}]
		if kept {
			counted++
		}
		for i := range uint64(types.BucketSize) {
			count, want := types.Counts(counts).Get(i), uint32(0)
			if kept {
				want = sum[i]
			}
			if count < want || (key.K1() == today && count != want) {
				broken = append(broken, fmt.Sprintf("day %d, GPU %d: counter %d, bitmaps say %d", key.K1(), key.K2()*types.BucketSize+i, count, want))
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
