package config

import (
	"crypto/ed25519"
	"encoding/hex"
	"net"
	"path/filepath"

	"github.com/spf13/pflag"
)

// Telemetry is the part of the configuration that concerns a data service. It is off
// without an address.
type Telemetry struct {
	TelemetryAddress    string   `koanf:"telemetry-address"`
	TelemetryServerKey  string   `koanf:"telemetry-server-key"` // hex
	TelemetryRecipients []string `koanf:"telemetry-recipients"`
	TelemetrySpoolMiB   int      `koanf:"telemetry-spool-mib"`
}

func addTelemetryFlags(f *pflag.FlagSet) {
	f.String("telemetry-address", "", "host:port of a data service that keeps the samples, sealed to the recipients; none when empty")
	f.String("telemetry-server-key", "", "ed25519 key of the data service, 64 hex digits")
	f.StringSlice("telemetry-recipients", nil, "who can open the samples: NAME=x25519:KEY or NAME=mlkem768x25519:KEY, keys in base64")
	f.Int("telemetry-spool-mib", 64, "most MiB of samples that wait for the data service; beyond it the oldest are forgotten")
}

// check reports the first thing wrong.
func (t Telemetry) check(check func(ok bool, format string, args ...any)) {
	check(t.TelemetrySpoolMiB >= 1 && t.TelemetrySpoolMiB <= 1<<16, "telemetry-spool-mib: got %d, want 1 to %d", t.TelemetrySpoolMiB, 1<<16)
	if t.TelemetryAddress == "" {
		return
	}
	_, _, err := net.SplitHostPort(t.TelemetryAddress)
	check(err == nil, "telemetry-address: got %q, want HOST:PORT", t.TelemetryAddress)
	check(len(t.ServerKey()) == ed25519.PublicKeySize, "telemetry-server-key: got %q, want 64 hex digits", t.TelemetryServerKey)
	check(len(t.TelemetryRecipients) > 0, "telemetry-recipients: none given, want at least the operator's key")
}

// ServerKey is the data service's key, or nil when it is malformed.
func (t Telemetry) ServerKey() ed25519.PublicKey {
	raw, err := hex.DecodeString(t.TelemetryServerKey)
	if err != nil {
		return nil
	}
	return raw
}

// values are what Write puts into the file.
func (t Telemetry) values() map[string]any {
	return map[string]any{
		"telemetry-address": t.TelemetryAddress, "telemetry-server-key": t.TelemetryServerKey,
		"telemetry-recipients": t.TelemetryRecipients, "telemetry-spool-mib": t.TelemetrySpoolMiB,
	}
}

// TelemetryPath is the folder of samples that wait for the data service.
func (c Config) TelemetryPath() string { return filepath.Join(c.Home, "telemetry") }
