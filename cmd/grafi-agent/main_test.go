package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"

	"github.com/grafilab/grafi/agent/service"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

const operator = "grafi1xn3xxga8hx8r3m8pd970xrgljxap95v8xnn5ps"

// do runs a command line and returns what it printed and its exit code.
func do(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	root := rootCmd()
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&errs)
	if err := root.ExecuteContext(t.Context()); err != nil {
		errs.WriteString(err.Error())
		code = exitCode(err)
	}
	return out.String(), errs.String(), code
}

func newHome(t *testing.T) string {
	t.Helper()
	home := filepath.Join(t.TempDir(), "home")
	_, stderr, code := do(t, "init", "--home", home, "--chain-id", "grafi-test-1", "--gpu-source", "sim", "--node", "http://127.0.0.1:1")
	require.Zero(t, code, stderr)
	return home
}

func TestEveryCommandHasAnExampleAndHelp(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		require.NotEmpty(t, c.Example, c.CommandPath())
		require.NotEmpty(t, c.Short, c.CommandPath())
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(rootCmd())
}

func TestInitKeepsWhatIsThere(t *testing.T) {
	home := newHome(t)
	read := func() (files []string) {
		for _, f := range []string{"config.yaml", "keys/agent.key", "keys/encryption.key", "keys/fee.key"} {
			raw, err := os.ReadFile(filepath.Join(home, f))
			require.NoError(t, err)
			files = append(files, string(raw))
		}
		return files
	}
	before := read()
	stdout, stderr, code := do(t, "init", "--home", home, "--chain-id", "other-1", "--output", "json")
	require.Zero(t, code, stderr)
	require.Equal(t, before, read())
	var res initResult
	require.NoError(t, json.Unmarshal([]byte(stdout), &res))
	require.Len(t, res.Kept, 4)
	require.True(t, strings.HasPrefix(res.FeeAddress, "grafi1"))
}

func TestInitImportsAFeeKey(t *testing.T) {
	home, file := t.TempDir(), filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("0", 63)+"1\n"), 0o600))
	stdout, stderr, code := do(t, "init", "--home", home, "--chain-id", "c-1", "--import-fee-key", file, "-o", "json")
	require.Zero(t, code, stderr)
	// The address of the private key 1, computed with other software.
	require.Contains(t, stdout, "grafi1w508d6qejxtdg4y5r3zarvary0c5xw7k")
}

func TestShowRegistration(t *testing.T) {
	home := newHome(t)
	args := []string{"show-registration", "--home", home, "--operator", operator, "--region", "DE", "--endpoint", "https://a.example:8443"}
	stdout, stderr, code := do(t, args...)
	require.Zero(t, code, stderr)
	require.Contains(t, stderr, service.SimNotice)
	registry := codectypes.NewInterfaceRegistry()
	attestation.RegisterInterfaces(registry)
	cdc := codec.NewProtoCodec(registry)
	var msg attestation.MsgRegisterHost
	require.NoError(t, cdc.UnmarshalJSON([]byte(stdout), &msg))
	binding := attestation.NewAgentKeyBinding("grafi-test-1", operator, 0, msg.AgentKey, msg.EncryptionKey)
	signBytes, err := binding.SignBytes()
	require.NoError(t, err)
	require.True(t, attestation.Verify(msg.AgentKey, signBytes, msg.AgentSignature))

	stdout, stderr, code = do(t, append(args, "--tx", "--gas", "100000")...)
	require.Zero(t, code, stderr)
	var tx txtypes.Tx
	require.NoError(t, cdc.UnmarshalJSON([]byte(stdout), &tx))
	require.Equal(t, "1000ugrafi", tx.AuthInfo.Fee.Amount.String(), "100,000 gas at 0.01 ugrafi")
	require.Equal(t, &msg, tx.Body.Messages[0].GetCachedValue())
}

func TestRotateKey(t *testing.T) {
	home := newHome(t)
	args := []string{"rotate-key", "--home", home, "--operator", operator, "--host-id", "7"}
	first, stderr, code := do(t, args...)
	require.Zero(t, code, stderr)
	again, _, code := do(t, args...)
	require.Zero(t, code)
	require.Equal(t, first, again, "the next key is made once")
	require.FileExists(t, filepath.Join(home, "keys", "agent-next.key"))
}

func TestExitCodes(t *testing.T) {
	home := newHome(t)
	bad := newHome(t)
	require.NoError(t, os.Chmod(filepath.Join(bad, "keys", "agent.key"), 0o644))
	tests := map[string]struct {
		args []string
		code int
		want string
	}{
		"help":                   {[]string{"--help"}, 0, ""},
		"version":                {[]string{"version", "-o", "json"}, 0, ""},
		"unknown command":        {[]string{"fly"}, exitUsage, "fly"},
		"unknown flag":           {[]string{"run", "--colour"}, exitUsage, "colour"},
		"arguments":              {[]string{"status", "now"}, exitUsage, "now"},
		"output":                 {[]string{"status", "--output", "xml"}, exitUsage, "xml"},
		"bad setting":            {[]string{"run", "--home", home, "--sim-gpus", "0"}, exitUsage, "sim-gpus"},
		"bad log level":          {[]string{"run", "--home", home, "--log-level", "loud"}, exitUsage, "loud"},
		"init without a chain":   {[]string{"init", "--home", t.TempDir()}, exitUsage, "--chain-id"},
		"run without keys":       {[]string{"run", "--home", t.TempDir(), "--chain-id", "c"}, exitFailure, "grafi-agent init"},
		"run with an open key":   {[]string{"run", "--home", bad}, exitFailure, "0644"},
		"registration, no owner": {[]string{"show-registration", "--home", home}, exitUsage, "is required"},
		"status without agent":   {[]string{"status", "--home", home}, exitAbsent, "no agent answers"},
		"doctor without a chain": {[]string{"doctor", "--home", home}, exitFailure, "something is wrong"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := do(t, tc.args...)
			require.Equal(t, tc.code, code, stderr)
			require.Contains(t, stderr, tc.want)
		})
	}
}

func TestDoctorSaysHowToMend(t *testing.T) {
	stdout, _, _ := do(t, "doctor", "--home", newHome(t), "--output", "json")
	var findings []finding
	require.NoError(t, json.Unmarshal([]byte(stdout), &findings))
	for _, f := range findings {
		if f.Level != levelOK {
			require.NotEmpty(t, f.Mend, "%+v", f)
		}
	}
}
