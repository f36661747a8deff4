package app

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

// settleDistribution withdraws every reward and commission and starts the
// accounting periods of x/distribution anew.
func (app *App) settleDistribution(ctx sdk.Context) error {
	validators, err := app.StakingKeeper.GetAllValidators(ctx)
	if err != nil {
		return err
	}
	delegations, err := app.StakingKeeper.GetAllDelegations(ctx)
	if err != nil {
		return err
	}
	for _, v := range validators {
		addr, err := app.enc.Validators.StringToBytes(v.GetOperator())
		if err != nil {
			return err
		}
		if _, err := app.DistrKeeper.WithdrawValidatorCommission(ctx, addr); err != nil &&
			!errors.Is(err, distrtypes.ErrNoValidatorCommission) {
			return fmt.Errorf("commission of %s: %w", v.GetOperator(), err)
		}
	}
	if err := app.eachDelegation(delegations, func(del sdk.AccAddress, val sdk.ValAddress) error {
		_, err := app.DistrKeeper.WithdrawDelegationRewards(ctx, del, val)
		return err
	}); err != nil {
		return fmt.Errorf("rewards: %w", err)
	}
	app.DistrKeeper.DeleteAllValidatorSlashEvents(ctx)
	app.DistrKeeper.DeleteAllValidatorHistoricalRewards(ctx)

	zero := ctx.WithBlockHeight(0)
	hooks := app.DistrKeeper.Hooks()
	for _, v := range validators {
		addr, err := app.enc.Validators.StringToBytes(v.GetOperator())
		if err != nil {
			return err
		}
		if err := app.donateScraps(zero, addr); err != nil {
			return err
		}
		if err := hooks.AfterValidatorCreated(zero, addr); err != nil {
			return err
		}
	}
	return app.eachDelegation(delegations, func(del sdk.AccAddress, val sdk.ValAddress) error {
		if err := hooks.BeforeDelegationCreated(zero, del, val); err != nil {
			return err
		}
		return hooks.AfterDelegationModified(zero, del, val)
	})
}

// donateScraps gives the fractions that no delegator can withdraw to the
// community pool, which owns such remainders in x/distribution.
func (app *App) donateScraps(ctx context.Context, val sdk.ValAddress) error {
	scraps, err := app.DistrKeeper.GetValidatorOutstandingRewardsCoins(ctx, val)
	if err != nil {
		return err
	}
	pool, err := app.DistrKeeper.FeePool.Get(ctx)
	if err != nil {
		return err
	}
	pool.CommunityPool = pool.CommunityPool.Add(scraps...)
	return app.DistrKeeper.FeePool.Set(ctx, pool)
}

func (app *App) eachDelegation(delegations []stakingtypes.Delegation, do func(sdk.AccAddress, sdk.ValAddress) error) error {
	for _, d := range delegations {
		del, err := app.enc.Accounts.StringToBytes(d.DelegatorAddress)
		if err != nil {
			return err
		}
		val, err := app.enc.Validators.StringToBytes(d.ValidatorAddress)
		if err != nil {
			return err
		}
		if err := do(del, val); err != nil {
			return fmt.Errorf("delegation of %s to %s: %w", d.DelegatorAddress, d.ValidatorAddress, err)
		}
	}
	return nil
}

func (app *App) resetStakingHeights(ctx sdk.Context, jailAllowed []string) error {
	allowed := make(map[string]bool, len(jailAllowed))
	for _, a := range jailAllowed {
		if _, err := app.enc.Validators.StringToBytes(a); err != nil {
			return fmt.Errorf("validator %q that may stay unjailed: %w", a, err)
		}
		allowed[a] = true
	}

	var failed error
	err := app.StakingKeeper.IterateRedelegations(ctx, func(_ int64, r stakingtypes.Redelegation) bool {
		for i := range r.Entries {
			r.Entries[i].CreationHeight = 0
		}
		failed = app.StakingKeeper.SetRedelegation(ctx, r)
		return failed != nil
	})
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	err = app.StakingKeeper.IterateUnbondingDelegations(ctx, func(_ int64, u stakingtypes.UnbondingDelegation) bool {
		for i := range u.Entries {
			u.Entries[i].CreationHeight = 0
		}
		failed = app.StakingKeeper.SetUnbondingDelegation(ctx, u)
		return failed != nil
	})
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	validators, err := app.StakingKeeper.GetAllValidators(ctx)
	if err != nil {
		return err
	}
	for _, v := range validators {
		v.UnbondingHeight = 0
		if len(allowed) > 0 && !allowed[v.GetOperator()] {
			v.Jailed = true
		}
		if err := app.StakingKeeper.SetValidator(ctx, v); err != nil {
			return err
		}
	}
	if err := app.StakingKeeper.PrepareConsKeyRotationsForZeroHeightExport(ctx); err != nil {
		return err
	}
	_, err = app.StakingKeeper.ApplyAndReturnValidatorSetUpdates(ctx)
	return err
}

func (app *App) resetSigningInfos(ctx sdk.Context) error {
	var failed error
	err := app.SlashingKeeper.IterateValidatorSigningInfos(ctx, func(addr sdk.ConsAddress, info slashingtypes.ValidatorSigningInfo) bool {
		info.StartHeight = 0
		failed = app.SlashingKeeper.SetValidatorSigningInfo(ctx, addr, info)
		return failed != nil
	})
	return errors.Join(err, failed)
}
