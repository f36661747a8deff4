package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/types"
)

func TestClassesWith(t *testing.T) {
	f := newFixture(t)
	all, err := f.k.ClassesWith(f.ctx, 0, 0)
	require.NoError(t, err)
	require.NotEmpty(t, all)
	for _, least := range []struct{ memory, weight uint64 }{{40_000, 0}, {0, 5_000_000}, {140_000, 12_000_000}, {1 << 40, 0}} {
		keys, err := f.k.ClassesWith(f.ctx, least.memory, least.weight)
		require.NoError(t, err)
		var want []string
		gs, err := f.k.ExportGenesis(f.ctx)
		require.NoError(t, err)
		for _, c := range gs.Classes {
			if c.MinMemoryMib >= least.memory && c.WeightPpm >= least.weight {
				want = append(want, c.Key)
			}
		}
		require.Equal(t, want, keys, "%+v", least)
	}
}

func TestHostReliabilityOfAHostOfToday(t *testing.T) {
	f := newFixture(t)
	ppm, err := f.k.HostReliability(f.ctx, &types.Host{Id: 1, GpuCount: 2})
	require.NoError(t, err)
	require.Zero(t, ppm)
}
