package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
)

// proven is a network in which every GPU of host 3 passed a challenge on the first
// day, and four operators measured the host on it. It is the day after.
func proven(t *testing.T, change ...func(*types.GenesisState)) *probeFixture {
	t.Helper()
	f := newProbeFixture(t)
	f.day(3, map[uint64]uint64{1: 400, 2: 500, 4: 600, 5: 700})
	gs := f.state()
	for ordinal := range uint32(2) {
		gs.ComputeProofs = append(gs.ComputeProofs, types.ComputeProof{
			HostId: 3, Ordinal: ordinal, RecentGops: []uint64{700_000}, ProvenAt: start.Add(time.Hour),
			Days: []types.DayResults{{Day: startSlot / 144, Passed: 5, Missed: ordinal}},
		})
	}
	for _, c := range change {
		c(&gs)
	}
	again := &probeFixture{fixture: emptyFixture(t), slotNow: f.slotNow}
	again.ctx = again.ctx.WithBlockTime(f.ctx.BlockTime())
	require.NoError(t, again.k.InitGenesis(again.ctx, gs))
	again.fixture.staking.operators = f.staking.operators
	return again
}

func TestTiers(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*types.GenesisState)
		then   func(*probeFixture)
		want   []uint32 // of the GPUs
	}{
		"proven, witnessed and bonded": {want: []uint32{2, 2}},
		"one GPU was never challenged": {
			change: func(gs *types.GenesisState) { gs.ComputeProofs = gs.ComputeProofs[1:] }, want: []uint32{0, 2},
		},
		"the proof is too old": {
			change: func(gs *types.GenesisState) {
				gs.ComputeProofs[0].ProvenAt = start.Add(24*time.Hour - gs.Params.Challenge.ProofMaxAge - time.Second)
			}, want: []uint32{0, 2},
		},
		"not witnessed": {change: func(gs *types.GenesisState) { gs.Connections = nil }, want: []uint32{1, 1}},
		"witnessed by too few": {
			change: func(gs *types.GenesisState) { gs.Params.Probe.MinOperators = 5 }, want: []uint32{1, 1},
		},
		"witnessed too long ago": {
			then: func(f *probeFixture) { f.ctx = f.ctx.WithBlockTime(start.Add(4 * 24 * time.Hour)) }, want: []uint32{1, 1},
		},
		"the last day that it counts": {
			then: func(f *probeFixture) { f.ctx = f.ctx.WithBlockTime(start.Add(4*24*time.Hour - time.Second)) }, want: []uint32{2, 2},
		},
		"under the requirement": {
			then: func(f *probeFixture) { f.fixture.staking.uncovered = map[string]bool{string(prober(3)): true} }, want: []uint32{1, 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var changes []func(*types.GenesisState)
			if tc.change != nil {
				changes = append(changes, tc.change)
			}
			f := proven(t, changes...)
			if tc.then != nil {
				tc.then(f)
			}
			resp, err := keeper.NewQueryServer(f.k).Proofs(f.ctx, &types.QueryProofsRequest{HostId: 3})
			require.NoError(t, err)
			require.Len(t, resp.Gpus, 2)
			for i, want := range tc.want {
				require.Equal(t, want, resp.Gpus[i].TrustTier, "GPU %d: %+v", i, resp.Gpus[i])
				tier, err := f.k.GPUTier(f.ctx, 3, uint32(i))
				require.NoError(t, err)
				require.Equal(t, want, tier)
			}
			tier, err := f.k.TrustTier(f.ctx, 3)
			require.NoError(t, err)
			require.Equal(t, min(tc.want[0], tc.want[1]), tier)
			require.Equal(t, tier, resp.TrustTier)
		})
	}
	f := proven(t)
	for _, hostID := range []uint64{1, 6} {
		tier, err := f.k.TrustTier(f.ctx, hostID)
		require.NoError(t, err)
		require.Zero(t, tier, "host %d has nothing but a declaration", hostID)
	}
	_, err := f.k.GPUTier(f.ctx, 3, 2)
	require.ErrorIs(t, err, types.ErrGPUNotFound)
}

// TestHostFacts: what a day reads of a host.
func TestHostFacts(t *testing.T) {
	f := proven(t)
	day := uint64(startSlot/144 + 1)
	facts, err := f.k.HostFacts(f.ctx, 3, day)
	require.NoError(t, err)
	require.Equal(t, types.Connection{Day: day - 1, UpMbps: 500, DownMbps: 500, Operators: 4}, facts.Connection)
	require.EqualValues(t, 80, facts.GPUs[0].Gpu.MemoryGiB())
	for i, missed := range []uint32{0, 1} {
		g := facts.GPUs[i]
		require.True(t, g.Challenged)
		require.Equal(t, [3]uint32{5, missed, 0}, [3]uint32{g.Passed, g.Missed, g.Wrong})
	}
	// Nothing of the day itself counts.
	facts, err = f.k.HostFacts(f.ctx, 3, day-1)
	require.NoError(t, err)
	require.Zero(t, facts.Connection)
	require.False(t, facts.GPUs[0].Challenged)
}
