package types_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

func TestParamsValidate(t *testing.T) {
	require.NoError(t, types.DefaultParams().Validate())
	tests := map[string]struct {
		change func(*types.Params)
		names  string // empty: valid
	}{
		"no denom":                   {func(p *types.Params) { p.StakeDenom = "" }, "stake_denom"},
		"a denom with a space":       {func(p *types.Params) { p.StakeDenom = "u grafi" }, "u grafi"},
		"no least stake":             {func(p *types.Params) { p.MinStakePerGpu = math.Int{} }, "min_stake_per_gpu <nil>"},
		"least stake zero":           {func(p *types.Params) { p.MinStakePerGpu = math.ZeroInt() }, "min_stake_per_gpu 0"},
		"least stake below zero":     {func(p *types.Params) { p.MinStakePerGpu = math.NewInt(-1) }, "min_stake_per_gpu -1"},
		"least stake at the highest": {func(p *types.Params) { p.MinStakePerGpu = types.MaxAmount }, ""},
		"least stake over it":        {func(p *types.Params) { p.MinStakePerGpu = types.MaxAmount.AddRaw(1) }, "min_stake_per_gpu"},
		"no hours":                   {func(p *types.Params) { p.RequirementHours = 0 }, "requirement_hours 0, want 1 to 8760"},
		"hours of a year":            {func(p *types.Params) { p.RequirementHours = 8_760 }, ""},
		"more hours":                 {func(p *types.Params) { p.RequirementHours = 8_761 }, "requirement_hours 8761"},
		"no grace":                   {func(p *types.Params) { p.TopUpGrace = 0 }, ""},
		"grace below zero":           {func(p *types.Params) { p.TopUpGrace = -1 }, "top_up_grace -1ns"},
		"grace too long":             {func(p *types.Params) { p.TopUpGrace = 30*24*time.Hour + 1 }, "top_up_grace"},
		"unbonding shortest":         {func(p *types.Params) { p.UnbondingTime = time.Minute }, ""},
		"unbonding too short":        {func(p *types.Params) { p.UnbondingTime = time.Minute - 1 }, "unbonding_time 59.999999999s, want 1m0s"},
		"unbonding too long":         {func(p *types.Params) { p.UnbondingTime = 366 * 24 * time.Hour }, "unbonding_time"},
		"no entries":                 {func(p *types.Params) { p.MaxUnbondingEntries = 0 }, "max_unbonding_entries 0, want 1 to 100"},
		"too many entries":           {func(p *types.Params) { p.MaxUnbondingEntries = 101 }, "max_unbonding_entries 101"},
		"reporter over all":          {func(p *types.Params) { p.ReporterSharePpm = types.PPM + 1 }, "reporter_share_ppm 1000001"},
		"insurance over all":         {func(p *types.Params) { p.InsuranceSharePpm = 1<<64 - 1 }, "insurance_share_ppm"},
		"shares make all":            {func(p *types.Params) { p.ReporterSharePpm, p.InsuranceSharePpm = 400_000, 600_000 }, ""},
		"shares make more":           {func(p *types.Params) { p.ReporterSharePpm, p.InsuranceSharePpm = 400_001, 600_000 }, "1000001, want 0 to 1000000"},
		"no equivocation slash":      {func(p *types.Params) { p.EquivocationSlashPpm = 0 }, "equivocation_slash_ppm 0"},
		"equivocation over all":      {func(p *types.Params) { p.EquivocationSlashPpm = types.PPM + 1 }, "equivocation_slash_ppm"},
		"no jail":                    {func(p *types.Params) { p.EquivocationJail = 0 }, "equivocation_jail 0s"},
		"jail too long":              {func(p *types.Params) { p.EquivocationJail = 366 * 24 * time.Hour }, "equivocation_jail"},
		"no budget":                  {func(p *types.Params) { p.UnbondingBudget = 0 }, "unbonding_budget 0, want 1 to 10000"},
		"no delegated stake counts":  {func(p *types.Params) { p.MaxDelegationRatio = 0 }, ""},
		"ratio over 100":             {func(p *types.Params) { p.MaxDelegationRatio = 101 }, "max_delegation_ratio 101, want 0 to 100"},
		"no delegations":             {func(p *types.Params) { p.MaxDelegations = 0 }, "max_delegations 0, want 1 to 1000"},
		"too many delegations":       {func(p *types.Params) { p.MaxDelegations = 1_001 }, "max_delegations 1001"},
		"requirement stands still":   {func(p *types.Params) { p.MaxRequirementChangePpm = 0 }, "max_requirement_change_ppm 0"},
		"requirement moves too far":  {func(p *types.Params) { p.MaxRequirementChangePpm = types.PPM + 1 }, "max_requirement_change_ppm 1000001"},
		"commission stands still":    {func(p *types.Params) { p.MaxCommissionChangePpm = 0 }, "max_commission_change_ppm 0"},
		"commission moves too far":   {func(p *types.Params) { p.MaxCommissionChangePpm = types.PPM + 1 }, "max_commission_change_ppm 1000001"},
		"too much budget":            {func(p *types.Params) { p.UnbondingBudget = 10_001 }, "unbonding_budget 10001"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := types.DefaultParams()
			tc.change(&p)
			err := p.Validate()
			if tc.names == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, types.ErrInvalidParams)
			require.ErrorContains(t, err, tc.names)
		})
	}
}
