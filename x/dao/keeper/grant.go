package keeper

import (
	"context"
	"slices"
	"strconv"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// CreateGrant commits the sum of the milestones. The caller has checked the
// authority.
func (k *Keeper) CreateGrant(ctx context.Context, title string, recipient sdk.AccAddress, denom string,
	milestones []types.Milestone,
) (types.Grant, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Grant{}, err
	}
	if err := types.CheckTitle(title); err != nil {
		return types.Grant{}, err
	}
	if err := types.CheckMilestones(denom, milestones, params.MaxMilestones); err != nil {
		return types.Grant{}, err
	}
	for i, m := range milestones {
		if m.ReleasedAt != nil {
			return types.Grant{}, types.ErrInvalidMilestones.Wrapf("milestone %d: released_at %s, want none", i, m.ReleasedAt)
		}
	}
	if err := k.checkRecipient(recipient); err != nil {
		return types.Grant{}, err
	}
	to, err := k.addressCodec.BytesToString(recipient)
	if err != nil {
		return types.Grant{}, err
	}
	g := types.Grant{
		Title: title, Recipient: to, Denom: denom, Milestones: slices.Clone(milestones),
		State: types.GRANT_STATE_OPEN, CreatedAt: now(ctx),
	}
	if err := k.commit(ctx, g.Total()); err != nil {
		return types.Grant{}, err
	}
	if g.Id, err = k.grantSeq.Next(ctx); err != nil {
		return types.Grant{}, err
	}
	if err := k.grants.Set(ctx, g.Id, g); err != nil {
		return types.Grant{}, err
	}
	if err := k.recordGrant(ctx, g, types.DECISION_OUTCOME_CREATED, title); err != nil {
		return types.Grant{}, err
	}
	return g, emit(ctx, &types.EventGrantCreated{GrantId: g.Id, Recipient: to, Amount: g.Total()})
}

// ReleaseMilestone pays one milestone. The caller has checked the authority.
func (k *Keeper) ReleaseMilestone(ctx context.Context, id uint64, milestone uint32) error {
	g, err := k.openGrant(ctx, id)
	if err != nil {
		return err
	}
	if int(milestone) >= len(g.Milestones) {
		return types.ErrInvalidMilestones.Wrapf("milestone %d of grant %d, want 0 to %d", milestone, id, len(g.Milestones)-1)
	}
	m := &g.Milestones[milestone]
	if m.ReleasedAt != nil {
		return types.ErrMilestoneReleased.Wrapf("milestone %d of grant %d, at %s", milestone, id, m.ReleasedAt)
	}
	amount := sdk.NewCoin(g.Denom, m.Amount)
	if err := k.pay(ctx, g.Recipient, amount); err != nil {
		return err
	}
	at := now(ctx)
	m.ReleasedAt = &at
	if g.Unreleased().IsZero() {
		g.State = types.GRANT_STATE_PAID
	}
	if err := k.grants.Set(ctx, id, g); err != nil {
		return err
	}
	if err := k.recordGrant(ctx, g, types.DECISION_OUTCOME_RELEASED, m.Title); err != nil {
		return err
	}
	return emit(ctx, &types.EventMilestoneReleased{GrantId: id, Milestone: milestone, Amount: amount})
}

// CancelGrant returns what is not released to the treasury. The caller has
// checked the authority.
func (k *Keeper) CancelGrant(ctx context.Context, id uint64) (sdk.Coin, error) {
	g, err := k.openGrant(ctx, id)
	if err != nil {
		return sdk.Coin{}, err
	}
	returned := g.Unreleased()
	if err := k.giveBack(ctx, returned); err != nil {
		return sdk.Coin{}, err
	}
	g.State = types.GRANT_STATE_CANCELLED
	if err := k.grants.Set(ctx, id, g); err != nil {
		return sdk.Coin{}, err
	}
	if err := k.recordGrant(ctx, g, types.DECISION_OUTCOME_CANCELLED, g.Title); err != nil {
		return sdk.Coin{}, err
	}
	return returned, emit(ctx, &types.EventGrantCancelled{GrantId: id, Returned: returned})
}

func (k *Keeper) openGrant(ctx context.Context, id uint64) (types.Grant, error) {
	g, err := k.Grant(ctx, id)
	if err != nil {
		return g, err
	}
	if g.State != types.GRANT_STATE_OPEN {
		return g, types.ErrGrantClosed.Wrapf("id %d: %s", id, g.State)
	}
	return g, nil
}

func (k *Keeper) recordGrant(ctx context.Context, g types.Grant, outcome types.DecisionOutcome, detail string) error {
	return k.record(ctx, types.DECISION_KIND_GRANT, strconv.FormatUint(g.Id, 10), outcome, detail)
}
