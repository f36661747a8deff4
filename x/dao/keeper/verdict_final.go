package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	stakingext "github.com/grafilab/grafi/x/staking-ext/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// finish makes the verdict final: it divides the bonds, pays what needs no
// further wait, and holds the award until its time.
func (k *Keeper) finish(ctx context.Context, d types.Dispute, overturned bool) error {
	panel, err := k.panelOf(ctx, d)
	if err != nil {
		return err
	}
	var coherent []string
	for _, s := range panel {
		if s.Vote == d.Verdict {
			coherent = append(coherent, s.Juror)
		}
	}
	settled := d.Settle(types.TallyVotes(panel), overturned)
	for _, payment := range []struct {
		to     string
		amount math.Int
	}{{d.Claimant, settled.Claimant}, {d.Operator, settled.Operator}, {d.Appellant, settled.Appellant}} {
		if err := k.payTo(ctx, payment.to, payment.amount); err != nil {
			return err
		}
	}
	for _, juror := range coherent {
		if err := k.payTo(ctx, juror, settled.Juror); err != nil {
			return err
		}
	}
	if err := k.toTreasury(ctx, settled.Treasury); err != nil {
		return err
	}
	reward := settled.Juror
	bond := d.Bond
	d.Bond, d.AppealBond, d.Held = math.ZeroInt(), math.ZeroInt(), settled.Award
	if d.Kind == types.DISPUTE_KIND_SLASH && d.Verdict == types.VERDICT_UPHELD {
		if reward, err = k.payFromInsurance(ctx, &d, bond, coherent); err != nil {
			return err
		}
	}
	if err := emit(ctx, &types.EventVerdictFinal{
		DisputeId: d.Id, Verdict: d.Verdict, Jurors: coherent, JurorReward: reward, Treasury: settled.Treasury,
	}); err != nil {
		return err
	}
	if d.Held.IsPositive() && now(ctx).Before(*d.HoldUntil) {
		d.State, d.DueAt = types.DISPUTE_STATE_HELD, *d.HoldUntil
		return k.disputes.Set(ctx, d.Id, d)
	}
	return k.payAward(ctx, d)
}

// payFromInsurance pays an overturned slash back, and then the panel its fee in
// equal parts, both as far as the insurance account reaches; a remainder stays
// in it. It returns what each juror got.
func (k *Keeper) payFromInsurance(ctx context.Context, d *types.Dispute, fee math.Int, coherent []string) (math.Int, error) {
	claimant, err := k.parse("claimant", d.Claimant)
	if err != nil {
		return math.Int{}, err
	}
	if d.Paid, err = k.staking.PayFromInsurance(ctx, claimant, d.Claim); err != nil {
		return math.Int{}, err
	}
	reward := math.ZeroInt()
	if len(coherent) == 0 {
		return reward, nil
	}
	denom, err := k.staking.StakeDenom(ctx)
	if err != nil {
		return math.Int{}, err
	}
	left := k.bank.GetBalance(ctx, authtypes.NewModuleAddress(stakingext.InsuranceAccount), denom).Amount
	reward = math.MinInt(fee, left).QuoRaw(int64(len(coherent)))
	if reward.IsZero() {
		return reward, nil
	}
	for _, name := range coherent {
		juror, err := k.parse("juror", name)
		if err != nil {
			return math.Int{}, err
		}
		if _, err := k.staking.PayFromInsurance(ctx, juror, reward); err != nil {
			return math.Int{}, err
		}
	}
	return reward, nil
}

// payAward pays what is still held to the claimant and closes the dispute.
func (k *Keeper) payAward(ctx context.Context, d types.Dispute) error {
	if err := k.payTo(ctx, d.Claimant, d.Held); err != nil {
		return err
	}
	at := now(ctx)
	d.Paid, d.Held = d.Paid.Add(d.Held), math.ZeroInt()
	d.State, d.ClosedAt, d.DueAt = types.DISPUTE_STATE_CLOSED, &at, at.Add(types.DisputeRetention)
	if err := k.disputes.Set(ctx, d.Id, d); err != nil {
		return err
	}
	return emit(ctx, &types.EventDisputeClosed{DisputeId: d.Id, Verdict: d.Verdict, Paid: d.Paid})
}

// lock moves a bond into the module account.
func (k *Keeper) lock(ctx context.Context, from sdk.AccAddress, amount math.Int, what string) error {
	coin, err := k.stakeCoin(ctx, amount)
	if err != nil || coin.IsZero() {
		return err
	}
	err = k.bank.SendCoinsFromAccountToModule(ctx, from, types.ModuleName, sdk.NewCoins(coin))
	return errorsmod.Wrapf(err, "%s of %s", what, coin)
}

// payTo pays an account out of the module account; nothing when amount is zero.
func (k *Keeper) payTo(ctx context.Context, address string, amount math.Int) error {
	coin, err := k.stakeCoin(ctx, amount)
	if err != nil {
		return err
	}
	return k.pay(ctx, address, coin)
}

func (k *Keeper) toTreasury(ctx context.Context, amount math.Int) error {
	coin, err := k.stakeCoin(ctx, amount)
	if err != nil {
		return err
	}
	return k.giveBack(ctx, coin)
}

func (k *Keeper) stakeCoin(ctx context.Context, amount math.Int) (sdk.Coin, error) {
	denom, err := k.staking.StakeDenom(ctx)
	return sdk.Coin{Denom: denom, Amount: amount}, err
}
