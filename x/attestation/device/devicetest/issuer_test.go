package devicetest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/device"
	"github.com/grafilab/grafi/x/attestation/device/devicetest"
)

// TestIssuer: reports verify under the issuer's root and no other, and are the same
// in every run.
func TestIssuer(t *testing.T) {
	issuer := devicetest.NewIssuer("a")
	for name, architecture := range map[string]string{"GH100": device.Hopper, "GB202": device.Blackwell} {
		chip, nonce := issuer.Chip(name, 1, "one"), [32]byte{7}
		report := chip.Report(nonce)

		got, err := device.Verify(issuer.Root(), report, chip.Chain, nonce)
		require.NoError(t, err)
		require.Equal(t, architecture, got.Chain.Architecture())
		require.NotNil(t, got.Report.FWID)
		require.Equal(t, report, devicetest.NewIssuer("a").Chip(name, 1, "one").Report(nonce))
		require.Equal(t, chip.Chain, devicetest.NewIssuer("a").Chip(name, 1, "one").Chain)

		_, err = device.Verify(device.NVIDIA(), report, chip.Chain, nonce)
		require.ErrorIs(t, err, device.ErrChain)
		_, err = device.Verify(devicetest.NewIssuer("b").Root(), report, chip.Chain, nonce)
		require.ErrorIs(t, err, device.ErrChain)

		updated := issuer.Chip(name, 1, "two")
		require.Equal(t, chip.Chain[1:], updated.Chain[1:], "one die with other firmware")
		_, err = device.Verify(issuer.Root(), report, updated.Chain, nonce)
		require.ErrorIs(t, err, device.ErrSignature)
	}
	chip := issuer.Chip("LS10", 1, "one")
	_, err := device.Verify(issuer.Root(), chip.Report([32]byte{}), chip.Chain, [32]byte{})
	require.ErrorIs(t, err, device.ErrNotGPU)
}

// TestPretender: whoever has the key of a genuine leaf can't make dies with it.
func TestPretender(t *testing.T) {
	issuer := devicetest.NewIssuer("a")
	chip := issuer.Pretender(issuer.Chip("GH100", 1, "one"))
	_, err := device.Verify(issuer.Root(), chip.Report([32]byte{1}), chip.Chain, [32]byte{1})
	require.ErrorIs(t, err, device.ErrChain)
	require.ErrorContains(t, err, "may not issue certificates")
}
