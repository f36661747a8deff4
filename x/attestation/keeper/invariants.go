package keeper

import (
	"context"
	"fmt"
	"math"
	"time"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/attestation/types"
)

// CheckInvariants recomputes what the records say of each other and returns, in
// words, what does not hold. Its cost grows with the state: it is for tests,
// simulation and a query.
func (k *Keeper) CheckInvariants(ctx context.Context) ([]string, error) {
	var broken []string
	for _, check := range []func(context.Context) ([]string, error){k.checkHosts, k.checkKeys, k.checkSigners, k.checkQueues, k.checkAnchors, k.checkBits, k.checkCounters, k.checkHostCounts, k.checkChallenges, k.checkProbes, k.checkDevices, k.checkCertificates} {
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

// checkQueues: each class that waits has exactly its entry in the queue.
func (k *Keeper) checkQueues(ctx context.Context) (broken []string, err error) {
	waiting, queued := 0, 0
	if err := k.pendingClasses.Walk(ctx, nil, func(string, types.PendingClass) (bool, error) { waiting++; return false, nil }); err != nil {
		return nil, err
	}
	err = k.classQueue.Walk(ctx, nil, func(entry collections.Pair[time.Time, string]) (bool, error) {
		queued++
		p, err := k.pendingClasses.Get(ctx, entry.K2())
		if err != nil && !isNotFound(err) {
			return true, err
		}
		if err != nil || !p.AppliesAt.Equal(entry.K1()) {
			broken = append(broken, fmt.Sprintf("class %s is queued for %s, pending for %s", entry.K2(), entry.K1(), p.AppliesAt))
		}
		return false, nil
	})
	if waiting != queued {
		broken = append(broken, fmt.Sprintf("%d classes wait, %d are queued", waiting, queued))
	}
	return broken, err
}

// checkAnchors: the oldest anchor is the floor, the newest the last closed slot.
func (k *Keeper) checkAnchors(ctx context.Context) (broken []string, err error) {
	slots, err := firstKeys(ctx, k.anchors.Iterate, nil, math.MaxInt)
	if err != nil {
		return nil, err
	}
	var oldest, newest uint64
	if len(slots) > 0 {
		oldest, newest = slots[0], slots[len(slots)-1]
	}
	floor, err := getOr(ctx, k.floor, 0)
	if err != nil {
		return nil, err
	}
	last, err := getOr(ctx, k.lastClosed, 0)
	if err != nil {
		return nil, err
	}
	if oldest != floor || newest != last {
		broken = append(broken, fmt.Sprintf("anchors of slots %d to %d, floor is %d, last closed slot is %d", oldest, newest, floor, last))
	}
	return broken, nil
}
