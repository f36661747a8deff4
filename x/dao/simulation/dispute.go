package simulation

import (
	"context"
	"crypto/sha256"
	"fmt"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/keeper"
	"github.com/grafilab/grafi/x/dao/types"
	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
)

// Where a disputable thing is looked for: the first rentals of the first
// listings, and the first slashes of each account.
const (
	listingsLooked = 60
	rentalsLooked  = 6
	slashesLooked  = 4
)

// OpenDisputeFactory disputes a closed rental as its renter, or a slash as the operator.
func OpenDisputeFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgOpenDispute] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgOpenDispute) {
		msg := randomClaim(ctx, k, data)
		if msg == nil {
			reporter.Skip("nothing to dispute")
			return nil, nil
		}
		digest := sha256.Sum256([]byte(msg.String()))
		msg.StatementDigest = digest[:]
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).OpenDispute(ctx, msg)
			return err
		})
		if reporter.IsSkipped() {
			return nil, nil
		}
		claimant := data.GetAccount(reporter, msg.Claimant)
		return payingBond(ctx, k, reporter, claimant, must(k.Params(ctx)).DisputeBond), msg
	}
}

// randomClaim finds something that was not disputed yet; nil if there is nothing.
func randomClaim(ctx context.Context, k *keeper.Keeper, data *simsx.ChainDataSource) *types.MsgOpenDispute {
	r := data.Rand()
	disputed := make(map[string]bool)
	for _, d := range must(k.ExportGenesis(ctx)).Disputes {
		disputed[fmt.Sprint(d.Kind, d.Operator, d.SubjectId)] = true
	}
	claim := func(kind types.DisputeKind, id uint64, claimant, operator string, most math.Int) *types.MsgOpenDispute {
		if !most.IsPositive() || !data.HasAccount(claimant) || disputed[fmt.Sprint(kind, operator, id)] {
			return nil
		}
		return &types.MsgOpenDispute{Claimant: claimant, Kind: kind, SubjectId: id, Claim: must(r.PositiveSDKIntInRange(math.OneInt(), most.AddRaw(1)))}
	}
	for i, first := 0, r.Intn(data.AccountsCount()); r.Bool() && i < data.AccountsCount(); i++ {
		account := data.AllAccounts()[(first+i)%data.AccountsCount()].Address
		name := must(data.AddressCodec().BytesToString(account))
		for id := uint64(1); id <= slashesLooked; id++ {
			if s, err := k.SlashRecord(ctx, account, id); err == nil {
				own := s.FromRewards.Add(s.FromOwnStake).Add(s.FromUnbonding)
				if msg := claim(types.DISPUTE_KIND_SLASH, id, name, name, own); msg != nil {
					return msg
				}
			}
		}
	}
	for i, first := 0, r.Intn(listingsLooked); i < listingsLooked; i++ {
		for number := range uint64(rentalsLooked) {
			id := must(gpumarket.RentalID(1+uint64((first+i)%listingsLooked), number))
			rental, err := k.Rental(ctx, id)
			if err != nil || rental.State != gpumarket.RENTAL_STATE_CLOSED {
				continue
			}
			if msg := claim(types.DISPUTE_KIND_RENTAL, id, rental.Renter, rental.Operator, rental.Paid); msg != nil {
				return msg
			}
		}
	}
	return nil
}

// AppealFactory appeals as whoever lost.
func AppealFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgAppeal] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgAppeal) {
		d := pick(data, reporter, "dispute", must(k.ExportGenesis(ctx)).Disputes,
			func(d types.Dispute) bool { return d.State == types.DISPUTE_STATE_DECIDED })
		if reporter.IsSkipped() {
			return nil, nil
		}
		loser := data.AnyAccountN(20, reporter, simsx.SimAccountFilterFn(func(a simsx.SimAccount) bool { return d.MayAppeal(a.AddressBech32) }))
		msg := &types.MsgAppeal{Appellant: loser.AddressBech32, DisputeId: d.Id}
		skipRefused(ctx, reporter, func(ctx context.Context) error {
			_, err := keeper.NewMsgServer(k).Appeal(ctx, msg)
			return err
		})
		if reporter.IsSkipped() {
			return nil, nil
		}
		return payingBond(ctx, k, reporter, loser, d.BondForAppeal()), msg
	}
}

// DecideAppealFactory proposes the decision of an appeal.
func DecideAppealFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgDecideAppeal] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgDecideAppeal) {
		d := pick(data, reporter, "appeal", must(k.ExportGenesis(ctx)).Disputes,
			func(d types.Dispute) bool { return d.State == types.DISPUTE_STATE_APPEALED })
		return nil, &types.MsgDecideAppeal{
			Authority: data.ModuleAccountAddress(reporter, "gov"), DisputeId: d.Id, Verdict: randomVerdict(data.Rand().Intn(2)),
		}
	}
}

// ResumeDisputeFactory resumes a parked dispute, as anybody.
func ResumeDisputeFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgResumeDispute] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgResumeDispute) {
		d := pick(data, reporter, "parked dispute", must(k.ExportGenesis(ctx)).Disputes, func(d types.Dispute) bool { return d.Parked })
		if reporter.IsSkipped() {
			return nil, nil
		}
		sender := data.AnyAccount(reporter, simsx.WithSpendableBalance())
		return []simsx.SimAccount{sender}, &types.MsgResumeDispute{Sender: sender.AddressBech32, DisputeId: d.Id}
	}
}

// payingBond keeps the bond out of what the fee is drawn from.
func payingBond(ctx context.Context, k *keeper.Keeper, reporter simsx.SimulationReporter, account simsx.SimAccount, bond math.Int) []simsx.SimAccount {
	if !account.LiquidBalance().BlockAmount(sdk.NewCoin(must(k.StakeDenom(ctx)), bond)) {
		reporter.Skip("the bond is more than the account has")
	}
	return []simsx.SimAccount{account}
}

func randomVerdict(n int) types.Verdict {
	if n == 0 {
		return types.VERDICT_UPHELD
	}
	return types.VERDICT_DISMISSED
}
