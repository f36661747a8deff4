package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/grafilab/grafi/testutil/localnet"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// proveCompute waits until the host's first GPU has answered a challenge, and
// shows what was asked of it and what the chain makes of it.
func (d *demo) proveCompute(ctx context.Context) (string, error) {
	host, err := strconv.ParseUint(d.host.ID, 10, 64)
	if err != nil {
		return "", err
	}
	d.screen.command("grafid", "query", "attestation", "proofs", d.host.ID)
	q := attestation.NewQueryClient(d.net.Client())
	var gpu attestation.GpuProofs
	if err := localnet.Until(ctx, "a passed challenge", func() (bool, error) {
		proofs, err := q.Proofs(ctx, &attestation.QueryProofsRequest{HostId: host})
		if err != nil {
			return false, err
		}
		if len(proofs.Gpus) == 0 {
			return false, fmt.Errorf("host %d has no GPU on chain", host)
		}
		gpu = proofs.Gpus[0]
		return gpu.ComputeProven, nil
	}); err != nil {
		return "", err
	}
	params, err := q.Params(ctx, &attestation.QueryParamsRequest{})
	if err != nil {
		return "", err
	}
	class, err := q.Class(ctx, &attestation.QueryClassRequest{Key: gpu.Class})
	if err != nil {
		return "", err
	}
	p := class.Class.Profile
	d.screen.line(fmt.Sprintf("asked:    %d chained int8 products of %d × %d × %d from an unpredictable seed, then %d steps through memory",
		p.Rounds, p.N, p.M, p.N, p.WalkLanes*p.WalkSteps))
	d.screen.line(fmt.Sprintf("answered: one hash, within %d s; after it %d entries that a later block chose, with their Merkle paths",
		p.WindowMs/1_000, params.Params.Challenge.Samples))
	return fmt.Sprintf("every entry was recomputed by the chain: GPU %d of host %d is T%d and may earn; an unproven one can't", gpu.Ordinal, host, gpu.TrustTier), nil
}
