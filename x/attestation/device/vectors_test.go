package device_test

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/device"
)

func golden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "testutil", "golden", "nvidia", name))
	require.NoError(t, err)
	return data
}

func chainOf(t testing.TB, name string) [][]byte {
	t.Helper()
	chain, err := device.DecodeChain(golden(t, name+".chain.pem"))
	require.NoError(t, err)
	return chain
}

func reportOf(t testing.TB, name string) []byte {
	t.Helper()
	report, err := device.DecodeReport(golden(t, name+".report.hex"))
	require.NoError(t, err)
	return report
}

// nonceOf reads the nonce where DSP0274 puts it: after the four bytes of the header.
func nonceOf(report []byte) [device.NonceSize]byte { return [device.NonceSize]byte(report[4:]) }

// TestGenuineReports: what NVIDIA publishes verifies. The wanted values were read
// with openssl and by hand.
func TestGenuineReports(t *testing.T) {
	tests := map[string]struct {
		serial, chip, architecture, driver, vbios string
		fwid                                      bool
		opaque                                    int
	}{
		"hopper-a":    {serial: "41431d480fe5e87274", chip: "GH100", architecture: device.Hopper, driver: "550.90.07", vbios: "96.00.9F.00.01", fwid: true, opaque: 14},
		"hopper-b":    {serial: "416a5fafcbd9fa5ca3", chip: "GH100", architecture: device.Hopper, driver: "535.86.09", vbios: "96.00.5E.00.01", opaque: 12},
		"blackwell-a": {serial: "41e6de55c3bdc14277", chip: "GB100", architecture: device.Blackwell, driver: "575.32", vbios: "97.00.88.00.0F", fwid: true, opaque: 15},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			report, chain := reportOf(t, name), chainOf(t, name)
			require.Len(t, chain, 5)

			got, err := device.Verify(device.NVIDIA(), report, chain, nonceOf(report))

			require.NoError(t, err)
			require.Equal(t, tc.serial, hex.EncodeToString(got.Chain.Serial()))
			require.Equal(t, tc.chip, got.Chain.Chip())
			require.Equal(t, tc.architecture, got.Chain.Architecture())
			require.Equal(t, tc.driver, got.Report.Driver)
			require.Equal(t, tc.vbios, got.Report.VBIOS)
			require.Equal(t, tc.fwid, got.Report.FWID != nil)
			require.Len(t, got.Chain.Leaf().FWID, device.DigestSize)
			require.Len(t, got.Report.Measurements, 64)
			require.Equal(t, uint8(64), got.Report.Measurements[63].Index)
			require.Len(t, got.Report.Measurements[63].Value, 48)
			require.Len(t, got.Report.Opaque, tc.opaque)

			_, err = device.Verify(device.NVIDIA(), report, chain[:4], nonceOf(report))
			require.NoError(t, err, "without the root")
		})
	}
}

func TestBadReports(t *testing.T) {
	report, chain := reportOf(t, "hopper-a"), chainOf(t, "hopper-a")
	nonce := nonceOf(report)
	verify := func(report []byte, chain [][]byte, nonce [32]byte) error {
		_, err := device.Verify(device.NVIDIA(), report, chain, nonce)
		return err
	}
	bad := reportOf(t, "hopper-badsig")
	for _, name := range []string{"hopper-a", "hopper-b", "blackwell-a"} {
		require.ErrorIs(t, verify(bad, chainOf(t, name), nonceOf(bad)), device.ErrSignature)
	}
	require.ErrorIs(t, verify(reportOf(t, "hopper-b"), chain, nonceOf(reportOf(t, "hopper-b"))), device.ErrSignature, "of another die")
	require.ErrorIs(t, verify(report, chain, [32]byte{}), device.ErrNonce)
	require.ErrorIs(t, verify(report, chain, nonceOf(reportOf(t, "hopper-b"))), device.ErrNonce)
	require.ErrorIs(t, verify(append(report[:len(report):len(report)], 0), chain, nonce), device.ErrMalformed)
	for n := range report {
		_, err := device.ParseReport(report[:n])
		require.ErrorIs(t, err, device.ErrMalformed, n)
	}
}

func TestFirmwareIdentity(t *testing.T) {
	report := reportOf(t, "hopper-a")
	certificate, err := device.ParseCertificate(chainOf(t, "hopper-a")[0])
	require.NoError(t, err)
	other := make([]byte, device.DigestSize)
	for _, fwid := range [][]byte{nil, other} {
		leaf := device.Leaf{Key: certificate.Key, FWID: fwid}
		_, err = leaf.VerifyReport(report, nonceOf(report))
		require.ErrorIs(t, err, device.ErrFirmware)
	}
	_, err = device.Leaf{Key: certificate.Key[1:]}.VerifyReport(report, nonceOf(report))
	require.ErrorIs(t, err, device.ErrMalformed)
}

// TestBrokenChains: every way to put genuine certificates together but the right one.
func TestBrokenChains(t *testing.T) {
	report, a := reportOf(t, "hopper-a"), chainOf(t, "hopper-a")
	b, blackwell := chainOf(t, "hopper-b"), chainOf(t, "blackwell-a")
	require.Equal(t, a[2:], b[2:], "of one intermediate")
	tests := map[string]struct {
		chain [][]byte
		want  error
	}{
		"none":                        {nil, device.ErrChain},
		"leaf only":                   {a[:1], device.ErrChain},
		"without the leaf":            {a[1:], device.ErrChain},
		"without the die":             {[][]byte{a[0], a[2], a[3]}, device.ErrChain},
		"without an intermediate":     {[][]byte{a[0], a[1], a[3]}, device.ErrChain},
		"without the top":             {a[:3], device.ErrChain},
		"root first":                  {[][]byte{a[4], a[3], a[2], a[1], a[0]}, device.ErrChain},
		"intermediates swapped":       {[][]byte{a[0], a[1], a[3], a[2]}, device.ErrChain},
		"an intermediate twice":       {[][]byte{a[0], a[1], a[2], a[2], a[3]}, device.ErrChain},
		"root twice":                  {append(a[:5:5], a[4]), device.ErrChain},
		"leaf of another die":         {[][]byte{b[0], a[1], a[2], a[3]}, device.ErrChain},
		"die of another leaf":         {[][]byte{a[0], b[1], a[2], a[3]}, device.ErrChain},
		"top of another architecture": {[][]byte{a[0], a[1], a[2], blackwell[3]}, device.ErrChain},
		"too many":                    {append(append(a[:5:5], a...), a...), device.ErrChain},
		"an empty one":                {[][]byte{a[0], {}, a[2], a[3]}, device.ErrMalformed},
		"a byte more":                 {[][]byte{append(a[0][:len(a[0]):len(a[0])], 0), a[1], a[2], a[3]}, device.ErrMalformed},
		"whole chain of another die":  {b, device.ErrSignature},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := device.Verify(device.NVIDIA(), report, tc.chain, nonceOf(report))
			require.ErrorIs(t, err, tc.want)
		})
	}
}

func TestPinnedRoot(t *testing.T) {
	chain, err := device.DecodeChain(golden(t, "device_root.pem"))
	require.NoError(t, err)
	require.Equal(t, chain[0], device.NVIDIA().Certificate().Raw)
	digest := device.NVIDIA().Certificate().Digest()
	require.Equal(t, "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48", hex.EncodeToString(digest[:]))

	_, err = device.NewRoot(chainOf(t, "hopper-a")[3])
	require.ErrorIs(t, err, device.ErrChain, "an intermediate is no root")
}

func TestFiles(t *testing.T) {
	pem := golden(t, "device_root.pem")
	for name, text := range map[string]string{
		"empty":        "",
		"other block":  "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
		"text after":   string(pem) + "more",
		"broken armor": string(pem[:len(pem)-10]),
	} {
		_, err := device.DecodeChain([]byte(text))
		require.ErrorIs(t, err, device.ErrMalformed, name)
	}
	_, err := device.DecodeReport([]byte("11e"))
	require.ErrorIs(t, err, device.ErrMalformed)
	raw, err := device.DecodeReport([]byte(" 11\ne0 \n"))
	require.NoError(t, err)
	require.Equal(t, []byte{0x11, 0xe0}, raw)
}
