package types

import (
	"cosmossdk.io/core/address"
	"cosmossdk.io/math"

	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// validateMining checks the records of days.
func (gs GenesisState) validateMining(addresses address.Codec) error {
	if err := gs.Mining.validate(); err != nil {
		return err
	}
	days := map[uint64]bool{}
	for _, d := range gs.Days {
		if days[d.Day] {
			return ErrInvalidGenesis.Wrapf("day %d twice", d.Day)
		}
		days[d.Day] = true
		if err := d.validate(); err != nil {
			return err
		}
	}
	if err := gs.validateDayRecords(days); err != nil {
		return err
	}
	return gs.validateOperatorRecords(addresses, days)
}

func (m Mining) validate() error {
	for name, n := range map[string]math.Int{
		"minted": m.Minted, "datacenter_carry": m.DatacenterCarry, "contributor_carry": m.ContributorCarry,
	} {
		if !isAmount(n) {
			return ErrInvalidGenesis.Wrapf("mining: %s is %s, want an amount", name, n)
		}
	}
	if !isScaled(m.DatacenterRho) || !isScaled(m.ContributorRho) {
		return ErrInvalidGenesis.Wrapf("mining: rho is %s and %s, want neither negative nor too large", m.DatacenterRho, m.ContributorRho)
	}
	if m.NextPrune > m.NextExpire || m.NextExpire > m.NextClose {
		return ErrInvalidGenesis.Wrapf("mining: next to prune is day %d, to expire %d, to close %d, want them in this order",
			m.NextPrune, m.NextExpire, m.NextClose)
	}
	return nil
}

func (d Day) validate() error {
	if _, known := DayStatus_name[int32(d.Status)]; !known || d.Status == DAY_STATUS_UNSPECIFIED {
		return ErrInvalidGenesis.Wrapf("day %d: status %s", d.Day, d.Status)
	}
	if (d.Status == DAY_STATUS_OPEN) != (d.ClosedAt == nil) {
		return ErrInvalidGenesis.Wrapf("day %d: %s with closed_at %v", d.Day, d.Status, d.ClosedAt)
	}
	if err := d.Rules.Validate(); err != nil {
		return ErrInvalidGenesis.Wrapf("day %d: %s", d.Day, err)
	}
	if !isAmount(d.OperatorCap) {
		return ErrInvalidGenesis.Wrapf("day %d: operator_cap %s, want an amount", d.Day, d.OperatorCap)
	}
	for kind, p := range map[stakingext.OperatorKind]KindDay{
		stakingext.OPERATOR_KIND_DATACENTER: d.Datacenter, stakingext.OPERATOR_KIND_CONTRIBUTOR: d.Contributor,
	} {
		if p.Kind != kind {
			return ErrInvalidGenesis.Wrapf("day %d: pool of %s in the place of %s", d.Day, p.Kind, kind)
		}
		if !isAmount(p.Emission) || !isAmount(p.Carry) || !isAmount(p.Pool) || !isAmount(p.Paid) ||
			!isScaled(p.WeightedUptime) || !isScaled(p.Rho) {
			return ErrInvalidGenesis.Wrapf("day %d: pool of %s has a number that is unset, negative or too large", d.Day, kind)
		}
		if p.Paid.GT(p.Pool) || p.Pool.GT(p.Emission.Add(p.Carry)) {
			return ErrInvalidGenesis.Wrapf("day %d: %s paid %s of %s of %s + %s", d.Day, kind, p.Paid, p.Pool, p.Emission, p.Carry)
		}
	}
	return nil
}

// validateDayRecords checks what belongs to a day and to no operator.
func (gs GenesisState) validateDayRecords(days map[uint64]bool) error {
	type histogramKey struct {
		day  uint64
		kind stakingext.OperatorKind
	}
	histograms := map[histogramKey]bool{}
	for _, h := range gs.Histograms {
		key := histogramKey{h.Day, h.Kind}
		if histograms[key] || !days[h.Day] || stakingext.ValidateKind(h.Kind) != nil || len(h.Weights) == 0 {
			return ErrInvalidGenesis.Wrapf("histogram of day %d and %s is empty, twice, or of no day or kind", h.Day, h.Kind)
		}
		histograms[key] = true
	}
	type bucketKey struct{ day, bucket uint64 }
	buckets := map[bucketKey]bool{}
	for _, b := range gs.Buckets {
		key := bucketKey{b.Day, b.Bucket}
		if buckets[key] || !days[b.Day] {
			return ErrInvalidGenesis.Wrapf("bucket %d of day %d is twice, or of no day", b.Bucket, b.Day)
		}
		buckets[key] = true
		if len(b.Weights) > 8*BucketSize || len(b.Factors) > factorSize*BucketSize || len(b.Claimed) > BucketSize/8 {
			return ErrInvalidGenesis.Wrapf("bucket %d of day %d: %d, %d and %d bytes, want at most those of %d GPUs",
				b.Bucket, b.Day, len(b.Weights), len(b.Factors), len(b.Claimed), BucketSize)
		}
	}
	rented := map[bucketKey]bool{}
	for _, r := range gs.Rented {
		key := bucketKey{r.Day, r.Gpu}
		if rented[key] || !isAmount(r.Fees) || !isScaled(r.Rho) || !isScaled(r.Gain) {
			return ErrInvalidGenesis.Wrapf("rented seconds of GPU %d on day %d are twice, or have a number that is unset, negative or too large", r.Gpu, r.Day)
		}
		rented[key] = true
	}
	return nil
}

// validateOperatorRecords checks what an operator had at stake on a day.
func (gs GenesisState) validateOperatorRecords(addresses address.Codec, days map[uint64]bool) error {
	type key struct {
		operator string
		day      uint64
	}
	seen := map[key]bool{}
	for _, o := range gs.OperatorDays {
		if err := checkAddress(addresses, "operator", o.Operator); err != nil {
			return err
		}
		if k := (key{o.Operator, o.Day}); seen[k] || !days[o.Day] {
			return ErrInvalidGenesis.Wrapf("day %d of operator %s is twice, or no day", o.Day, o.Operator)
		}
		seen[key{o.Operator, o.Day}] = true
		if !isAmount(o.Stake) || !isAmount(o.Requirement) || !isAmount(o.Paid) || stakingext.ValidateKind(o.Kind) != nil {
			return ErrInvalidGenesis.Wrapf("day %d of operator %s: stake %s of %s, paid %s, kind %s", o.Day, o.Operator, o.Stake, o.Requirement, o.Paid, o.Kind)
		}
	}
	snapshots := map[key]bool{}
	for _, s := range gs.Snapshots {
		if err := checkAddress(addresses, "operator", s.Operator); err != nil {
			return err
		}
		if snapshots[key{s.Operator, s.Day}] || !isAmount(s.Stake) || !isAmount(s.Requirement) {
			return ErrInvalidGenesis.Wrapf("stake of %s at the start of day %d: %s of %s, want amounts, and once", s.Operator, s.Day, s.Stake, s.Requirement)
		}
		snapshots[key{s.Operator, s.Day}] = true
	}
	return nil
}
