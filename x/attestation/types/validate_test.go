package types_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/attestation/types"
)

func TestRegions(t *testing.T) {
	for _, ok := range []string{"DE", "US-CA", "MY-14", "GB-ENG", "FR-2A", "AT-9"} {
		require.NoError(t, types.ValidateRegion(ok), ok)
	}
	for _, bad := range []string{"", "D", "DEU", "de", "DE-", "US-ca", "US-ABCD", "US_CA", "1E", "DÉ", "US-C\x00"} {
		require.ErrorIs(t, types.ValidateRegion(bad), types.ErrInvalidRegion, "%q", bad)
	}
}

func TestEndpoints(t *testing.T) {
	for _, ok := range []string{
		"https://a", "https://gpu1.example.com", "https://gpu1.example.com:8443", "https://10.0.0.1:443", "https://[2001:db8::1]",
		"https://[::ffff:10.0.0.1]:1", "https://a-b.c:65535", "https://127.0.0.1:65535",
	} {
		require.NoError(t, types.ValidateEndpoint(ok), ok)
	}
	for _, bad := range []string{
		"", "https://", "http://a", "HTTPS://a", "https://a/", "https://a/b", "https://a?b", "https://a#b", "https://u@a", "https://u:p@a",
		"https://a:0", "https://a:65536", "https://a:", "https://a:08", "https://a:+8", "https://:443", "https://-a", "https://a-", "https://a..b",
		"https://a-.b", "https://.a", "https://a.", "https://a b", "https://ä", "https://[::1", "https://[]", "https://[zz::1]", "https://a:b:1",
		"https://" + strings.Repeat("a", 64), "https://" + strings.Repeat("a.", 130) + "a",
	} {
		require.ErrorIs(t, types.ValidateEndpoint(bad), types.ErrInvalidEndpoint, "%q", bad)
	}
}

func TestValidatorsNeverPanic(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.String().Draw(rt, "s")
		_ = types.ValidateRegion(s)
		_ = types.ValidateEndpoint("https://" + s)
		_ = types.ValidateEndpoint(s)
		_ = types.ValidateAgentKey([]byte(s))
		_ = types.ValidateDown([]byte(s), rapid.Uint32().Draw(rt, "gpus"))
	})
}

func TestParams(t *testing.T) {
	require.NoError(t, types.DefaultParams().Validate())
	for name, change := range map[string]func(*types.Params){
		"slot of 0 s":                   func(p *types.Params) { p.SlotSeconds = 0 },
		"slot over an hour":             func(p *types.Params) { p.SlotSeconds = 3_601 },
		"256 slots a day":               func(p *types.Params) { p.SlotsPerDay = 256 },
		"no window":                     func(p *types.Params) { p.SubmitWindow = 0 },
		"negative window":               func(p *types.Params) { p.SubmitWindow = -time.Second },
		"window over a day":             func(p *types.Params) { p.SubmitWindow = 24*time.Hour + 1 },
		"no bitmap days":                func(p *types.Params) { p.BitmapDays = 0 },
		"counters shorter than bitmaps": func(p *types.Params) { p.CounterDays = p.BitmapDays },
		"no GPUs":                       func(p *types.Params) { p.MaxGpusPerHost = 0 },
		"more GPUs than a bucket":       func(p *types.Params) { p.MaxGpusPerHost = 4_097 },
		"no batch":                      func(p *types.Params) { p.MaxBatch = 0 },
		"huge batch":                    func(p *types.Params) { p.MaxBatch = 1<<32 - 1 },
		"free attestations":             func(p *types.Params) { p.AttestationGas = 0 },
		"gas that overflows":            func(p *types.Params) { p.AttestationGas = 1 << 60 },
		"no time-lock":                  func(p *types.Params) { p.ClassTimeLock = 0 },
		"weights move over 100 %":       func(p *types.Params) { p.MaxWeightChangePpm = types.PPM + 1 },
		"evidence over unbonding":       func(p *types.Params) { p.EvidenceMaxAge = types.MaxEvidenceAge + 1 },
		"evidence under a slot":         func(p *types.Params) { p.EvidenceMaxAge = time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			p := types.DefaultParams()
			change(&p)
			require.ErrorIs(t, p.Validate(), types.ErrInvalidParams)
		})
	}
}
