package keeper_test

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/attestation/device/devicetest"
	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
)

func (f *fixture) cached(c *devicetest.Chip) int {
	f.t.Helper()
	n := 0
	for _, row := range f.state().Certificates {
		for _, raw := range c.Chain {
			if hex.EncodeToString(row.Digest) == hex.EncodeToString(digestOf(raw)) {
				n++
			}
		}
	}
	return n
}

// TestCertificateCache: certificates above the dies' are kept up to the cap; what was
// used longest ago goes, and never before what it issued.
func TestCertificateCache(t *testing.T) {
	gs := genesis()
	gs.Params.Device.MaxCachedCertificates = 4
	f := newFixtureWith(t, gs)
	host := f.register(4)
	chips := make([]*devicetest.Chip, 4)
	for i := range chips { // each of another architecture, and so with two certificates of its own
		chips[i] = issuer.Chip(fmt.Sprintf("GB10%d", i), 1, "firmware")
	}
	for i, c := range chips[:2] {
		f.at(start.Add(time.Duration(i) * time.Minute))
		f.mustSend(f.claim(c, host, uint32(i)))
		f.sound()
	}
	f.at(start.Add(48 * time.Hour))
	report := f.claim(chips[0], host, 0) // the first is used again, a day and more after
	report.Certificates = [][]byte{report.Certificates[0], report.Certificates[1], digestOf(report.Certificates[2])}
	f.mustSend(report)
	used := map[time.Time]int{}
	for _, c := range f.state().Certificates {
		used[c.UsedAt]++
	}
	require.Equal(t, map[time.Time]int{start.Add(time.Minute): 2, f.ctx.BlockTime(): 2}, used)
	f.next()
	f.mustSend(f.claim(chips[2], host, 2))
	require.Equal(t, []int{2, 0, 2}, []int{f.cached(chips[0]), f.cached(chips[1]), f.cached(chips[2])})
	f.sound()

	// A lower cap is reached at the next new certificate; one may go without its issuer.
	params := f.state().Params
	params.Device.MaxCachedCertificates = 3
	require.NoError(t, f.k.UpdateParams(f.ctx, params))
	f.next()
	f.mustSend(f.claim(chips[3], host, 3))
	require.Equal(t, []int{1, 2}, []int{f.cached(chips[0]) + f.cached(chips[2]), f.cached(chips[3])})
	f.sound()

	// What is gone can't be named, and comes back with its bytes.
	f.next()
	report = f.claim(chips[1], host, 1)
	full := report.Certificates
	report.Certificates = [][]byte{full[0], full[1], digestOf(full[2])}
	f.failsWithoutTrace(types.ErrCertificateNotFound, func() error {
		_, err := f.send(report)
		return err
	})
	report.Certificates = full
	f.mustSend(report)
	require.Equal(t, 2, f.cached(chips[1]))
	f.sound()
}

func TestDeviceGenesis(t *testing.T) {
	f := newFixture(t)
	host := f.register(2)
	f.mustSend(f.claim(chip(1), host, 0))
	f.mustSend(f.claim(issuer.Chip("GB100", 1, "x"), host, 1))
	require.NoError(t, f.k.SetRevocation(f.ctx, []byte{1, 2}, true, "leaked"))
	f.next()
	gs := f.state()
	require.Len(t, gs.Devices, 2)
	require.Len(t, gs.Certificates, 4)

	g := emptyFixture(t)
	require.NoError(t, g.k.InitGenesis(g.ctx, gs))
	g.ctx = g.ctx.WithBlockTime(f.ctx.BlockTime())
	require.Equal(t, gs, g.state())
	g.sound()
	require.True(t, g.attestedDevice(host, 1))

	for name, spoil := range map[string]func(gs *types.GenesisState){
		"unknown host":       func(gs *types.GenesisState) { gs.Devices[0].HostId = 9 },
		"unknown GPU":        func(gs *types.GenesisState) { gs.Devices[0].Ordinal = 2 },
		"one GPU twice":      func(gs *types.GenesisState) { gs.Devices[0].Ordinal = gs.Devices[1].Ordinal },
		"order":              func(gs *types.GenesisState) { gs.Devices[0], gs.Devices[1] = gs.Devices[1], gs.Devices[0] },
		"no leaf":            func(gs *types.GenesisState) { gs.Devices[0].Leaf = nil },
		"other chain":        func(gs *types.GenesisState) { gs.Devices[0].Chain = gs.Devices[0].Chain[1:] },
		"ends before":        func(gs *types.GenesisState) { gs.Devices[0].ExpiresAt = gs.Devices[0].RefreshedAt },
		"other operator":     func(gs *types.GenesisState) { gs.Devices[0].Operator = text(other) },
		"other bytes":        func(gs *types.GenesisState) { gs.Certificates[0].Der = gs.Certificates[1].Der },
		"no issuer":          func(gs *types.GenesisState) { gs.Certificates[0].Issuer = make([]byte, 32) },
		"other serial":       func(gs *types.GenesisState) { gs.Certificates[0].Serial = []byte{1} },
		"other depth":        func(gs *types.GenesisState) { gs.Certificates[0].Depth += 2 },
		"too many":           func(gs *types.GenesisState) { gs.Params.Device.MaxCachedCertificates = 3 },
		"revoked, no reason": func(gs *types.GenesisState) { gs.Revocations[0].Reason = "" },
		"revoked twice":      func(gs *types.GenesisState) { gs.Revocations = append(gs.Revocations, gs.Revocations[0]) },
		"no hash":            func(gs *types.GenesisState) { gs.RecentBlocks[0].Hash = nil },
		"blocks in disorder": func(gs *types.GenesisState) { gs.RecentBlocks[1].Height = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			bz, err := gs.Marshal()
			require.NoError(t, err)
			var spoilt types.GenesisState
			require.NoError(t, spoilt.Unmarshal(bz))
			spoil(&spoilt)
			g := emptyFixture(t)
			require.Error(t, g.k.InitGenesis(g.ctx, spoilt))
		})
	}
}

func TestDeviceQueries(t *testing.T) {
	f := newFixture(t)
	host := f.register(2)
	f.next()
	q := keeper.NewQueryServer(f.k)
	nonce, err := q.DeviceNonce(f.ctx, &types.QueryDeviceNonceRequest{HostId: host, Ordinal: 1})
	require.NoError(t, err)
	want := types.DeviceNonce(chainID, operator, public(agentKey(host)), 1, f.ctx.HeaderInfo().Hash, 2)
	require.Equal(t, &types.QueryDeviceNonceResponse{
		Nonce: want[:], Height: 2, BlockHash: f.ctx.HeaderInfo().Hash, AgentKey: public(agentKey(host)),
	}, nonce)
	f.mustSend(f.claim(chip(1), host, 1))
	f.mustSend(f.claim(chip(2), host, 0))
	require.NoError(t, f.k.SetRevocation(f.ctx, []byte{1, 2}, true, "leaked"))

	one, err := q.Device(f.ctx, &types.QueryDeviceRequest{Serial: hex.EncodeToString(serialOf(chip(1)))})
	require.NoError(t, err)
	require.Equal(t, uint32(1), one.Device.Ordinal)
	first, err := q.Devices(f.ctx, &types.QueryDevicesRequest{Pagination: &query.PageRequest{Limit: 1}})
	require.NoError(t, err)
	require.Len(t, first.Devices, 1)
	second, err := q.Devices(f.ctx, &types.QueryDevicesRequest{Pagination: &query.PageRequest{Key: first.Pagination.NextKey}})
	require.NoError(t, err)
	require.Equal(t, f.state().Devices, append(first.Devices, second.Devices...))
	certificates, err := q.Certificates(f.ctx, &types.QueryCertificatesRequest{})
	require.NoError(t, err)
	require.Equal(t, f.state().Certificates, certificates.Certificates)
	revocations, err := q.Revocations(f.ctx, &types.QueryRevocationsRequest{})
	require.NoError(t, err)
	require.Equal(t, f.state().Revocations, revocations.Revocations)
	proofs, err := q.Proofs(f.ctx, &types.QueryProofsRequest{HostId: host})
	require.NoError(t, err)
	require.True(t, proofs.Gpus[1].DeviceAttested)
	require.Equal(t, hex.EncodeToString(serialOf(chip(1))), proofs.Gpus[1].DeviceSerial)

	_, err = q.Device(f.ctx, &types.QueryDeviceRequest{Serial: "4g"})
	require.ErrorContains(t, err, "InvalidArgument")
	_, err = q.DeviceNonce(f.ctx, &types.QueryDeviceNonceRequest{HostId: host, Ordinal: 2})
	require.ErrorContains(t, err, "NotFound")
}
