package types

// validateRecords checks anchors, bitmaps, counters and faults.
func (gs *GenesisState) validateRecords() error {
	var last uint64
	for i, a := range gs.Anchors {
		if (i > 0 && a.Slot <= last) || a.Height < 1 || a.Time.IsZero() {
			return ErrInvalidGenesis.Wrapf("anchor of slot %d: want ascending slots, a height and a time", a.Slot)
		}
		last = a.Slot
	}
	if last != gs.LastClosedSlot {
		return ErrInvalidGenesis.Wrapf("last_closed_slot is %d, the newest anchor is of %d", gs.LastClosedSlot, last)
	}
	for _, records := range [][]SlotBitmap{gs.Attested, gs.Up} {
		seen := map[[2]uint64]bool{}
		for _, r := range records {
			key := [2]uint64{r.Slot, r.Bucket}
			if seen[key] || r.Slot > gs.LastClosedSlot || !isCompact(r.Bits, BucketSize/8) {
				return ErrInvalidGenesis.Wrapf("bitmap of slot %d, bucket %d: twice, of an open slot, or %d bytes, want 1 to %d of which the last is not 0",
					r.Slot, r.Bucket, len(r.Bits), BucketSize/8)
			}
			seen[key] = true
		}
	}
	if err := gs.validateCounters(); err != nil {
		return err
	}
	if err := gs.validateAttestedHosts(); err != nil {
		return err
	}
	return gs.validateFaults()
}

func (gs *GenesisState) validateAttestedHosts() error {
	seen := map[uint64]bool{}
	for _, r := range gs.AttestedHosts {
		n := len(r.Hosts)
		if seen[r.Day] || n == 0 || n > int(gs.Params.SlotsPerDay) || r.Hosts[n-1] == 0 {
			return ErrInvalidGenesis.Wrapf("attested hosts of day %d: twice, or %d slots, want 1 to %d of which the last is not 0",
				r.Day, n, gs.Params.SlotsPerDay)
		}
		seen[r.Day] = true
	}
	return nil
}

func (gs *GenesisState) validateCounters() error {
	seen := map[[2]uint64]bool{}
	for _, r := range gs.Counters {
		key := [2]uint64{r.Day, r.Bucket}
		if seen[key] || !isCompact(r.Counts, BucketSize) {
			return ErrInvalidGenesis.Wrapf("counters of day %d, bucket %d: twice, or %d bytes, want 1 to %d of which the last is not 0",
				r.Day, r.Bucket, len(r.Counts), BucketSize)
		}
		seen[key] = true
		for i, n := range r.Counts {
			if uint32(n) > gs.Params.SlotsPerDay {
				return ErrInvalidGenesis.Wrapf("counter %d of day %d, bucket %d is %d, a day has %d slots", i, r.Day, r.Bucket, n, gs.Params.SlotsPerDay)
			}
		}
	}
	return nil
}

func (gs *GenesisState) validateFaults() error {
	hosts := map[uint64]bool{}
	for i := range gs.Hosts {
		hosts[gs.Hosts[i].Id] = true
	}
	seen := map[ProvenFault]bool{}
	for _, f := range gs.Faults {
		if seen[f] || !hosts[f.HostId] {
			return ErrInvalidGenesis.Wrapf("fault of host %d in slot %d: twice, or of no host", f.HostId, f.Slot)
		}
		seen[f] = true
	}
	return nil
}

// isCompact tells whether a record has the one form the keeper writes.
func isCompact(bz []byte, most int) bool {
	return len(bz) > 0 && len(bz) <= most && bz[len(bz)-1] != 0
}
