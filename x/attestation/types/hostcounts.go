package types

import "encoding/binary"

// HostCounts holds how many hosts attested each slot of a day, 4 bytes each;
// slots after its end have none.
type HostCounts []byte

// NewHostCounts packs a list.
func NewHostCounts(hosts []uint32) HostCounts {
	c := make(HostCounts, 0, 4*len(hosts))
	for _, n := range hosts {
		c = binary.BigEndian.AppendUint32(c, n)
	}
	return c
}

// Get returns the count of the day's slot i.
func (c HostCounts) Get(i uint64) uint32 {
	if i >= uint64(len(c))/4 {
		return 0
	}
	return binary.BigEndian.Uint32(c[4*i:])
}

// Add returns the counts with that of slot i one higher. It may reuse c's memory.
func (c HostCounts) Add(i uint64) HostCounts {
	for uint64(len(c)) < 4*(i+1) {
		c = append(c, 0, 0, 0, 0)
	}
	if n := c.Get(i); n < 1<<32-1 {
		binary.BigEndian.PutUint32(c[4*i:], n+1)
	}
	return c
}

// List unpacks the counts.
func (c HostCounts) List() []uint32 {
	hosts := make([]uint32, len(c)/4)
	for i := range hosts {
		hosts[i] = c.Get(uint64(i))
	}
	return hosts
}

// IsNetworkFault tells whether so few hosts attested a slot that the network, and
// not they, must have failed. usual is the most that attested any slot of the day
// before it: a part of it over network_fault_ppm is missing, and it is at least
// network_fault_min_hosts.
//
// Source: protocol §1 "network fault".
func (p Params) IsNetworkFault(attested, usual uint32) bool {
	return usual >= p.NetworkFaultMinHosts &&
		uint64(attested)*PPM < uint64(usual)*(PPM-p.NetworkFaultPpm)
}

// Trust tiers: how far what a host says of itself is proven.
const (
	// TierDeclared is T0: nothing is proven.
	TierDeclared = iota
	// TierComputed is T1: its compute is proven.
	TierComputed
	// TierWitnessed is T2: T1, seen by probers, and bonded.
	TierWitnessed
	// TierAttested is T3: T2, and its devices are attested.
	TierAttested
)

// Proofs are what the chain has seen of a host.
type Proofs struct{ Compute, Witnessed, Bonded, Devices bool }

// Tier computes the trust tier: each tier needs all that the one below needs.
//
// Source: protocol §2 "Trust tier".
func (p Proofs) Tier() uint32 {
	switch {
	case !p.Compute:
		return TierDeclared
	case !p.Witnessed || !p.Bonded:
		return TierComputed
	case !p.Devices:
		return TierWitnessed
	}
	return TierAttested
}
