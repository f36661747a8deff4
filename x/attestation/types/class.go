package types

// MatchClass returns the hardware class of a GPU with this NVML name and
// memory. When several match, the one with the longest matching pattern wins,
// and of equals the smallest key, so the order of classes does not matter.
//
// Units: memory in MiB as NVML reports it.
func MatchClass(classes []HardwareClass, name string, memoryMiB uint64) (HardwareClass, bool) {
	best, bestLen := -1, 0
	for i := range classes {
		c := &classes[i]
		if memoryMiB < c.MinMemoryMib || memoryMiB > c.MaxMemoryMib {
			continue
		}
		for _, pattern := range c.NamePatterns {
			if len(pattern) < bestLen || !matchName(pattern, name) {
				continue
			}
			if best < 0 || len(pattern) > bestLen || c.Key < classes[best].Key {
				best, bestLen = i, len(pattern)
			}
		}
	}
	if best < 0 {
		return HardwareClass{}, false
	}
	return classes[best], true
}

// matchName tells whether the pattern matches the whole name: "*" stands for
// any run of characters, the case of ASCII letters is ignored. It goes back
// to the last star only, so its cost is at most len(pattern) × len(name).
func matchName(pattern, name string) bool {
	p, n := 0, 0
	star, resume := -1, 0 // last star in pattern, and where in name it is tried next
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, n
			p++
		case p < len(pattern) && lower(pattern[p]) == lower(name[n]):
			p++
			n++
		case star >= 0:
			resume++
			p, n = star+1, resume
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// CheckWeightChange refuses a change of a class weight by more than the limit.
// The allowed move is old × limit / PPM, floored. A class of weight 0 earns
// nothing yet and may get any weight.
func CheckWeightChange(old, updated, limitPPM uint64) error {
	if old == 0 {
		return nil
	}
	move := old * limitPPM / PPM // both bounded by Validate: no overflow
	if updated > old+move || updated+move < old {
		return ErrWeightChange.Wrapf("from %d to %d PPM, want %d to %d", old, updated, old-move, old+move)
	}
	return nil
}
