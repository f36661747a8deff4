// Package config is what an operator chooses for the agent: by a YAML file, the
// environment (GRAFI_AGENT_*) and flags, in this order.
package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/internal/chaininfo"
)

// EnvPrefix starts the name of every environment variable.
const EnvPrefix = "GRAFI_AGENT_"

// FileName is the configuration file in the home folder.
const FileName = "config.yaml"

// ErrInvalid wraps everything that is wrong with a configuration.
var ErrInvalid = errors.New("configuration")

// Config is the agent's configuration. The koanf names are those of the flags.
type Config struct {
	Home       string   `koanf:"home"`
	ChainID    string   `koanf:"chain-id"`
	Node       []string `koanf:"node"`
	GasPrices  string   `koanf:"gas-prices"`
	FeeGranter string   `koanf:"fee-granter"`

	GPUSource   string `koanf:"gpu-source"`
	NVMLLibrary string `koanf:"nvml-library"`
	SimGPUs     int    `koanf:"sim-gpus"`

	Socket        string        `koanf:"socket"`
	MetricsListen string        `koanf:"metrics-listen"`
	SampleEvery   time.Duration `koanf:"sample-every"`
	DetailEvery   uint64        `koanf:"detail-every"`

	Proofs    `koanf:",squash"`
	Telemetry `koanf:",squash"`

	LogLevel  string `koanf:"log-level"`
	LogFormat string `koanf:"log-format"`
}

// AddFlags adds a flag for every value.
func AddFlags(f *pflag.FlagSet) {
	f.String("config", "", "YAML file with the values of any of these flags; "+FileName+" in --home when empty")
	f.String("home", DefaultHome(), "folder of keys and state")
	f.String("chain-id", "", "the chain to attest on")
	f.StringSlice("node", []string{"http://localhost:26657"}, "CometBFT RPC endpoints; two or more survive the loss of one")
	f.String("gas-prices", chaininfo.DefaultMinGasPrices, "fee for a unit of gas")
	f.String("fee-granter", "", "account that pays the fees by a fee grant to the fee key")
	f.String("gpu-source", "auto", "auto, nvml, amd or sim; auto takes sim only where no NVIDIA driver is installed")
	f.String("nvml-library", "", "path of libnvidia-ml.so.1; the system's when empty")
	f.Int("sim-gpus", 1, "number of simulated GPUs (SIM: only local and test chains accept them)")
	f.String("socket", "", socketHelp)
	f.String("metrics-listen", "127.0.0.1:9464", "loopback address of Prometheus metrics; none when empty")
	f.Duration("sample-every", 10*time.Second, "time between two samples of the GPUs")
	f.Uint64("detail-every", 6, "slots between two Merkle roots of raw samples")
	addProofFlags(f)
	addTelemetryFlags(f)
	f.String("log-level", "info", "debug, info, warn or error")
	f.String("log-format", "text", "text or json")
}

// Load merges the defaults, the file, the environment and the flags that were given.
//
// Errors: ErrInvalid.
func Load(f *pflag.FlagSet, environ []string) (Config, error) {
	defaults, changed, env := source{}, source{}, source{}
	f.VisitAll(func(flag *pflag.Flag) {
		if known[flag.Name] {
			into := defaults
			if flag.Changed {
				into = changed
			}
			into[flag.Name] = flagValue(flag)
		}
	})
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if rest, ok := strings.CutPrefix(name, EnvPrefix); ok {
			env[strings.ToLower(strings.ReplaceAll(rest, "_", "-"))] = value
		}
	}
	file, err := fileSource(f, env, defaults, changed)
	if err != nil {
		return Config{}, err
	}
	delete(env, "config")
	for _, list := range []string{"node", "telemetry-recipients"} {
		if values, ok := env[list].(string); ok {
			env[list] = strings.Split(values, ",")
		}
	}
	k := koanf.New("/") // a delimiter that no name has
	for _, s := range []struct {
		name string
		source
	}{{"defaults", defaults}, {"file", file}, {"environment", env}, {"flags", changed}} {
		for name := range s.source {
			if !known[name] {
				return Config{}, fmt.Errorf("%w: %s: unknown name %q", ErrInvalid, s.name, name)
			}
		}
		if err := k.Load(s.source, nil); err != nil {
			return Config{}, fmt.Errorf("%w: %s: %w", ErrInvalid, s.name, err)
		}
	}
	var c Config
	if err := k.Unmarshal("", &c); err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return c.finish()
}

// known are the names of all values.
var known = func() map[string]bool {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	AddFlags(f)
	names := map[string]bool{}
	f.VisitAll(func(flag *pflag.Flag) { names[flag.Name] = flag.Name != "config" })
	return names
}()

// source is a map of values as koanf loads it.
type source map[string]any

// ReadBytes implements koanf.Provider; it is not used.
func (source) ReadBytes() ([]byte, error) { return nil, errors.New("not supported") }

// Read implements koanf.Provider.
func (s source) Read() (map[string]any, error) { return s, nil }

func flagValue(flag *pflag.Flag) any {
	if s, ok := flag.Value.(pflag.SliceValue); ok {
		return s.GetSlice()
	}
	return flag.Value.String()
}

// fileSource reads the file that is named, or that is in the home folder.
func fileSource(f *pflag.FlagSet, env, defaults, changed source) (source, error) {
	path, err := f.GetString("config")
	if err != nil {
		return nil, err
	}
	if fromEnv, ok := env["config"].(string); ok && path == "" {
		path = fromEnv
	}
	must := path != ""
	if !must {
		home := defaults["home"]
		for _, s := range []source{env, changed} {
			if h, ok := s["home"]; ok {
				home = h
			}
		}
		path = filepath.Join(fmt.Sprint(home), FileName)
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && !must {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: file: %w", ErrInvalid, err)
	}
	var s source
	if err := yaml.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("%w: file %s: %w", ErrInvalid, path, err)
	}
	return s, nil
}

func (c Config) finish() (Config, error) {
	home, err := filepath.Abs(c.Home)
	if err != nil {
		return c, fmt.Errorf("%w: home: %w", ErrInvalid, err)
	}
	c.Home = home
	if len(c.TelemetryRecipients) == 0 {
		c.TelemetryRecipients = nil // "none" has one form
	}
	if c.Socket == "" {
		c.Socket = defaultSocket(c.Home)
	}
	check := func(ok bool, format string, args ...any) {
		if !ok && err == nil {
			err = fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
		}
	}
	check(len(c.Node) > 0, "node: none given, want at least one RPC endpoint")
	check(slices.Contains([]string{"auto", "nvml", "amd", "sim"}, c.GPUSource), "gpu-source: got %q, want auto, nvml, amd or sim", c.GPUSource)
	check(c.SimGPUs >= 1 && c.SimGPUs <= gpu.MaxSim, "sim-gpus: got %d, want 1 to %d", c.SimGPUs, gpu.MaxSim)
	check(c.SampleEvery >= time.Second && c.SampleEvery <= 30*time.Second, "sample-every: got %s, want 1s to 30s", c.SampleEvery)
	check(c.DetailEvery >= 1 && c.DetailEvery <= 144, "detail-every: got %d, want 1 to 144", c.DetailEvery)
	c.Proofs.check(check)
	c.Telemetry.check(check)
	check(c.MetricsListen == "" || loopback(c.MetricsListen), "metrics-listen: got %q, want a loopback address such as 127.0.0.1:9464, or nothing", c.MetricsListen)
	serr := checkSocket(c.Socket)
	check(serr == nil, "socket: %v", serr)
	return c, err
}

// loopback tells whether an address can be reached from this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// KeysPath is the folder of the keys.
func (c Config) KeysPath() string { return filepath.Join(c.Home, "keys") }

// StatePath is the bbolt file.
func (c Config) StatePath() string { return filepath.Join(c.Home, "state.db") }
