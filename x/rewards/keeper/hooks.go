package keeper

import (
	"context"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// StakingHooks hear of stake before it changes, and give a slash what is held.
func (k *Keeper) StakingHooks() stakingext.StakingHooks { return stakingHooks{k} }

// AttestationHooks hear of counted slots and proven faults.
func (k *Keeper) AttestationHooks() attestation.AttestationHooks { return attestationHooks{k} }

// MarketHooks hear of paid rent.
func (k *Keeper) MarketHooks() gpumarket.MarketHooks { return marketHooks{k} }

type stakingHooks struct{ k *Keeper }

// BeforeStakeChanged implements stakingext.StakingHooks.
func (h stakingHooks) BeforeStakeChanged(ctx context.Context, operator sdk.AccAddress) error {
	if err := h.k.snapshotStake(ctx, operator); err != nil {
		return err
	}
	return h.k.giveReleased(ctx, operator)
}

// BeforeDelegationChanged implements stakingext.StakingHooks.
func (h stakingHooks) BeforeDelegationChanged(ctx context.Context, delegator, operator sdk.AccAddress, shares math.Int) error {
	return h.k.settleStaker(ctx, delegator, operator, shares)
}

// TakeRewards implements stakingext.StakingHooks.
func (h stakingHooks) TakeRewards(ctx context.Context, operator sdk.AccAddress, limit math.Int) (math.Int, error) {
	return h.k.takeEscrow(ctx, operator, limit)
}

type attestationHooks struct{ k *Keeper }

// AfterSlotsCounted implements attestation.AttestationHooks.
func (h attestationHooks) AfterSlotsCounted(ctx context.Context, day uint64, hosts []attestation.CountedHost) error {
	return h.k.countSlots(ctx, day, hosts)
}

// AfterEquivocationProven implements attestation.AttestationHooks.
func (h attestationHooks) AfterEquivocationProven(ctx context.Context, hostID, slot uint64) error {
	return h.k.strikeHost(ctx, hostID, slot)
}

// AfterRentalsNotRunning implements attestation.AttestationHooks.
func (attestationHooks) AfterRentalsNotRunning(context.Context, uint64, uint64, []uint64) error {
	return nil
}

// BeforeGPUsChanged implements attestation.AttestationHooks. A weight that is
// frozen stays; the next day's is that of the new GPUs.
func (attestationHooks) BeforeGPUsChanged(context.Context, uint64, []uint32) error { return nil }

// BeforeHostRetired implements attestation.AttestationHooks. What the host earned
// can still be claimed.
func (attestationHooks) BeforeHostRetired(context.Context, uint64) error { return nil }

// BeforeChallenge implements attestation.AttestationHooks: mining excuses nobody.
func (attestationHooks) BeforeChallenge(context.Context, uint64, []uint32) ([]uint32, error) {
	return nil, nil
}

// ExpectedReward implements attestation.AttestationHooks: what the GPU earned on
// the latest day that is closed, before its operator's cap.
func (h attestationHooks) ExpectedReward(ctx context.Context, hostID uint64, ordinal uint32) (math.Int, error) {
	return h.k.latestReward(ctx, hostID, ordinal)
}

type marketHooks struct{ k *Keeper }

// AfterRentalPaid implements gpumarket.MarketHooks.
func (h marketHooks) AfterRentalPaid(ctx context.Context, p gpumarket.Payment) error {
	if err := h.k.noteRented(ctx, p); err != nil {
		return err
	}
	return h.k.creditFee(ctx, p)
}
