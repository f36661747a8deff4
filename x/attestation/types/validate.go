package types

import "strconv"

// Most characters of what an operator or the authority writes.
const (
	maxEndpoint = 256
	maxLabel    = 96
	maxShort    = 32
	maxSource   = 256
	maxPatterns = 16
	// maxMemoryMiB is 16 TiB.
	maxMemoryMiB = 1 << 24
)

// ValidateRegion checks the form of an ISO 3166-1 alpha-2 country ("DE") or an
// ISO 3166-2 subdivision ("US-CA"). The code lists are not consulted.
func ValidateRegion(region string) error {
	ok := len(region) == 2 || (len(region) >= 4 && len(region) <= 6 && region[2] == '-')
	for i := 0; ok && i < len(region); i++ {
		c := region[i]
		switch {
		case i == 2: // the hyphen, checked above
		case i < 2:
			ok = 'A' <= c && c <= 'Z'
		default:
			ok = ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9')
		}
	}
	if !ok {
		return ErrInvalidRegion.Wrapf("got %q, want an ISO 3166 code such as DE or US-CA", region)
	}
	return nil
}

// ValidateEndpoint checks for "https://" host [":" port], at most 256 bytes. The
// parser is our own, so that a new version of a library can't split the chain.
func ValidateEndpoint(endpoint string) error {
	const scheme = "https://"
	if len(endpoint) > maxEndpoint {
		return ErrInvalidEndpoint.Wrapf("%d bytes, want at most %d", len(endpoint), maxEndpoint)
	}
	if len(endpoint) <= len(scheme) || endpoint[:len(scheme)] != scheme {
		return ErrInvalidEndpoint.Wrapf("got %q, want it to begin with %s", endpoint, scheme)
	}
	host, port, hasPort := splitPort(endpoint[len(scheme):])
	if !validHostName(host) {
		return ErrInvalidEndpoint.Wrapf("got %q, want https://host[:port] and nothing after it", endpoint)
	}
	if hasPort {
		return validatePort(port)
	}
	return nil
}

// ValidateProbeEndpoint checks for host ":" port, at most 256 bytes, or nothing: a
// host without an inbound port has none.
func ValidateProbeEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	if len(endpoint) > maxEndpoint {
		return ErrInvalidEndpoint.Wrapf("probe_endpoint of %d bytes, want at most %d", len(endpoint), maxEndpoint)
	}
	host, port, hasPort := splitPort(endpoint)
	if !hasPort || !validHostName(host) {
		return ErrInvalidEndpoint.Wrapf("probe_endpoint %q, want host:port, or nothing", endpoint)
	}
	return validatePort(port)
}

func validatePort(port string) error {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || port[0] == '0' || port[0] == '+' {
		return ErrInvalidEndpoint.Wrapf("port %q, want 1 to 65535", port)
	}
	return nil
}

// splitPort cuts at the last colon that is not within the brackets of an IPv6 address.
func splitPort(s string) (host, port string, ok bool) {
	for i := len(s) - 1; i >= 0 && s[i] != ']'; i-- {
		if s[i] == ':' {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// validHostName accepts DNS names, IPv4 addresses and bracketed IPv6 addresses by
// their characters; whether one answers is no matter of consensus.
func validHostName(host string) bool {
	if len(host) > 4 && host[0] == '[' && host[len(host)-1] == ']' {
		for _, c := range []byte(host[1 : len(host)-1]) {
			if !isDigit(c) && c != ':' && c != '.' && (lower(c) < 'a' || lower(c) > 'f') {
				return false
			}
		}
		return true
	}
	label := 0
	for i := range len(host) {
		c := host[i]
		switch {
		case c == '.':
			if label == 0 || host[i-1] == '-' {
				return false
			}
			label = 0
			continue
		case c == '-':
			if label == 0 {
				return false
			}
		case !isDigit(c) && (lower(c) < 'a' || lower(c) > 'z'):
			return false
		}
		if label++; label > 63 {
			return false
		}
	}
	return label > 0 && host[len(host)-1] != '-'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// ValidateEncryptionKey checks the form of an X25519 key.
func ValidateEncryptionKey(key []byte) error {
	if len(key) != EncryptionKeySize {
		return ErrInvalidHost.Wrapf("encryption key has %d bytes, want %d", len(key), EncryptionKeySize)
	}
	for _, b := range key {
		if b != 0 {
			return nil
		}
	}
	return ErrInvalidHost.Wrap("encryption key is zero")
}

// ValidateInventory checks the declared GPUs of a host: 1 to limit of them,
// bounded printable labels, and no UUID or bus id twice.
func ValidateInventory(gpus []GpuInventory, limit uint32) error {
	if len(gpus) == 0 || uint64(len(gpus)) > uint64(limit) {
		return ErrInvalidInventory.Wrapf("%d GPUs, want 1 to %d", len(gpus), limit)
	}
	for i := range gpus {
		g := &gpus[i]
		for _, f := range []struct {
			name, value string
			low, high   int
		}{
			{"name", g.Name, 1, maxLabel},
			{"uuid", g.Uuid, 1, maxLabel},
			{"pci_bus_id", g.PciBusId, 0, maxShort},
			{"driver", g.Driver, 0, maxShort},
		} {
			if !isLabel(f.value, f.low, f.high) {
				return ErrInvalidInventory.Wrapf("GPU %d: %s %q, want %d to %d printable ASCII characters",
					i, f.name, f.value, f.low, f.high)
			}
		}
		if g.MemoryMib == 0 || g.MemoryMib > maxMemoryMiB {
			return ErrInvalidInventory.Wrapf("GPU %d: %d MiB, want 1 to %d", i, g.MemoryMib, maxMemoryMiB)
		}
		for j := range i {
			if gpus[j].Uuid == g.Uuid {
				return ErrInvalidInventory.Wrapf("GPU %d: uuid %q is GPU %d's", i, g.Uuid, j)
			}
			if g.PciBusId != "" && gpus[j].PciBusId == g.PciBusId {
				return ErrInvalidInventory.Wrapf("GPU %d: pci_bus_id %q is GPU %d's", i, g.PciBusId, j)
			}
		}
	}
	return nil
}

// isLabel tells whether s is low to high printable ASCII characters.
func isLabel(s string, low, high int) bool {
	if len(s) < low || len(s) > high {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Validate checks the form and bounds of a class.
func (c *HardwareClass) Validate() error {
	if !isClassKey(c.Key) {
		return ErrInvalidClass.Wrapf("key %q, want 1 to 64 of a-z, 0-9 and inner hyphens", c.Key)
	}
	if len(c.NamePatterns) == 0 || len(c.NamePatterns) > maxPatterns {
		return ErrInvalidClass.Wrapf("%s: %d name patterns, want 1 to %d", c.Key, len(c.NamePatterns), maxPatterns)
	}
	for _, p := range c.NamePatterns {
		if !isLabel(p, 1, maxLabel) {
			return ErrInvalidClass.Wrapf("%s: pattern %q, want 1 to %d printable ASCII characters", c.Key, p, maxLabel)
		}
	}
	if c.MinMemoryMib == 0 || c.MinMemoryMib > c.MaxMemoryMib || c.MaxMemoryMib > maxMemoryMiB {
		return ErrInvalidClass.Wrapf("%s: memory %d to %d MiB, want an interval within 1 to %d",
			c.Key, c.MinMemoryMib, c.MaxMemoryMib, maxMemoryMiB)
	}
	if c.WeightPpm > MaxWeightPPM {
		return ErrInvalidClass.Wrapf("%s: weight %d PPM, want at most %d", c.Key, c.WeightPpm, uint64(MaxWeightPPM))
	}
	if len(c.Source) == 0 || len(c.Source) > maxSource {
		return ErrInvalidClass.Wrapf("%s: source of %d bytes, want 1 to %d", c.Key, len(c.Source), maxSource)
	}
	if err := c.Profile.Validate(); err != nil {
		return ErrInvalidClass.Wrapf("%s: %s", c.Key, err)
	}
	return nil
}

func isClassKey(key string) bool {
	if len(key) == 0 || len(key) > 64 || key[0] == '-' || key[len(key)-1] == '-' {
		return false
	}
	for _, c := range []byte(key) {
		if c != '-' && !isDigit(c) && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
