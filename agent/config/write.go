package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// ErrExists means that there is a configuration already.
var ErrExists = errors.New("configuration exists already")

// Write makes the configuration file in the home folder. It never replaces one.
//
// Errors: ErrExists.
func (c Config) Write() (path string, err error) {
	path = filepath.Join(c.Home, FileName)
	values := map[string]any{
		"chain-id": c.ChainID, "node": c.Node, "gas-prices": c.GasPrices, "fee-granter": c.FeeGranter,
		"gpu-source": c.GPUSource, "nvml-library": c.NVMLLibrary, "sim-gpus": c.SimGPUs, "socket": c.Socket,
		"metrics-listen": c.MetricsListen, "sample-every": c.SampleEvery.String(), "detail-every": c.DetailEvery,
		"log-level": c.LogLevel, "log-format": c.LogFormat,
	}
	maps.Copy(values, c.Proofs.values())
	maps.Copy(values, c.Telemetry.values())
	raw, err := yaml.Marshal(values)
	if err != nil {
		return path, err
	}
	if err := os.MkdirAll(c.Home, 0o700); err != nil {
		return path, fmt.Errorf("home folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return path, fmt.Errorf("%w: %s", ErrExists, path)
	}
	if err != nil {
		return path, fmt.Errorf("configuration file: %w", err)
	}
	_, err = f.Write(append([]byte("# grafi-agent; every name is also a flag and, as GRAFI_AGENT_NAME, an environment variable.\n"), raw...))
	return path, errors.Join(err, f.Sync(), f.Close())
}
