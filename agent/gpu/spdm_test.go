package gpu

import (
	"bytes"
	"encoding/hex"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func vector(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../../testutil/golden/nvidia/" + name)
	require.NoError(t, err)
	return bytes.TrimSpace(b)
}

// TestPublishedChains parses every chain that NVIDIA published.
func TestPublishedChains(t *testing.T) {
	for _, name := range []string{"hopper-a", "hopper-b", "blackwell-a"} {
		text := vector(t, name+".chain.pem")
		chain, err := parseChain(text)
		require.NoError(t, err, name)
		require.Len(t, chain, 4, "leaf, BROM, provisioner, architecture; not the root")

		padded := append(append([]byte(nil), text...), make([]byte, 5)...)
		again, err := parseChain(padded)
		require.NoError(t, err, "NULs after the text")
		require.Equal(t, chain, again)

		spdm, err := hex.DecodeString(string(vector(t, name+".report.hex")))
		require.NoError(t, err)
		require.NoError(t, checkSPDM(spdm, [32]byte(spdm[4:36])))
	}
}

func TestChainRefused(t *testing.T) {
	const begin = "-----BEGIN CERTIFICATE-----"
	text := vector(t, "hopper-a.chain.pem")
	parts := bytes.Split(text, []byte(begin))[1:] // leaf … root
	join := func(order ...int) []byte {
		var out []byte
		for _, i := range order {
			out = append(append(out, begin...), parts[i]...)
			out = append(bytes.TrimRight(out, "\n"), '\n')
		}
		return out
	}
	_, err := parseChain(join(0, 1, 2, 3))
	require.NoError(t, err, "a chain may end below the root")
	for name, tc := range map[string]struct {
		chain []byte
		says  string
	}{
		"empty":             {nil, "no certificates"},
		"not PEM":           {[]byte("hello"), "is not PEM"},
		"cut off":           {text[:len(text)-100], "is not PEM"},
		"root first":        {join(4, 3, 2, 1, 0), "want it last"},
		"one left out":      {join(0, 2, 3), "certificate 1 did not issue"},
		"more after root":   {join(0, 1, 2, 3, 4, 0), "want it last"},
		"bytes of no sense": {[]byte(begin + "\nAAAA\n-----END CERTIFICATE-----\n"), "certificate 0"},
	} {
		_, err := parseChain(tc.chain)
		require.ErrorIs(t, err, ErrBadReport, name)
		require.ErrorContains(t, err, tc.says, name)
	}
}

func TestSPDMRefused(t *testing.T) {
	spdm, err := hex.DecodeString(string(vector(t, "hopper-a.report.hex")))
	require.NoError(t, err)
	nonce := [32]byte(spdm[4:36])
	for name, tc := range map[string]struct {
		edit func([]byte) []byte
		says string
	}{
		"empty":         {func([]byte) []byte { return nil }, "0 bytes"},
		"request only":  {func(b []byte) []byte { return b[:37] }, "37 bytes"},
		"response only": {func(b []byte) []byte { return b[37:] }, "starts with 1160"},
		"SPDM 1.2":      {func(b []byte) []byte { b[0] = 0x12; return b }, "starts with 12e0"},
		"an SPDM error": {func(b []byte) []byte { b[38] = 0x7f; return b }, "answer starts with 117f"},
		"other nonce":   {func(b []byte) []byte { b[4] ^= 1; return b }, "over nonce"},
	} {
		err := checkSPDM(tc.edit(bytes.Clone(spdm)), nonce)
		require.ErrorIs(t, err, ErrBadReport, name)
		require.ErrorContains(t, err, tc.says, name)
	}
}
