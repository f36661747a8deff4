package types

import "crypto/sha256"

// Inconsistent says in which way the challenge is none that the keeper could have
// written; "" when it could.
func (c *Challenge) Inconsistent() string {
	for i := range c.Gpus {
		g := &c.Gpus[i]
		switch n := len(g.Commitment); {
		case i > 0 && g.Ordinal <= c.Gpus[i-1].Ordinal:
			return "with GPUs out of order"
		case n != 0 && n != sha256.Size:
			return "with a commitment of another length"
		case g.Profile.IsZero() || g.Profile.Validate() != nil:
			return "with an invalid profile"
		case g.Outcome < CHALLENGE_OUTCOME_PENDING || g.Outcome > CHALLENGE_OUTCOME_WRONG:
			return "with an unknown outcome"
		case g.CommittedMs != 0 && g.CommittedMs < c.StartedMs:
			return "with a commitment before its start"
		}
	}
	if len(c.Gpus) == 0 || len(c.AgentKey) != AgentKeySize || len(c.Beacon) != sha256.Size || c.Samples == 0 || c.StartedAt.IsZero() {
		return "without GPUs, agent key, beacon, samples or start"
	}
	ok := false
	switch c.State {
	case CHALLENGE_STATE_OPEN:
		ok = c.Pending() && !c.Committed() && c.SampleHeight == 0 && len(c.Sample) == 0
	case CHALLENGE_STATE_COMMITTED:
		ok = c.Pending() && c.Committed() && c.SampleHeight > 0 && len(c.Sample) == 0
	case CHALLENGE_STATE_SAMPLED:
		ok = c.Pending() && c.Committed() && len(c.Sample) == sha256.Size
	case CHALLENGE_STATE_UNANSWERED:
		ok = !c.Pending() && c.Missed()
	}
	if !ok {
		return "with GPUs, or a sample, of another state"
	}
	return ""
}

// validateChallenges checks challenges, proofs and what is due.
func (gs *GenesisState) validateChallenges() error {
	capacity, last := map[uint64]uint32{}, map[uint64]uint64{}
	for i := range gs.Hosts {
		capacity[gs.Hosts[i].Id] = gs.Hosts[i].Capacity
	}
	for _, h := range gs.HostChallenges {
		if _, twice := last[h.HostId]; twice || capacity[h.HostId] == 0 || h.LastId == 0 {
			return ErrInvalidGenesis.Wrapf("host_challenges of host %d: twice, of no host, or without a challenge", h.HostId)
		}
		last[h.HostId] = h.LastId
	}
	busy := map[uint64]bool{}
	for i := range gs.Challenges {
		c := &gs.Challenges[i]
		if busy[c.HostId] || c.Id == 0 || last[c.HostId] != c.Id {
			return ErrInvalidGenesis.Wrapf("challenge %d of host %d: twice, or the last one is %d", c.Id, c.HostId, last[c.HostId])
		}
		busy[c.HostId] = true
		if why := c.Inconsistent(); why != "" {
			return ErrInvalidGenesis.Wrapf("challenge %d of host %d is %s %s", c.Id, c.HostId, c.State, why)
		}
		if g := c.Gpus[len(c.Gpus)-1]; g.Ordinal >= capacity[c.HostId] {
			return ErrInvalidGenesis.Wrapf("challenge %d of host %d: GPU %d, its capacity is %d", c.Id, c.HostId, g.Ordinal, capacity[c.HostId])
		}
	}
	for _, d := range gs.ChallengeDue {
		if busy[d.HostId] || capacity[d.HostId] == 0 || len(d.Ordinals) == 0 ||
			(d.Reason != CHALLENGE_REASON_REGISTRATION && d.Reason != CHALLENGE_REASON_RENTER) {
			return ErrInvalidGenesis.Wrapf("due challenge of host %d: twice, besides an open one, of no host, no GPUs or for %s", d.HostId, d.Reason)
		}
		busy[d.HostId] = true
	}
	return gs.validateProofs(capacity)
}

func (gs *GenesisState) validateProofs(capacity map[uint64]uint32) error {
	type gpu struct {
		host    uint64
		ordinal uint32
	}
	seen := map[gpu]bool{}
	for i := range gs.ComputeProofs {
		p := &gs.ComputeProofs[i]
		key := gpu{p.HostId, p.Ordinal}
		if seen[key] || p.Ordinal >= capacity[p.HostId] || len(p.RecentGops) > MaxRecentAnswers ||
			len(p.Days) > 2 || (len(p.Days) == 2 && p.Days[0].Day <= p.Days[1].Day) || len(p.Misses) > MaxMisses {
			return ErrInvalidGenesis.Wrapf("compute proof of GPU %d of host %d: twice, of no GPU, with %d answers, %d misses or days out of order",
				p.Ordinal, p.HostId, len(p.RecentGops), len(p.Misses))
		}
		seen[key] = true
	}
	if c := gs.ChallengeClock; c.DrawHost > 0 && c.DrawCursor == "" {
		return ErrInvalidGenesis.Wrapf("draw stands at host %d of no operator", c.DrawHost)
	}
	return nil
}
