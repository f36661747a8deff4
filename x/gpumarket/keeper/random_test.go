package keeper_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"math/rand"
	"testing"
	"time"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"
	simtypes "github.com/cosmos/cosmos-sdk/types/simulation"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/simulation"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// moduleAccounts answers simsx's question for an account of a module.
type moduleAccounts struct{}

func (moduleAccounts) GetModuleAddress(name string) sdk.AccAddress {
	return authtypes.NewModuleAddress(name)
}

// anyMsg delivers whatever message the factory made.
func (f *fixture) anyMsg(msg sdk.Msg) (err error) {
	switch m := msg.(type) {
	case *types.MsgCreateListing:
		_, err = deliver(f, f.msg.CreateListing, m)
	case *types.MsgChangeListing:
		_, err = deliver(f, f.msg.ChangeListing, m)
	case *types.MsgSetListingStatus:
		_, err = deliver(f, f.msg.SetListingStatus, m)
	case *types.MsgRent:
		_, err = deliver(f, f.msg.Rent, m)
	case *types.MsgSubscribe:
		_, err = deliver(f, f.msg.Subscribe, m)
	case *types.MsgTopUpSubscription:
		_, err = deliver(f, f.msg.TopUpSubscription, m)
	case *types.MsgCancelSubscription:
		_, err = deliver(f, f.msg.CancelSubscription, m)
	case *types.MsgConfirmStart:
		_, err = deliver(f, f.msg.ConfirmStart, m)
	case *types.MsgReportResult:
		_, err = deliver(f, f.msg.ReportResult, m)
	case *types.MsgExtendRental:
		_, err = deliver(f, f.msg.ExtendRental, m)
	case *types.MsgCloseRental:
		_, err = deliver(f, f.msg.CloseRental, m)
	case *types.MsgSettle:
		_, err = deliver(f, f.msg.Settle, m)
	case *types.MsgRequestCompute:
		_, err = deliver(f, f.msg.RequestCompute, m)
	case *types.MsgInviteRenter:
		_, err = deliver(f, f.msg.InviteRenter, m)
	case *types.MsgRequestAccess:
		_, err = deliver(f, f.msg.RequestAccess, m)
	case *types.MsgAnswerInvitation:
		_, err = deliver(f, f.msg.AnswerInvitation, m)
	case *types.MsgRevokeAccess:
		_, err = deliver(f, f.msg.RevokeAccess, m)
	case *types.MsgUpdateParams:
		_, err = deliver(f, f.msg.UpdateParams, m)
	default:
		err = fmt.Errorf("no handler for %T", msg)
	}
	return err
}

// note counts what happened in the block, and why rentals closed.
func (f *fixture) note(seen map[string]int) {
	for _, rental := range f.state().Rentals {
		seen[rental.CloseReason.String()]++
	}
	for _, e := range f.events() {
		seen[e.Type]++
	}
}

// quietDay lets up to a day pass with nobody sending anything but the agent: it
// attests every slot, none of them, or all with the rentals as not running.
func (f *fixture) quietDay(now time.Time, mood int, seen map[string]int) time.Time {
	for range 150 {
		now = now.Add(slotLen * time.Second)
		f.attestation.dead[slotAt(now)] = mood == 1
		f.beginBlock(now)
		if mood == 2 {
			var ids []uint64
			for _, rental := range f.state().Rentals {
				ids = append(ids, rental.Id)
			}
			require.NoError(f.t, f.k.Hooks().AfterRentalsNotRunning(f.ctx, hostID, slotAt(now)-1, ids))
		}
		f.endBlock()
		f.note(seen)
	}
	return now.Add(time.Second)
}

// randomMarket runs blocks of random messages on a host that fails some of its
// slots, with every invariant checked after each block. It counts in seen what was
// delivered, and the reasons for which rentals closed.
func randomMarket(t *testing.T, seed int64, seen map[string]int) *fixture {
	f := newFixture(t)
	r := rand.New(rand.NewSource(seed))
	keys := func(attestationtypes.Host) ed25519.PrivateKey { return agent }
	factories := []simsx.SimMsgFactoryX{
		simulation.CreateListingFactory(f.k), simulation.ChangeListingFactory(f.k), simulation.SetListingStatusFactory(f.k),
		simulation.RentFactory(f.k), simulation.RentFactory(f.k), simulation.ConfirmStartFactory(f.k, keys),
		simulation.SubscribeFactory(f.k), simulation.SubscribeFactory(f.k), simulation.ConfirmStartFactory(f.k, keys),
		simulation.ConfirmStartFactory(f.k, keys), simulation.TopUpFactory(f.k), simulation.CancelSubscriptionFactory(f.k),
		simulation.ConfirmStartFactory(f.k, keys), simulation.ReportResultFactory(f.k, keys),
		simulation.ExtendRentalFactory(f.k), simulation.CloseRentalFactory(f.k), simulation.SettleFactory(f.k),
		simulation.UpdateParamsFactory(f.k),
	}
	if seed >= matchingSeed {
		factories = []simsx.SimMsgFactoryX{
			simulation.CreateListingFactory(f.k), simulation.CreateListingFactory(f.k), simulation.ChangeListingFactory(f.k),
			simulation.RequestComputeFactory(f.k), simulation.RequestComputeFactory(f.k), simulation.RequestComputeFactory(f.k),
			simulation.ConfirmStartFactory(f.k, keys), simulation.ConfirmStartFactory(f.k, keys), simulation.CloseRentalFactory(f.k),
			simulation.InviteRenterFactory(f.k), simulation.RequestAccessFactory(f.k), simulation.AnswerInvitationFactory(f.k),
			simulation.RevokeAccessFactory(f.k), simulation.SettleFactory(f.k), simulation.SetListingStatusFactory(f.k),
		}
	}
	var accounts []simtypes.Account
	for _, addr := range []sdk.AccAddress{operator, renter, stranger} {
		accounts = append(accounts, simtypes.Account{Address: addr, AddressBech32: str(addr)})
	}
	now := start
	for range 250 {
		now = now.Add(time.Duration(1+r.Intn(900)) * time.Second)
		f.attestation.dead[slotAt(now)] = r.Intn(3) == 0
		f.attestation.networkFault[slotAt(now)] = r.Intn(6) == 0
		if free, bonded := f.staking.own(f.ctx); free < ownStake/2 && r.Intn(4) == 0 {
			f.staking.setOwn(f.ctx, ownStake, bonded)
		}
		if r.Intn(20) == 0 {
			now = f.quietDay(now, r.Intn(3), seen)
		}
		f.beginBlock(now)
		if rentals := f.state().Rentals; len(rentals) > 0 && r.Intn(4) == 0 {
			marked := []uint64{rentals[r.Intn(len(rentals))].Id}
			require.NoError(t, f.k.Hooks().AfterRentalsNotRunning(f.ctx, hostID, slotAt(now)-1, marked))
		}
		for range r.Intn(5) {
			factory := factories[r.Intn(len(factories))]
			ctx, stop := context.WithCancel(f.ctx)
			skip := simsx.SkipHookFn(func(...any) { stop() })
			reporter := simsx.NewBasicSimulationReporter().WithScope(factory.MsgType(), skip)
			data := simsx.NewChainDataSource(f.ctx, r, moduleAccounts{}, f.bank, codec, accounts...)
			_, msg := factory.Create()(sdk.UnwrapSDKContext(ctx), data, reporter)
			if stop(); reporter.IsSkipped() {
				continue
			}
			if p, ok := msg.(*types.MsgUpdateParams); ok { // simsx speaks the process-wide prefix
				p.Authority = str(authority)
			}
			require.NoError(t, f.anyMsg(msg), "%T", msg)
			seen[sdk.MsgTypeURL(msg)]++
		}
		f.endBlock()
		f.note(seen)
	}
	return f
}

// matchingSeed is the first seed whose markets rent by requests for compute and
// invite; the ones before have every other message.
const matchingSeed = int64(5)

// Random markets keep their invariants after every block, an export imports to
// the same state, and a seed is one history.
func TestRandomMarkets(t *testing.T) {
	seen := map[string]int{}
	for seed := range matchingSeed + 2 {
		f := randomMarket(t, seed, seen)
		gs := f.state()
		again := newEmptyFixture(t)
		again.staking.setOwn(again.ctx, f.freeStake(), f.bonded())
		if locked := f.moduleBalance(types.ModuleName); locked > 0 {
			again.lock(locked)
		}
		require.NoError(t, again.k.InitGenesis(again.ctx, gs))
		requireState(t, again, gs)
		again.checkInvariants()
		if seed == 0 {
			requireState(t, randomMarket(t, seed, seen), gs)
		}
	}
	t.Log(seen)
	for _, event := range []proto.Message{
		&types.EventStartDue{}, &types.EventRentalPreempted{}, &types.EventBondReleased{}, &types.EventBondForfeited{},
		&types.EventOfflinePenalty{}, &types.EventServiceCredit{}, &types.EventBalanceLow{}, &types.EventSubscriptionRenewed{},
		&types.EventSubscriptionEnded{},
	} {
		require.Positive(t, seen[proto.MessageName(event)], "%T", event)
	}
	for reason, name := range types.CloseReason_name {
		require.Positive(t, seen[name], "rental closed for %d", reason)
	}
	for _, msg := range []sdk.Msg{
		&types.MsgCreateListing{}, &types.MsgChangeListing{}, &types.MsgSetListingStatus{}, &types.MsgRent{},
		&types.MsgConfirmStart{}, &types.MsgReportResult{}, &types.MsgExtendRental{}, &types.MsgCloseRental{},
		&types.MsgSettle{}, &types.MsgUpdateParams{}, &types.MsgSubscribe{}, &types.MsgTopUpSubscription{},
		&types.MsgCancelSubscription{}, &types.MsgRequestCompute{}, &types.MsgInviteRenter{}, &types.MsgRequestAccess{},
		&types.MsgAnswerInvitation{}, &types.MsgRevokeAccess{},
	} {
		require.Positive(t, seen[sdk.MsgTypeURL(msg)], "%T", msg)
	}
}
