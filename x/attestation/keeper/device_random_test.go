package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/attestation/device/devicetest"
)

// TestDevicesAtRandom: whatever is sent in whatever order, the records agree, what is
// refused leaves no trace, a die answers for one GPU at most, and a chain that starts
// from an export has the same state.
func TestDevicesAtRandom(t *testing.T) {
	chips := make([]*devicetest.Chip, 6)
	for i := range chips {
		chips[i] = issuer.Chip([]string{"GH100", "GB100", "GB202"}[i%3], i/3, "firmware")
	}
	rapid.Check(t, func(rt *rapid.T) {
		gs := genesis()
		gs.Params.Device.MaxCachedCertificates = uint32(rapid.IntRange(1, 6).Draw(rt, "cap"))
		f := newFixtureWith(t, gs)
		hosts := []uint64{f.register(2), f.register(2)}
		for range rapid.IntRange(5, 15).Draw(rt, "steps") {
			host := rapid.SampledFrom(hosts).Draw(rt, "host")
			c := rapid.SampledFrom(chips).Draw(rt, "chip")
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				f.at(f.ctx.BlockTime().Add(time.Duration(rapid.IntRange(1, 4*24*3600).Draw(rt, "seconds")) * time.Second))
				f.endBlock()
			case 1:
				serial := parsed(c)[rapid.IntRange(0, 3).Draw(rt, "position")].Serial
				_ = f.k.SetRevocation(f.ctx, serial, rapid.Bool().Draw(rt, "revoked"), "leaked")
			case 2:
				gpus := h100s(host, rapid.IntRange(1, 2).Draw(rt, "gpus"))
				gpus[0].Uuid += rapid.SampledFrom([]string{"", "x"}).Draw(rt, "card")
				_, _ = f.k.UpdateInventory(f.ctx, operator, host, gpus)
			default:
				f.next()
				f.sendAtRandom(rt, c, host, uint32(rapid.IntRange(0, 1).Draw(rt, "ordinal")))
			}
			f.sound()
		}
		exported := f.state()
		g := emptyFixture(t)
		g.ctx = g.ctx.WithBlockTime(f.ctx.BlockTime())
		require.NoError(rt, g.k.InitGenesis(g.ctx, exported))
		require.Equal(rt, exported, g.state())
		g.sound()
	})
}

// sendAtRandom sends a report, whole or shortened, good or not.
func (f *fixture) sendAtRandom(rt *rapid.T, c *devicetest.Chip, host uint64, ordinal uint32) {
	report := f.claim(c, host, ordinal)
	full := report.Certificates
	switch rapid.IntRange(0, 3).Draw(rt, "certificates") {
	case 0:
		report.Certificates = [][]byte{full[0], full[1], digestOf(full[2])}
	case 1:
		report.Certificates = [][]byte{digestOf(full[0])}
	}
	forged := rapid.IntRange(0, 7).Draw(rt, "forged") == 0
	if forged {
		report.Report[len(report.Report)-1] ^= 1
	}
	before, slashes := f.state(), len(f.staking.slashes)
	resp, err := f.send(report)
	switch {
	case err != nil:
		require.Equal(rt, before, f.state())
		require.Len(rt, f.staking.slashes, slashes)
	case forged:
		require.False(rt, resp.Accepted)
		require.Equal(rt, before.Devices, f.state().Devices)
		require.Len(rt, f.staking.slashes, slashes+1)
	default:
		d, err := f.k.DeviceOf(f.ctx, host, ordinal)
		require.NoError(rt, err)
		require.Equal(rt, serialOf(c), d.Serial)
		for _, old := range before.Devices {
			if string(old.Serial) == string(d.Serial) && old.ExpiresAt.After(f.ctx.BlockTime()) {
				require.Equal(rt, [2]uint64{old.HostId, uint64(old.Ordinal)}, [2]uint64{host, uint64(ordinal)}, "a die moved while it was registered")
			}
		}
	}
}
