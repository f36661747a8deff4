package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// config is all that an operator chooses. The koanf names are those of the flags.
type config struct {
	Home        string   `koanf:"home"`
	Node        []string `koanf:"node"`
	AgentSocket string   `koanf:"agent-socket"`
	ChainID     string   `koanf:"chain-id"`
	HostID      uint64   `koanf:"host-id"`

	Engine            string `koanf:"engine"`
	AllowUnisolated   bool   `koanf:"allow-unisolated"`
	Network           string `koanf:"network"`
	CgroupParent      string `koanf:"cgroup-parent"`
	WorkloadDir       string `koanf:"workload-dir"`
	PrivateRegistries bool   `koanf:"allow-private-registries"`

	Listen   string        `koanf:"listen"`
	Interval time.Duration `koanf:"reconcile-interval"`

	ClockGrace   time.Duration `koanf:"clock-grace"`
	RenewalGrace time.Duration `koanf:"renewal-grace"`
	PrepareAhead time.Duration `koanf:"prepare-ahead"`
	Retention    time.Duration `koanf:"retention"`

	CPUMillisPerGPU uint64 `koanf:"cpu-millis-per-gpu"`
	MemoryMiBPerGPU uint64 `koanf:"memory-mib-per-gpu"`
	DiskMiBPerGPU   uint64 `koanf:"disk-mib-per-gpu"`

	LogLevel  string `koanf:"log-level"`
	LogFormat string `koanf:"log-format"`
}

const (
	engineAuto    = "auto"
	engineOCI     = "oci"
	engineProcess = "process"
)

func addConfigFlags(f *pflag.FlagSet) {
	home := "/var/lib/grafi-executor"
	if dir, err := os.UserHomeDir(); err == nil && os.Geteuid() != 0 {
		home = filepath.Join(dir, ".grafi-executor")
	}
	f.String("config", "", "YAML file with the values of any of these flags")
	f.String("home", home, "directory of images, workloads and state")
	f.StringSlice("node", []string{"http://localhost:26657"}, "CometBFT RPC endpoints; two or more survive the loss of one")
	f.String("agent-socket", "/run/grafi-agent/agent.sock", "unix socket of the agent")
	f.String("chain-id", "", "chain; asked of the agent when empty")
	f.Uint64("host-id", 0, "host on chain; asked of the agent when 0")
	f.String("engine", engineAuto, "auto, oci or process")
	f.Bool("allow-unisolated", false, "let the process engine run: its workloads are not kept from the host or from each other")
	f.String("network", "none", "what a container reaches: none, or host (not isolated)")
	f.String("cgroup-parent", "", "control group for workloads; one of its own when empty; without root it must be one delegated to this user")
	f.String("workload-dir", "", "directory of volumes and logs; workloads under --home when empty")
	f.Bool("allow-private-registries", false, "let renters' images come from this machine's own and private networks, without TLS on loopback")
	f.String("listen", ":8443", "address of the gateway for renters")
	f.Duration("reconcile-interval", 30*time.Second, "time between two passes")
	f.Duration("clock-grace", 2*time.Minute, "how long after its end, by the local clock, a workload may run while the chain can't be reached")
	f.Duration("renewal-grace", time.Hour, "the same for a subscription, which the chain may have renewed meanwhile")
	f.Duration("prepare-ahead", time.Hour, "how long before its start the image of a reserved rental is pulled")
	f.Duration("retention", time.Hour, "how long the log and results of a workload that ended by itself are kept after the rental")
	f.Uint64("cpu-millis-per-gpu", 0, "thousandths of a CPU that come with one GPU; 0 divides the machine's by its GPUs")
	f.Uint64("memory-mib-per-gpu", 0, "memory that comes with one GPU; 0 divides the machine's by its GPUs")
	f.Uint64("disk-mib-per-gpu", 0, "disk that comes with one GPU; 0 divides what is free under --home by the GPUs")
	f.String("log-level", "info", "debug, info, warn or error")
	f.String("log-format", "text", "text or json")
}

// source is a map of values as koanf loads it.
type source map[string]any

// ReadBytes implements koanf.Provider; it is not used.
func (source) ReadBytes() ([]byte, error) { return nil, errors.New("not supported") }

// Read implements koanf.Provider.
func (s source) Read() (map[string]any, error) { return s, nil }

// loadConfig merges defaults, file, environment and flags, in this order.
func loadConfig(f *pflag.FlagSet, environ []string) (config, error) {
	k := koanf.New("/") // a delimiter that no name has
	defaults, changed := source{}, source{}
	f.VisitAll(func(flag *pflag.Flag) {
		into := defaults
		if flag.Changed {
			into = changed
		}
		into[flag.Name] = flagValue(flag)
	})
	env := source{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if rest, ok := strings.CutPrefix(name, "GRAFI_EXECUTOR_"); ok {
			env[strings.ToLower(strings.ReplaceAll(rest, "_", "-"))] = value
		}
	}
	path, err := f.GetString("config")
	if err != nil {
		return config{}, err
	}
	if v, ok := env["config"].(string); ok && !f.Changed("config") {
		path = v
	}
	file, err := fileSource(path)
	if err != nil {
		return config{}, err
	}
	for _, s := range []source{defaults, file, env, changed} {
		for name := range s {
			if f.Lookup(name) == nil {
				return config{}, usageError{fmt.Errorf("configuration: unknown name %q", name)}
			}
		}
		if err := k.Load(s, nil); err != nil {
			return config{}, err
		}
	}
	var c config
	if err := k.Unmarshal("", &c); err != nil {
		return config{}, usageError{fmt.Errorf("configuration: %w", err)}
	}
	return c, c.validate()
}

func flagValue(flag *pflag.Flag) any {
	if s, ok := flag.Value.(pflag.SliceValue); ok {
		return s.GetSlice()
	}
	return flag.Value.String()
}

func fileSource(path string) (source, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError{fmt.Errorf("--config: %w", err)}
	}
	var s source
	if err := yaml.Unmarshal(raw, &s); err != nil {
		return nil, usageError{fmt.Errorf("--config %s: %w", path, err)}
	}
	return s, nil
}

func (c *config) validate() error {
	home, err := filepath.Abs(c.Home)
	if err != nil {
		return err
	}
	c.Home = home
	if c.WorkloadDir == "" {
		c.WorkloadDir = filepath.Join(home, "workloads")
	}
	if c.WorkloadDir, err = filepath.Abs(c.WorkloadDir); err != nil {
		return err
	}
	check := func(ok bool, format string, args ...any) {
		if !ok && err == nil {
			err = usageError{fmt.Errorf(format, args...)}
		}
	}
	check(len(c.Node) > 0, "--node: none given, want at least one RPC endpoint")
	check(c.Engine == engineAuto || c.Engine == engineOCI || c.Engine == engineProcess,
		"--engine: got %q, want auto, oci or process", c.Engine)
	check(c.Engine != engineProcess || c.AllowUnisolated,
		"--engine process: its workloads are not isolated; it runs only with --allow-unisolated")
	check(c.Interval >= 100*time.Millisecond && c.Interval <= 30*time.Second,
		"--reconcile-interval: got %s, want 100ms to 30s (the agent believes a report for 90s)", c.Interval)
	check(c.ClockGrace >= 0, "--clock-grace: got %s, want 0 or more", c.ClockGrace)
	check(c.RenewalGrace >= 0, "--renewal-grace: got %s, want 0 or more", c.RenewalGrace)
	check(c.PrepareAhead >= 0, "--prepare-ahead: got %s, want 0 or more", c.PrepareAhead)
	check(c.Retention >= 0, "--retention: got %s, want 0 or more", c.Retention)
	return err
}

func (c *config) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, usageError{fmt.Errorf("--log-level: got %q, want debug, info, warn or error", c.LogLevel)}
	}
	options := &slog.HandlerOptions{Level: level}
	switch c.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(os.Stderr, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, options)), nil
	}
	return nil, usageError{fmt.Errorf("--log-format: got %q, want text or json", c.LogFormat)}
}
