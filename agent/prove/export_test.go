package prove

import (
	"context"

	"github.com/grafilab/grafi/x/attestation/compute"
)

// SelftestSmall is Selftest at sizes that an emulated device computes in a second.
func (c *CUDA) SelftestSmall(ctx context.Context, device string) (SelftestResult, error) {
	return c.selftest(ctx, device, selftestSizes{
		wrapM:    256,
		against:  compute.Work{N: 32, M: 32, Rounds: 1, WalkLanes: 4, WalkSteps: 16},
		largestN: 16, m: 16, rounds: 1, walkLanes: 2, walkSteps: 16,
	})
}
