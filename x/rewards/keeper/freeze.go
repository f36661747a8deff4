package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// freezer remembers what a message looked up while it froze weights.
type freezer struct {
	host      uint64 // 0: none yet
	operator  *operatorFactors
	eligible  bool
	operators map[string]*operatorFactors
	classes   map[string]uint64
}

type operatorFactors struct {
	kind  stakingext.OperatorKind
	stake uint64 // S
}

// freeze finds the weight of a GPU for the day and keeps it with its factors. It
// happens once per GPU and day.
func (d *openDay) freeze(ctx context.Context, b *bucket, hostID uint64, ordinal uint32, position uint64) (types.Weight, error) {
	operator, eligible, err := d.hostFactors(ctx, hostID)
	if err != nil {
		return types.Weight{}, err
	}
	rules := d.record.Rules
	f := types.Factors{
		Stake: operator.stake, Bonus: types.PPM,
		// Neither probes nor challenges exist yet, so that no GPU has a record of them.
		Connection: rules.UnprobedConnectionPpm, Performance: rules.UnchallengedPerformancePpm,
	}
	if eligible {
		if f.Class, err = d.classWeight(ctx, hostID, ordinal); err != nil {
			return types.Weight{}, err
		}
	}
	if f.Bonus, err = d.useRented(ctx, b.number*types.BucketSize+position, operator.kind, f); err != nil {
		return types.Weight{}, err
	}
	weight := types.Weight{Kind: operator.kind, PPM: f.Weight()}
	if !b.factual {
		factors, err := readBytes(ctx, d.k.factors, collections.Join(d.record.Day, b.number))
		if err != nil {
			return types.Weight{}, err
		}
		b.factors, b.factual = append(types.PackedFactors{}, factors...), true
	}
	b.own()
	b.weights, b.factors = b.weights.Set(position, weight), b.factors.Set(position, f)
	return weight, nil
}

// hostFactors returns what the GPUs of a host share: their operator's factors, and
// whether the host is proven enough to earn.
func (d *openDay) hostFactors(ctx context.Context, hostID uint64) (*operatorFactors, bool, error) {
	if d.frozen.host == hostID {
		return d.frozen.operator, d.frozen.eligible, nil
	}
	host, err := d.k.attestation.Host(ctx, hostID)
	if err != nil {
		return nil, false, err
	}
	operator, ok := d.frozen.operators[host.Operator]
	if !ok {
		if operator, err = d.operatorFactors(ctx, host.Operator); err != nil {
			return nil, false, err
		}
		if d.frozen.operators == nil {
			d.frozen.operators = map[string]*operatorFactors{}
		}
		d.frozen.operators[host.Operator] = operator
	}
	tier, err := d.k.attestation.TrustTier(ctx, hostID)
	if err != nil {
		return nil, false, err
	}
	d.frozen.host, d.frozen.operator, d.frozen.eligible = hostID, operator, tier >= d.record.Rules.MinTrustTier
	return operator, d.frozen.eligible, nil
}

// operatorFactors finds what the operator had at stake at the start of the day, and
// keeps it for the whole day.
func (d *openDay) operatorFactors(ctx context.Context, name string) (*operatorFactors, error) {
	operator, err := d.k.addressCodec.StringToBytes(name)
	if err != nil {
		return nil, err
	}
	key := collections.Join(d.record.Day, sdk.AccAddress(operator))
	record, err := d.k.operatorDays.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		staking, err := d.k.staking.Operator(ctx, operator)
		if err != nil {
			return nil, err
		}
		record = types.OperatorDay{Day: d.record.Day, Operator: name, Kind: staking.Kind, Paid: math.ZeroInt()}
		if record.Stake, record.Requirement, err = d.k.stakeAtStart(ctx, operator, d.record.Day); err != nil {
			return nil, err
		}
		if err := d.k.operatorDays.Set(ctx, key, record); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	ratio := d.record.Rules.StakeRatio(record.Stake, record.Requirement)
	return &operatorFactors{kind: record.Kind, stake: types.StakeFactor(ratio)}, nil
}

func (d *openDay) classWeight(ctx context.Context, hostID uint64, ordinal uint32) (uint64, error) {
	gpu, err := d.k.attestation.GPU(ctx, hostID, ordinal)
	if err != nil {
		return 0, err
	}
	if weight, ok := d.frozen.classes[gpu.Class]; ok {
		return weight, nil
	}
	weight, err := d.k.attestation.ClassWeight(ctx, gpu.Class)
	if err != nil {
		return 0, err
	}
	if d.frozen.classes == nil {
		d.frozen.classes = map[string]uint64{}
	}
	d.frozen.classes[gpu.Class] = weight
	return weight, nil
}
