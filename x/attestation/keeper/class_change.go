package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// SetHardwareClass schedules a new class, or a change of one, and returns when it
// applies: at the start of the first day after its time-lock, since the weights of
// a day are those at its start. A change that waits already is replaced, and waits
// anew.
//
// Errors: ErrInvalidClass, ErrWeightChange, ErrTooManyClasses.
func (k *Keeper) SetHardwareClass(ctx context.Context, class types.HardwareClass) (time.Time, error) {
	if err := class.Validate(); err != nil {
		return time.Time{}, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return time.Time{}, err
	}
	pending, err := k.pendingClasses.Get(ctx, class.Key)
	waits := err == nil
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return time.Time{}, err
	}
	old, err := k.classes.Get(ctx, class.Key)
	switch {
	case err == nil:
		if err := types.CheckWeightChange(old.WeightPpm, class.WeightPpm, params.MaxWeightChangePpm); err != nil {
			return time.Time{}, err
		}
	case !errors.Is(err, collections.ErrNotFound):
		return time.Time{}, err
	case !waits:
		if err := k.checkClassCount(ctx); err != nil {
			return time.Time{}, err
		}
	}
	if waits {
		if err := k.classQueue.Remove(ctx, collections.Join(pending.AppliesAt, class.Key)); err != nil {
			return time.Time{}, err
		}
	}
	at := params.DayFrom(blockTime(ctx).Add(params.ClassTimeLock))
	if err := k.classQueue.Set(ctx, collections.Join(at, class.Key)); err != nil {
		return time.Time{}, err
	}
	return at, k.pendingClasses.Set(ctx, class.Key, types.PendingClass{Class: class, AppliesAt: at})
}

// checkClassCount refuses a new class when those that are and those that wait
// are MaxClasses already. Both walks are bounded by it.
func (k *Keeper) checkClassCount(ctx context.Context) error {
	n := 0
	if err := k.classes.Walk(ctx, nil, func(string, types.HardwareClass) (bool, error) { n++; return false, nil }); err != nil {
		return err
	}
	err := k.pendingClasses.Walk(ctx, nil, func(key string, _ types.PendingClass) (bool, error) {
		known, err := k.classes.Has(ctx, key)
		if !known {
			n++
		}
		return false, err
	})
	if err != nil {
		return err
	}
	if n >= types.MaxClasses {
		return types.ErrTooManyClasses.Wrapf("%d, at most %d", n, types.MaxClasses)
	}
	return nil
}

// applyDueClasses applies the changes whose time-lock is over, at most ClassBudget
// of them. When a weight changed, the stake that existing GPUs ask for follows
// in the background, see refreshGPUs.
func (k *Keeper) applyDueClasses(ctx context.Context) error {
	due, err := firstKeys(ctx, k.classQueue.Iterate,
		collections.NewPrefixUntilPairRange[time.Time, string](blockTime(ctx)), types.ClassBudget)
	if err != nil {
		return err
	}
	for _, entry := range due {
		if err := k.classQueue.Remove(ctx, entry); err != nil {
			return err
		}
		if err := k.applyClass(ctx, entry.K2()); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) applyClass(ctx context.Context, key string) error {
	pending, err := k.pendingClasses.Get(ctx, key)
	if err != nil {
		return err
	}
	if err := k.pendingClasses.Remove(ctx, key); err != nil {
		return err
	}
	old, err := k.classes.Get(ctx, key)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	if err == nil && old.WeightPpm != pending.Class.WeightPpm {
		if err := k.refreshFrom.Set(ctx, 1); err != nil {
			return err
		}
	}
	if err := k.classes.Set(ctx, key, pending.Class); err != nil {
		return err
	}
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(&types.EventClassChanged{Class: key, WeightPpm: pending.Class.WeightPpm})
}

// refreshGPUs tells the staking module the weights of existing GPUs after a class
// changed: host by host, at most RefreshBudget GPUs and hosts a block, the rest
// in later blocks. Which class a GPU is of is found when it is declared, and
// doesn't change here. A host that fails is told of and left out; its next
// inventory sets it right.
func (k *Keeper) refreshGPUs(ctx context.Context) error {
	from, err := getOr(ctx, k.refreshFrom, 0)
	if err != nil || from == 0 {
		return err
	}
	hosts, more, err := k.hostsToRefresh(ctx, from)
	if err != nil {
		return err
	}
	weights := make(map[string]uint64)
	for i := range hosts {
		if err := k.refreshHost(ctx, &hosts[i], weights); err != nil {
			return err
		}
	}
	if !more {
		return k.refreshFrom.Remove(ctx)
	}
	return k.refreshFrom.Set(ctx, hosts[len(hosts)-1].Id+1)
}

// hostsToRefresh returns hosts from the id on until their GPUs use up the budget,
// at least one, and whether there are more.
func (k *Keeper) hostsToRefresh(ctx context.Context, from uint64) (hosts []types.Host, more bool, err error) {
	it, err := k.hosts.Iterate(ctx, new(collections.Range[uint64]).StartInclusive(from))
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	used := 0
	for ; it.Valid(); it.Next() {
		host, err := it.Value()
		if err != nil {
			return nil, false, err
		}
		used += 1 + int(host.GpuCount)
		if len(hosts) > 0 && used > types.RefreshBudget {
			return hosts, true, nil
		}
		hosts = append(hosts, host)
	}
	return hosts, false, nil
}

// refreshHost does one host, all or nothing.
func (k *Keeper) refreshHost(ctx context.Context, host *types.Host, weights map[string]uint64) error {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	cached, write := sdkCtx.CacheContext()
	if err := k.setWeights(cached, host, weights); err != nil {
		return sdkCtx.EventManager().EmitTypedEvent(&types.EventRefreshFailed{HostId: host.Id, Error: err.Error()})
	}
	write()
	return nil
}

func (k *Keeper) setWeights(ctx context.Context, host *types.Host, weights map[string]uint64) error {
	operator, err := k.addressCodec.StringToBytes(host.Operator)
	if err != nil {
		return err
	}
	gpus, err := k.GPUsOf(ctx, host.Id)
	if err != nil {
		return err
	}
	for i := range gpus {
		weight, ok := weights[gpus[i].Class]
		if !ok && gpus[i].Class != "" {
			class, err := k.classes.Get(ctx, gpus[i].Class)
			if err != nil {
				return err
			}
			weight = class.WeightPpm
			weights[class.Key] = weight
		}
		if err := k.staking.SetGPU(ctx, operator, host.Id, gpus[i].Ordinal, weight); err != nil {
			return err
		}
	}
	return nil
}
