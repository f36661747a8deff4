package main

import (
	"context"
	"fmt"
	"strings"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	dao "github.com/grafilab/grafi/x/dao/types"
	market "github.com/grafilab/grafi/x/gpumarket/types"
	rewards "github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// showInvariants asks each module of Grafilab whether its records add up.
func (d *demo) showInvariants(ctx context.Context) (string, error) {
	c := d.net.Client()
	for _, module := range []struct {
		name   string
		broken func() ([]string, error)
	}{
		{stakingext.ModuleName, func() ([]string, error) {
			r, err := stakingext.NewQueryClient(c).Invariants(ctx, &stakingext.QueryInvariantsRequest{})
			return r.GetBroken(), err
		}},
		{attestation.ModuleName, func() ([]string, error) {
			r, err := attestation.NewQueryClient(c).Invariants(ctx, &attestation.QueryInvariantsRequest{})
			return r.GetBroken(), err
		}},
		{market.ModuleName, func() ([]string, error) {
			r, err := market.NewQueryClient(c).Invariants(ctx, &market.QueryInvariantsRequest{})
			return r.GetBroken(), err
		}},
		{rewards.ModuleName, func() ([]string, error) {
			r, err := rewards.NewQueryClient(c).Invariants(ctx, &rewards.QueryInvariantsRequest{})
			return r.GetBroken(), err
		}},
		{dao.ModuleName, func() ([]string, error) {
			r, err := dao.NewQueryClient(c).Invariants(ctx, &dao.QueryInvariantsRequest{})
			return r.GetBroken(), err
		}},
	} {
		d.screen.command("grafid", "query", module.name, "invariants")
		broken, err := module.broken()
		if err != nil {
			return "", fmt.Errorf("invariants of %s: %w", module.name, err)
		}
		if len(broken) > 0 {
			return "", fmt.Errorf("invariants of %s: %s", module.name, strings.Join(broken, "; "))
		}
	}
	return "the chain recomputed them from its records", nil
}
