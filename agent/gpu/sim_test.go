package gpu_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/gpu"
)

func TestSim(t *testing.T) {
	a, err := gpu.NewSim(2, []byte("a"))
	require.NoError(t, err)
	again, err := gpu.NewSim(2, []byte("a"))
	require.NoError(t, err)
	b, err := gpu.NewSim(2, []byte("b"))
	require.NoError(t, err)

	da, _ := a.Devices(t.Context())
	dagain, _ := again.Devices(t.Context())
	db, _ := b.Devices(t.Context())
	require.Equal(t, da, dagain)
	require.NotEqual(t, da[0].UUID, da[1].UUID)
	require.NotEqual(t, da[0].UUID, db[0].UUID)
	require.Equal(t, gpu.SimName, da[0].Name)

	s, err := a.Sample(t.Context())
	require.NoError(t, err)
	require.Equal(t, gpu.KindSim, s.Kind)
	require.True(t, s.Readings[0].Unsupported.Has(gpu.NoUtilization|gpu.NoMemory|gpu.NoTemperature))
	require.False(t, s.Readings[0].Flags.Down())
}

func TestOpenRefusesBadOptions(t *testing.T) {
	for want, opt := range map[string]gpu.Options{
		`gpu source "rocm"`: {Source: "rocm"},
		"sim gpus: got 0":   {Source: "sim"},
		"sim gpus: got 65":  {Source: "sim", SimGPUs: 65},
	} {
		_, err := gpu.Open(t.Context(), opt, slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, want)
	}
}
