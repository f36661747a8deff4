package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/client/cli"
)

func golden(name string) string {
	return filepath.Join("..", "..", "..", "..", "testutil", "golden", "nvidia", name)
}

func TestVerifyReport(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	report, chain := golden("blackwell-a.report.hex"), golden("blackwell-a.chain.pem")
	tests := map[string]struct {
		args []string
		want []string // in the output, or in the error
		fail bool
	}{
		"genuine": {args: []string{report, chain}, want: []string{
			"GB100 (blackwell)", "41e6de55c3bdc14277", "575.32", "97.00.88.00.0F", "certificate 3  NVIDIA GB100 Identity",
		}},
		"its nonce":            {args: []string{report, chain, "--nonce", "931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb"}, want: []string{"verified"}},
		"no firmware identity": {args: []string{golden("hopper-b.report.hex"), golden("hopper-b.chain.pem")}, want: []string{"not reported"}},
		"another nonce":        {args: []string{report, chain, "--nonce", strings.Repeat("00", 32)}, want: []string{"wrong nonce"}, fail: true},
		"half a nonce":         {args: []string{report, chain, "--nonce", "00"}, want: []string{"want 32 bytes in hex"}, fail: true},
		"bad signature":        {args: []string{golden("hopper-badsig.report.hex"), golden("hopper-a.chain.pem")}, want: []string{"wrong report signature"}, fail: true},
		"another chain":        {args: []string{report, golden("hopper-a.chain.pem")}, want: []string{"wrong report signature"}, fail: true},
		"no chain":             {args: []string{report, empty}, want: []string{"empty: malformed: 0 certificates"}, fail: true},
		"no report":            {args: []string{empty, chain}, want: []string{"empty: malformed"}, fail: true},
		"wrong way round":      {args: []string{chain, report}, want: []string{"report is no hex"}, fail: true},
		"no file":              {args: []string{"nowhere", chain}, want: []string{"nowhere"}, fail: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			cmd := cli.VerifyReportCommand()
			cmd.SetOut(&out)
			cmd.SetErr(&out)
			cmd.SetArgs(tc.args)
			err := cmd.Execute()
			said := out.String()
			if tc.fail {
				require.Error(t, err)
				said = err.Error()
			} else {
				require.NoError(t, err)
			}
			for _, want := range tc.want {
				require.Contains(t, said, want)
			}
		})
	}
}
