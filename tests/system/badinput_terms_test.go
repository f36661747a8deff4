package system

import (
	"time"

	errorsmod "cosmossdk.io/errors"

	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/internal/chaininfo"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
	stakingexttypes "github.com/grafilab/grafi/x/staking-ext/types"
)

// badInput is a message that the chain must refuse.
type badInput struct {
	key  cryptotypes.PrivKey
	msg  sdk.Msg
	want *errorsmod.Error
	says string
}

// badTerms are bad reservations, interruptible rentals, subscriptions,
// invitations and delegations; taken is an open rental that is no subscription.
func badTerms(m *market, stranger, operator cryptotypes.PrivKey, taken uint64) map[string]badInput {
	me := m.Accounts["stranger"]
	coin := func(n int64) sdk.Coin { return sdk.NewInt64Coin(chaininfo.BaseDenom, n) }
	rent := func(change func(*markettypes.MsgRent)) *markettypes.MsgRent {
		msg := m.rentMsg("stranger", 1)
		change(msg)
		return msg
	}
	return map[string]badInput{
		"start in the past": {stranger, rent(func(r *markettypes.MsgRent) { r.StartAt = new(time.Unix(86_400, 0)) }),
			markettypes.ErrInvalidStart, "1970-01-02"},
		"takes no reservations": {stranger, rent(func(r *markettypes.MsgRent) { r.StartAt = new(time.Now().Add(time.Hour)) }),
			markettypes.ErrNotReservable, "no reservations"},
		"not interruptible": {stranger, rent(func(r *markettypes.MsgRent) { r.Interruptible = true }),
			markettypes.ErrNotInterruptible, "listing"},
		"top up of no subscription": {stranger, &markettypes.MsgTopUpSubscription{Sender: me, RentalId: taken, Amount: coin(1)},
			markettypes.ErrNotSubscription, "rental"},
		"top up of no rental": {stranger, &markettypes.MsgTopUpSubscription{Sender: me, RentalId: 5, Amount: coin(1)},
			markettypes.ErrRentalNotFound, "5"},
		"invitation to a foreign listing": {stranger, &markettypes.MsgInviteRenter{Operator: me, ListingId: m.listing, Account: m.Accounts["renter"]},
			markettypes.ErrNotOwner, m.Accounts["operator"]},
		"stake at nobody": {stranger, &stakingexttypes.MsgDelegate{Delegator: me, Operator: m.Accounts["renter"], Amount: coin(1_000)},
			stakingexttypes.ErrOperatorNotFound, m.Accounts["renter"]},
		"stake at oneself": {operator, &stakingexttypes.MsgDelegate{Delegator: m.Accounts["operator"], Operator: m.Accounts["operator"], Amount: coin(1_000)},
			stakingexttypes.ErrSelfDelegation, ""},
		"no stake to take out": {stranger, &stakingexttypes.MsgUndelegate{Delegator: me, Operator: m.Accounts["operator"], Amount: coin(1_000)},
			stakingexttypes.ErrNoDelegation, me},
	}
}
