package types

// HostFacts is what is proven of a host and its GPUs, as it counts on one day.
type HostFacts struct {
	Host       Host
	Connection Connection
	GPUs       []GPUFacts
}

// GPUFacts is what is proven of one GPU.
type GPUFacts struct {
	Gpu    Gpu
	Proofs Proofs
	// Compute is what challenges have shown, from which the rest here follows.
	Compute ComputeProof
	// Challenged: the GPU has results of challenges of a day before.
	Challenged            bool
	Passed, Missed, Wrong uint32
}

// Tier is the trust tier of the host: the least of its GPUs'.
func (f *HostFacts) Tier() uint32 {
	if len(f.GPUs) == 0 {
		return TierDeclared
	}
	tier := uint32(TierAttested)
	for i := range f.GPUs {
		tier = min(tier, f.GPUs[i].Proofs.Tier())
	}
	return tier
}

// MemoryGiB is the declared memory of the GPU in GiB, rounded up: drivers report a
// little less than the card is sold with.
func (g *Gpu) MemoryGiB() uint64 { return (g.Inventory.MemoryMib + 1_023) / 1_024 }
