package config

import (
	"net"
	"strconv"

	"github.com/spf13/pflag"
)

// Proofs is the part of the configuration that concerns probes.
type Proofs struct {
	// ProbeListen is where probes are taken; empty on a host without an inbound port.
	ProbeListen string `koanf:"probe-listen"`
	// ProbeMaxMiB bounds one transfer of a probe.
	ProbeMaxMiB int `koanf:"probe-max-mib"`
}

func addProofFlags(f *pflag.FlagSet) {
	f.String("probe-listen", "", "address at which probes of the connection are taken, such as :7946 (the host's probe endpoint on chain leads to it); without one the agent connects to its probers")
	f.Int("probe-max-mib", 128, "most MiB of one transfer of a probe, which also ends after 3 s")
}

// check reports the first thing wrong.
func (p Proofs) check(check func(ok bool, format string, args ...any)) {
	if p.ProbeListen != "" {
		_, port, err := net.SplitHostPort(p.ProbeListen)
		n, perr := strconv.ParseUint(port, 10, 16)
		check(err == nil && perr == nil && n > 0, "probe-listen: got %q, want an address with a port such as :7946, or nothing", p.ProbeListen)
	}
	check(p.ProbeMaxMiB >= 1 && p.ProbeMaxMiB <= 1024, "probe-max-mib: got %d, want 1 to 1024", p.ProbeMaxMiB)
}

// values are what Write puts into the file.
func (p Proofs) values() map[string]any {
	return map[string]any{"probe-listen": p.ProbeListen, "probe-max-mib": p.ProbeMaxMiB}
}
