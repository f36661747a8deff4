package gctarget

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTarget(t *testing.T) {
	for name, tc := range map[string]struct {
		memory  uint64
		percent int
		limit   int64
	}{
		"unknown":          {memory: 0},
		"small machine":    {memory: 1 * gib},
		"just under 2 GiB": {memory: 2*gib - 1},
		"medium":           {memory: 4 * gib, percent: 200, limit: 2 * gib},
		"large":            {memory: 64 * gib, percent: 400, limit: 32 * gib},
	} {
		t.Run(name, func(t *testing.T) {
			percent, limit := target(tc.memory)
			require.Equal(t, tc.percent, percent)
			require.Equal(t, tc.limit, limit)
		})
	}
}

func TestEnvironmentWins(t *testing.T) {
	t.Setenv("GOGC", "50")
	require.Equal(t, "from the environment", Apply())
}
