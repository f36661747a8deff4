package types

import (
	"cosmossdk.io/math"

	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// Distribute finds U, R and ρ of the kind from its money and its histogram.
func (p *KindDay) Distribute(rules Rules, histogram []uint64, slots uint32) {
	p.WeightedUptime = rules.WeightedUptime(histogram, slots)
	p.Pool = rules.Distributed(p.Emission.Add(p.Carry), p.WeightedUptime, rules.TargetWeight(p.Kind))
	p.Rho = Rho(p.Pool, p.WeightedUptime)
}

// Left is what the kind's next day gets of the day's money.
func (p *KindDay) Left() math.Int { return p.Emission.Add(p.Carry).Sub(p.Pool) }

// Pool is what the day distributes to both kinds.
func (d *Day) Pool() math.Int { return d.Datacenter.Pool.Add(d.Contributor.Pool) }

// Kind returns the pool of a kind.
func (d *Day) Kind(kind stakingext.OperatorKind) *KindDay {
	if kind == stakingext.OPERATOR_KIND_DATACENTER {
		return &d.Datacenter
	}
	return &d.Contributor
}
