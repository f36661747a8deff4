package keeper

import (
	"context"
	"fmt"

	"github.com/grafilab/grafi/x/attestation/types"
)

// checkChallenges: each challenge is of a host, numbered by its counter, in a state
// that fits its GPUs, and has exactly its entry in the queue; proofs and due
// challenges are of GPUs that the host can have; operators are counted.
func (k *Keeper) checkChallenges(ctx context.Context) (broken []string, err error) {
	hosts, operators := map[uint64]types.Host{}, map[string]bool{}
	if err := k.hosts.Walk(ctx, nil, func(id uint64, h types.Host) (bool, error) {
		hosts[id], operators[h.Operator] = h, true
		return false, nil
	}); err != nil {
		return nil, err
	}
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	if count, err := getOr(ctx, k.challenge.operators, 0); err != nil {
		return nil, err
	} else if count != uint64(len(operators)) {
		say("%d operators are counted, hosts are of %d", count, len(operators))
	}
	open := 0
	if err := k.challenge.open.Walk(ctx, nil, func(id uint64, c types.Challenge) (bool, error) {
		open++
		last, err := k.challenge.ids.Get(ctx, id)
		if err != nil && !isNotFound(err) {
			return true, err
		}
		if last != c.Id || c.HostId != id {
			say("host %d: challenge %d of host %d, its last is %d", id, c.Id, c.HostId, last)
		}
		if host := hosts[id]; len(c.Gpus) == 0 || c.Gpus[len(c.Gpus)-1].Ordinal >= host.Capacity {
			say("host %d: challenge of GPUs %v, its capacity is %d", id, c.Ordinals(), host.Capacity)
		}
		if why := c.Inconsistent(); why != "" {
			say("host %d: challenge %d is %s %s", id, c.Id, c.State, why)
		}
		queued, err := k.challenge.queue.Has(ctx, queueEntry(&c))
		if err == nil && !queued {
			say("host %d: challenge %d is not in the queue", id, c.Id)
		}
		return false, err
	}); err != nil {
		return nil, err
	}
	entries := 0
	if err := k.challenge.queue.Walk(ctx, nil, func(queueKey) (bool, error) { entries++; return false, nil }); err != nil {
		return nil, err
	}
	if entries != open {
		say("%d challenges are open, %d are queued", open, entries)
	}
	if err := k.challenge.proofs.Walk(ctx, nil, func(key gpuKey, p types.ComputeProof) (bool, error) {
		if key.K1() != p.HostId || key.K2() != p.Ordinal || p.Ordinal >= hosts[p.HostId].Capacity {
			say("proof of GPU %d of host %d, its capacity is %d", p.Ordinal, p.HostId, hosts[p.HostId].Capacity)
		}
		return false, nil
	}); err != nil {
		return nil, err
	}
	return broken, k.challenge.due.Walk(ctx, nil, func(id uint64, d types.DueChallenge) (bool, error) {
		if has, err := k.challenge.open.Has(ctx, id); err != nil {
			return true, err
		} else if has || d.HostId != id || len(d.Ordinals) == 0 || hosts[id].Status == types.HOST_STATUS_RETIRED {
			say("host %d: a challenge of %v is due, one is open: %t", id, d.Ordinals, has)
		}
		return false, nil
	})
}
