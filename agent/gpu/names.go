package gpu

// Names returns the readings that are missing, for people and metrics.
func (u Unsupported) Names() []string {
	return names(uint32(u), []string{"utilization", "memory", "temperature", "power", "ecc", "remap", "xid", "pci"})
}

// Names returns the conditions, for people.
func (f Flags) Names() []string {
	return names(uint32(f), []string{"lost", "fatal xid", "xid", "uncorrectable ecc", "remap pending", "remap failed"})
}

// names lists the names of the set bits, lowest first.
func names(bits uint32, all []string) []string {
	var out []string
	for i, n := range all {
		if bits&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}
