package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/config"
)

func load(t *testing.T, environ []string, args ...string) (config.Config, error) {
	t.Helper()
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(f)
	f.String("output", "text", "a flag of the command and no value of the configuration")
	require.NoError(t, f.Parse(args))
	return config.Load(f, environ)
}

func TestFlagsWinOverEnvironmentWinsOverFile(t *testing.T) {
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, config.FileName),
		[]byte("chain-id: from-file\nsample-every: 5s\nnode: [http://a:1, http://b:2]\nsim-gpus: 3\n"), 0o600))

	c, err := load(t, []string{"GRAFI_AGENT_HOME=" + home, "GRAFI_AGENT_SIM_GPUS=4", "GRAFI_AGENT_DETAIL_EVERY=2", "PATH=/bin"}, "--detail-every=3")
	require.NoError(t, err)
	require.Equal(t, "from-file", c.ChainID)
	require.Equal(t, 5*time.Second, c.SampleEvery)
	require.Equal(t, []string{"http://a:1", "http://b:2"}, c.Node)
	require.Equal(t, 4, c.SimGPUs)
	require.EqualValues(t, 3, c.DetailEvery)
	require.Equal(t, filepath.Join(home, "agent.sock"), c.Socket)
	require.Equal(t, "auto", c.GPUSource)
}

func TestListsInTheEnvironment(t *testing.T) {
	c, err := load(t, []string{"GRAFI_AGENT_NODE=http://a:1,http://b:2"}, "--home", t.TempDir())
	require.NoError(t, err)
	require.Equal(t, []string{"http://a:1", "http://b:2"}, c.Node)
}

func TestWrittenConfigurationIsReadBack(t *testing.T) {
	home := t.TempDir()
	c, err := load(t, nil, "--home", home, "--chain-id", "grafi-1", "--sample-every", "7s", "--node", "http://a:1,http://b:2")
	require.NoError(t, err)
	_, err = c.Write()
	require.NoError(t, err)
	again, err := load(t, nil, "--home", home)
	require.NoError(t, err)
	require.Equal(t, c, again)
	_, err = c.Write()
	require.ErrorIs(t, err, config.ErrExists)
}

func TestRefusals(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	require.NoError(t, os.WriteFile(bad, []byte("colour: red\n"), 0o600))
	tests := map[string]struct {
		env  []string
		args []string
		want string
	}{
		"unknown name in the environment": {env: []string{"GRAFI_AGENT_COLOUR=red"}, want: `environment: unknown name "colour"`},
		"unknown name in the file":        {args: []string{"--config", bad}, want: `file: unknown name "colour"`},
		"no such file":                    {args: []string{"--config", bad + "2"}, want: "no such file"},
		"source":                          {args: []string{"--gpu-source", "rocm"}, want: `gpu-source: got "rocm"`},
		"telemetry to nowhere":            {args: []string{"--telemetry-address", "data"}, want: `telemetry-address: got "data"`},
		"telemetry to anybody":            {args: []string{"--telemetry-address", "data:1", "--telemetry-server-key", "abcd"}, want: `telemetry-server-key: got "abcd"`},
		"telemetry for nobody":            {args: []string{"--telemetry-address", "data:1", "--telemetry-server-key", strings.Repeat("ab", 32)}, want: "telemetry-recipients: none given"},
		"no spool":                        {args: []string{"--telemetry-spool-mib", "0"}, want: "telemetry-spool-mib: got 0"},
		"sim gpus":                        {args: []string{"--sim-gpus", "0"}, want: "sim-gpus: got 0"},
		"metrics for everybody":           {args: []string{"--metrics-listen", ":9464"}, want: "want a loopback address"},
		"metrics on another address":      {args: []string{"--metrics-listen", "10.0.0.1:9464"}, want: "want a loopback address"},
		"sampling too seldom":             {args: []string{"--sample-every", "1m"}, want: "sample-every: got 1m0s"},
		"no number":                       {env: []string{"GRAFI_AGENT_SIM_GPUS=many"}, want: "'sim-gpus' cannot parse"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tc.env, append([]string{"--home", t.TempDir()}, tc.args...)...)
			require.ErrorIs(t, err, config.ErrInvalid)
			require.ErrorContains(t, err, tc.want)
		})
	}
}
