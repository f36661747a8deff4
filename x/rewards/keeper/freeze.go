package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// freezer remembers what a message looked up while it froze weights.
type freezer struct {
	facts     attestation.HostFacts // of the last host; its id is 0 before the first
	operator  *operatorFactors
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
	if err := d.lookUp(ctx, hostID); err != nil {
		return types.Weight{}, err
	}
	facts, operator, rules := &d.frozen.facts, d.frozen.operator, d.record.Rules
	if int(ordinal) >= len(facts.GPUs) {
		return types.Weight{}, attestation.ErrGPUNotFound.Wrapf("ordinal %d of host %d, which has %d GPUs", ordinal, hostID, len(facts.GPUs))
	}
	gpu := &facts.GPUs[ordinal]
	in := types.InputsOf(facts, gpu, d.record.Day)
	f := types.Factors{
		Stake: operator.stake, Bonus: types.PPM, Connection: in.Connection(rules), Performance: in.Performance(rules),
	}
	var err error
	if in.Eligible(rules) {
		if f.Class, err = d.classWeight(ctx, gpu.Gpu.Class); err != nil {
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
	b.weights, b.factors = b.weights.Set(position, weight), b.factors.Set(position, f, in)
	return weight, nil
}

// lookUp finds what is proven of the host and its GPUs, and the factors of its
// operator.
func (d *openDay) lookUp(ctx context.Context, hostID uint64) error {
	if d.frozen.facts.Host.Id == hostID {
		return nil
	}
	facts, err := d.k.attestation.HostFacts(ctx, hostID, d.record.Day)
	if err != nil {
		return err
	}
	name := facts.Host.Operator
	operator, ok := d.frozen.operators[name]
	if !ok {
		if operator, err = d.operatorFactors(ctx, name); err != nil {
			return err
		}
		if d.frozen.operators == nil {
			d.frozen.operators = map[string]*operatorFactors{}
		}
		d.frozen.operators[name] = operator
	}
	d.frozen.facts, d.frozen.operator = facts, operator
	return nil
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

func (d *openDay) classWeight(ctx context.Context, class string) (uint64, error) {
	if weight, ok := d.frozen.classes[class]; ok {
		return weight, nil
	}
	weight, err := d.k.attestation.ClassWeight(ctx, class)
	if err != nil {
		return 0, err
	}
	if d.frozen.classes == nil {
		d.frozen.classes = map[string]uint64{}
	}
	d.frozen.classes[class] = weight
	return weight, nil
}
