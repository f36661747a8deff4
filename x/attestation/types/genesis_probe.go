package types

import "crypto/sha256"

// validateProbes checks beacons, connections and scores.
func (gs *GenesisState) validateProbes() error {
	for i, b := range gs.ProbeBeacons {
		if (i > 0 && b.Slot <= gs.ProbeBeacons[i-1].Slot) || b.Slot > gs.LastClosedSlot+1 || len(b.Beacon) != sha256.Size || b.Hosts >= gs.NextHostId {
			return ErrInvalidGenesis.Wrapf("probe beacon of slot %d with %d bytes and %d hosts: want ascending slots up to %d, %d bytes, hosts under %d",
				b.Slot, len(b.Beacon), b.Hosts, gs.LastClosedSlot+1, sha256.Size, gs.NextHostId)
		}
	}
	hosts := map[uint64]string{}
	for i := range gs.Hosts {
		hosts[gs.Hosts[i].Id] = gs.Hosts[i].Operator
	}
	var last uint64
	for i := range gs.Connections {
		c := &gs.Connections[i]
		if hosts[c.HostId] == "" || c.HostId <= last {
			return ErrInvalidGenesis.Wrapf("connection of host %d: twice, out of order, or of no host", c.HostId)
		}
		last = c.HostId
		if err := c.validate(gs.Params, hosts); err != nil {
			return err
		}
	}
	scored := map[string]bool{}
	for _, s := range gs.ProberScores {
		if s.Operator == "" || scored[s.Operator] || s.Agreed+s.Strayed == 0 || s.Agreed >= MaxScore || s.Strayed >= MaxScore || s.Agreed+s.Strayed >= MaxScore {
			return ErrInvalidGenesis.Wrapf("score of %q, %d agreed and %d strayed: twice, or want 1 to %d in sum", s.Operator, s.Agreed, s.Strayed, MaxScore-1)
		}
		scored[s.Operator] = true
	}
	return nil
}

func (c *HostConnection) validate(params Params, hosts map[uint64]string) error {
	if c.Day == 0 || len(c.Measures) == 0 || c.MedianDay >= c.Day || c.UpMbps > MaxMbps || c.DownMbps > MaxMbps ||
		(c.MedianDay == 0) != (c.Operators == 0) || (c.MedianDay == 0 && (c.UpMbps != 0 || c.DownMbps != 0)) {
		return ErrInvalidGenesis.Wrapf("connection of host %d: day %d with %d measures, medians of day %d by %d operators", c.HostId, c.Day, len(c.Measures), c.MedianDay, c.Operators)
	}
	seen := map[[2]uint64]bool{}
	for i := range c.Measures {
		m := &c.Measures[i]
		key := [2]uint64{m.Slot, m.Prober}
		if seen[key] || params.DayOf(m.Slot) != c.Day || m.Prober == c.HostId || hosts[m.Prober] == "" ||
			hosts[m.Prober] != m.Operator || m.Operator == hosts[c.HostId] || m.UpMbps > MaxMbps || m.DownMbps > MaxMbps {
			return ErrInvalidGenesis.Wrapf("measure of host %d by host %d of %s in slot %d: twice, of another day, or not by another operator's host",
				c.HostId, m.Prober, m.Operator, m.Slot)
		}
		seen[key] = true
	}
	return nil
}
