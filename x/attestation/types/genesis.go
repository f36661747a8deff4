package types

// DefaultGenesis returns an empty network with the default classes.
func DefaultGenesis() *GenesisState {
	return &GenesisState{Params: DefaultParams(), Classes: DefaultClasses(), NextHostId: 1}
}

// Validate checks that the state is one that the module could have written, as
// far as it can be told without other modules.
//
// Errors: ErrInvalidGenesis, and those of its parts.
func (gs *GenesisState) Validate() error {
	if err := gs.Params.Validate(); err != nil {
		return err
	}
	if err := gs.validateClasses(); err != nil {
		return err
	}
	gpus, err := gs.gpusByHost()
	if err != nil {
		return err
	}
	if err := gs.validateHosts(gpus); err != nil {
		return err
	}
	return gs.validateRecords()
}

func (gs *GenesisState) validateClasses() error {
	seen := map[string]bool{}
	for i := range gs.Classes {
		c := &gs.Classes[i]
		if err := c.Validate(); err != nil {
			return err
		}
		if seen[c.Key] {
			return ErrInvalidGenesis.Wrapf("class %s twice", c.Key)
		}
		seen[c.Key] = true
	}
	pending := map[string]bool{}
	for i := range gs.PendingClasses {
		p := &gs.PendingClasses[i]
		if err := p.Class.Validate(); err != nil {
			return err
		}
		if pending[p.Class.Key] || p.AppliesAt.IsZero() {
			return ErrInvalidGenesis.Wrapf("pending class %s twice, or without a time", p.Class.Key)
		}
		pending[p.Class.Key] = true
	}
	if n := len(gs.Classes) + len(gs.PendingClasses); n > MaxClasses {
		return ErrInvalidGenesis.Wrapf("%d classes, want at most %d", n, MaxClasses)
	}
	return nil
}

// gpusByHost counts the GPUs of each host, which must be in order.
func (gs *GenesisState) gpusByHost() (map[uint64]uint32, error) {
	count := map[uint64]uint32{}
	for i := range gs.Gpus {
		g := &gs.Gpus[i]
		if g.Ordinal != count[g.HostId] {
			return nil, ErrInvalidGenesis.Wrapf("GPU %d of host %d, want ordinal %d next", g.Ordinal, g.HostId, count[g.HostId])
		}
		if err := ValidateInventory([]GpuInventory{g.Inventory}, 1); err != nil {
			return nil, err
		}
		count[g.HostId]++
	}
	return count, nil
}

func (gs *GenesisState) validateHosts(gpus map[uint64]uint32) error {
	var lastID, nextGPU uint64
	keys := map[string]uint64{}
	declared := 0
	for i := range gs.Hosts {
		h := &gs.Hosts[i]
		if h.Id <= lastID || h.Id >= gs.NextHostId {
			return ErrInvalidGenesis.Wrapf("host id %d after %d, want them ascending and under %d", h.Id, lastID, gs.NextHostId)
		}
		lastID = h.Id
		bucket, _ := Bucket(h.FirstGpu)
		if last, _ := Bucket(h.FirstGpu + uint64(h.Capacity) - 1); h.Capacity == 0 || h.FirstGpu < nextGPU || last != bucket {
			return ErrInvalidGenesis.Wrapf("host %d: GPU range %d+%d overlaps another or straddles a bucket", h.Id, h.FirstGpu, h.Capacity)
		}
		nextGPU = h.FirstGpu + uint64(h.Capacity)
		if h.GpuCount != gpus[h.Id] || h.GpuCount > h.Capacity {
			return ErrInvalidGenesis.Wrapf("host %d: gpu_count %d, %d GPUs declared, capacity %d", h.Id, h.GpuCount, gpus[h.Id], h.Capacity)
		}
		if h.GpuCount > 0 {
			declared++
		}
		if err := h.validateKeys(keys); err != nil {
			return err
		}
	}
	if nextGPU > gs.NextGpu || declared != len(gpus) {
		return ErrInvalidGenesis.Wrapf("next_gpu is %d, want at least %d, and every GPU has a host", gs.NextGpu, nextGPU)
	}
	return nil
}

// validateKeys checks the host's form and keys; keys holds those in use so far.
func (h *Host) validateKeys(keys map[string]uint64) error {
	if h.Operator == "" || h.Status == HOST_STATUS_UNSPECIFIED || h.Generation == 0 {
		return ErrInvalidGenesis.Wrapf("host %d has no operator, status or generation", h.Id)
	}
	if err := ValidateRegion(h.Region); err != nil {
		return err
	}
	if err := ValidateEndpoint(h.Endpoint); err != nil {
		return err
	}
	if len(h.AgentKeys) == 0 || len(h.AgentKeys) > MaxAgentKeys {
		return ErrInvalidGenesis.Wrapf("host %d has %d agent keys, want 1 to %d", h.Id, len(h.AgentKeys), MaxAgentKeys)
	}
	for i := range h.AgentKeys {
		key := &h.AgentKeys[i]
		if err := ValidateAgentKey(key.PublicKey); err != nil {
			return err
		}
		if key.Revoked {
			continue
		}
		if owner, taken := keys[string(key.PublicKey)]; taken {
			return ErrInvalidGenesis.Wrapf("agent key %x is of hosts %d and %d", key.PublicKey, owner, h.Id)
		}
		keys[string(key.PublicKey)] = h.Id
	}
	return nil
}

func (gs *GenesisState) validateRecords() error {
	var last uint64
	for i, a := range gs.Anchors {
		if (i > 0 && a.Slot <= last) || a.Height < 1 || a.Time.IsZero() {
			return ErrInvalidGenesis.Wrapf("anchor of slot %d: want ascending slots, a height and a time", a.Slot)
		}
		last = a.Slot
	}
	if len(gs.Anchors) > 0 && last != gs.LastClosedSlot {
		return ErrInvalidGenesis.Wrapf("last_closed_slot is %d, the newest anchor is of %d", gs.LastClosedSlot, last)
	}
	for _, records := range [][]SlotBitmap{gs.Attested, gs.Up} {
		seen := map[[2]uint64]bool{}
		for _, r := range records {
			key := [2]uint64{r.Slot, r.Bucket}
			if seen[key] || len(r.Bits) == 0 || len(r.Bits) > BucketSize/8 || r.Slot > gs.LastClosedSlot {
				return ErrInvalidGenesis.Wrapf("bitmap of slot %d, bucket %d: twice, of an open slot, or %d bytes, want 1 to %d",
					r.Slot, r.Bucket, len(r.Bits), BucketSize/8)
			}
			seen[key] = true
		}
	}
	seen := map[[2]uint64]bool{}
	for _, r := range gs.Counters {
		key := [2]uint64{r.Day, r.Bucket}
		if seen[key] || len(r.Counts) == 0 || len(r.Counts) > BucketSize {
			return ErrInvalidGenesis.Wrapf("counters of day %d, bucket %d: twice, or %d bytes, want 1 to %d", r.Day, r.Bucket, len(r.Counts), BucketSize)
		}
		seen[key] = true
	}
	return nil
}
