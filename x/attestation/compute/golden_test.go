package compute_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/testutil/golden"
	"github.com/grafilab/grafi/x/attestation/compute"
)

func TestGoldenVectors(t *testing.T) {
	vectors, err := golden.ComputeVectors()
	require.NoError(t, err)
	require.Len(t, vectors, 5)
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			w := compute.Work{N: v.N, M: v.M, Rounds: v.Rounds, WalkLanes: v.WalkLanes, WalkSteps: v.WalkSteps, Seed: compute.Hash(v.Seed)}
			p, err := compute.Prove(w)
			require.NoError(t, err)
			roots, walkRoot := p.Roots()
			require.Len(t, roots, len(v.Roots))
			for i := range roots {
				require.Equal(t, compute.Hash(v.Roots[i]), roots[i], "round %d", i)
			}
			require.Equal(t, (*compute.Hash)(v.WalkRoot.Hash), walkRoot)
			require.Equal(t, compute.Hash(v.Commitment), p.Commitment)

			opening, err := p.Open(compute.Hash(v.Beacon), v.Samples)
			require.NoError(t, err)
			require.Len(t, opening, v.OpeningBytes)
			require.Equal(t, [32]byte(v.OpeningDigest), sha256.Sum256(opening))
			require.NoError(t, compute.Verify(w, p.Commitment, compute.Hash(v.Beacon), v.Samples, opening))
		})
	}
}
