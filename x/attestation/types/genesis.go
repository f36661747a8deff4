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
	if err := gs.validateChallenges(); err != nil {
		return err
	}
	if err := gs.validateRecords(); err != nil {
		return err
	}
	if err := gs.validateDevices(); err != nil {
		return err
	}
	return gs.validateProbes()
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
	classes := map[string]bool{"": true}
	for i := range gs.Classes {
		classes[gs.Classes[i].Key] = true
	}
	count := map[uint64]uint32{}
	for i := range gs.Gpus {
		g := &gs.Gpus[i]
		if !classes[g.Class] || !classes[g.ClaimedClass] {
			return nil, ErrInvalidGenesis.Wrapf("GPU %d of host %d: unknown class %q, claimed %q", g.Ordinal, g.HostId, g.Class, g.ClaimedClass)
		}
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
	if gs.NextHostId == 0 || gs.RefreshFromHost > gs.NextHostId {
		return ErrInvalidGenesis.Wrapf("next_host_id is %d, refresh_from_host %d, want 1 or more, and not over it", gs.NextHostId, gs.RefreshFromHost)
	}
	var lastID, nextGPU uint64
	keys := map[string]uint64{}
	declared := 0
	for i := range gs.Hosts {
		h := &gs.Hosts[i]
		if h.Id <= lastID || h.Id >= gs.NextHostId {
			return ErrInvalidGenesis.Wrapf("host id %d after %d, want them ascending and under %d", h.Id, lastID, gs.NextHostId)
		}
		lastID = h.Id
		_, position := Bucket(h.FirstGpu)
		if h.Capacity == 0 || h.FirstGpu < nextGPU || h.FirstGpu >= gs.NextGpu || position+uint64(h.Capacity) > BucketSize {
			return ErrInvalidGenesis.Wrapf("host %d: GPU range %d+%d overlaps another, straddles a bucket or passes next_gpu %d",
				h.Id, h.FirstGpu, h.Capacity, gs.NextGpu)
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
	if err := ValidateProbeEndpoint(h.ProbeEndpoint); err != nil {
		return err
	}
	if len(h.AgentKeys) == 0 || len(h.AgentKeys) > MaxAgentKeys {
		return ErrInvalidGenesis.Wrapf("host %d has %d agent keys, want 1 to %d", h.Id, len(h.AgentKeys), MaxAgentKeys)
	}
	current := 0 // keys without an end: exactly an active host has one
	for i := range h.AgentKeys {
		key := &h.AgentKeys[i]
		if !key.Revoked && key.UntilSlot == 0 {
			current++
		}
		if h.Status != HOST_STATUS_ACTIVE && !key.Revoked {
			return ErrInvalidGenesis.Wrapf("host %d is %s with live key %x", h.Id, h.Status, key.PublicKey)
		}
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
	if h.Status == HOST_STATUS_ACTIVE && current != 1 {
		return ErrInvalidGenesis.Wrapf("active host %d has %d agent keys without an end, want 1", h.Id, current)
	}
	return nil
}
