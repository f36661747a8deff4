// Package simulation makes random states and messages of x/staking-ext.
package simulation

import (
	"math/rand"
	"time"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	simtypes "github.com/cosmos/cosmos-sdk/types/simulation"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// RandomParams returns valid params, short enough in time that entries complete
// and grace periods end within a run.
func RandomParams(r *rand.Rand, denom string) types.Params {
	seconds := func(lowest, highest int) time.Duration {
		return time.Duration(simtypes.RandIntBetween(r, lowest, highest)) * time.Second
	}
	reporter := uint64(r.Intn(types.PPM + 1))
	return types.Params{
		StakeDenom:           denom,
		MinStakePerGpu:       math.NewInt(int64(simtypes.RandIntBetween(r, 1, 1_000_000))),
		RequirementHours:     uint32(simtypes.RandIntBetween(r, 1, types.MaxRequirementHours)),
		TopUpGrace:           seconds(0, 3*86_400),
		UnbondingTime:        seconds(60, 86_400),
		MaxUnbondingEntries:  uint32(simtypes.RandIntBetween(r, 1, types.MaxUnbondingEntries)),
		ReporterSharePpm:     reporter,
		InsuranceSharePpm:    uint64(r.Intn(types.PPM + 1 - int(reporter))),
		EquivocationSlashPpm: uint64(simtypes.RandIntBetween(r, 1, types.PPM)),
		EquivocationJail:     seconds(1, 86_400),
		UnbondingBudget:      uint32(simtypes.RandIntBetween(r, 1, 5)),

		MaxDelegationRatio:      uint32(r.Intn(types.MaxDelegationRatio + 1)),
		MaxDelegations:          uint32(simtypes.RandIntBetween(r, 1, 20)),
		MaxRequirementChangePpm: uint64(simtypes.RandIntBetween(r, 1, types.PPM)),
		MaxCommissionChangePpm:  uint64(simtypes.RandIntBetween(r, 1, types.PPM)),
	}
}

// Shape of a random genesis: a simulation has up to 1,000 accounts, and what
// every block checks grows with the number of delegations.
const (
	accountsPerOperator = 8
	maxDelegators       = 8
)

// RandomizedGenState makes an operator of about every eighth account, with stake
// and unbonding entries that are taken out of the account's balance in x/bank's
// genesis, some of them jailed. GPUs are the business of x/attestation.
func RandomizedGenState(simState *module.SimulationState) {
	r := simState.Rand
	gs := types.GenesisState{Params: RandomParams(r, simState.BondDenom)}

	var bank banktypes.GenesisState
	simState.Cdc.MustUnmarshalJSON(simState.GenState[banktypes.ModuleName], &bank)
	bonded, unbonding := math.ZeroInt(), math.ZeroInt()
	for _, account := range simState.Accounts {
		if r.Intn(accountsPerOperator) > 0 {
			continue
		}
		stake := takeBalance(r, &bank, account.Address.String(), simState.BondDenom)
		bonded = bonded.Add(stake)
		operator := randomOperator(r, account.Address.String(), stake, simState.GenTimestamp)
		if part := simtypes.RandomAmount(r, stake); part.IsPositive() && r.Intn(2) == 0 {
			gs.Unbonding = append(gs.Unbonding, types.UnbondingEntry{
				Operator: operator.Address, Id: operator.NextUnbondingId, Amount: part,
				CreatedAt:   simState.GenTimestamp,
				CompletesAt: simState.GenTimestamp.Add(time.Duration(r.Intn(3_600)) * time.Second),
			})
			operator.OwnStake = stake.Sub(part)
			operator.NextUnbondingId++
			bonded, unbonding = bonded.Sub(part), unbonding.Add(part)
		}
		bonded = bonded.Add(delegateSome(r, simState, &bank, &gs, &operator))
		operator.CountedStake = gs.Params.Count(operator.OwnStake, operator.DelegatedTokens)
		gs.Operators = append(gs.Operators, operator)
	}
	for _, held := range []struct {
		account string
		amount  math.Int
	}{{types.ModuleName, bonded}, {types.UnbondingAccount, unbonding}} {
		if held.amount.IsPositive() {
			bank.Balances = append(bank.Balances, banktypes.Balance{
				Address: authtypes.NewModuleAddress(held.account).String(),
				Coins:   sdk.NewCoins(sdk.NewCoin(simState.BondDenom, held.amount)),
			})
		}
	}
	simState.GenState[banktypes.ModuleName] = simState.Cdc.MustMarshalJSON(&bank)
	simState.GenState[types.ModuleName] = simState.Cdc.MustMarshalJSON(&gs)
}

// delegateSome lets a few accounts delegate to the operator, half of the time at
// a rate under one, and returns the tokens.
func delegateSome(r *rand.Rand, simState *module.SimulationState, bank *banktypes.GenesisState, gs *types.GenesisState, o *types.Operator) math.Int {
	factor := int64(simtypes.RandIntBetween(r, 1, 3))
	chosen := r.Perm(len(simState.Accounts))
	for _, i := range chosen[:min(r.Intn(maxDelegators+1), len(chosen))] {
		account := simState.Accounts[i]
		if account.Address.String() == o.Address {
			continue
		}
		tokens := takeBalance(r, bank, account.Address.String(), simState.BondDenom)
		if !tokens.IsPositive() {
			continue
		}
		shares := tokens.MulRaw(factor)
		gs.Delegations = append(gs.Delegations, types.Delegation{Delegator: account.Address.String(), Operator: o.Address, Shares: shares})
		o.DelegatedTokens, o.DelegationShares = o.DelegatedTokens.Add(tokens), o.DelegationShares.Add(shares)
	}
	return o.DelegatedTokens
}

// takeBalance removes a random part of an account's balance and returns it.
func takeBalance(r *rand.Rand, bank *banktypes.GenesisState, address, denom string) math.Int {
	for i, b := range bank.Balances {
		if b.Address == address {
			part := simtypes.RandomAmount(r, b.Coins.AmountOf(denom).QuoRaw(2))
			bank.Balances[i].Coins = b.Coins.Sub(sdk.NewCoin(denom, part))
			return part
		}
	}
	return math.ZeroInt()
}

func randomOperator(r *rand.Rand, address string, stake math.Int, now time.Time) types.Operator {
	o := types.Operator{
		Address: address, Moniker: randomMoniker(r), Website: randomWebsite(r), Kind: randomKind(r),
		CommissionPpm: uint64(r.Intn(types.PPM + 1)),
		OwnStake:      stake, Requirement: math.ZeroInt(),
		DelegatedTokens: math.ZeroInt(), DelegationShares: math.ZeroInt(), BondedFor: math.ZeroInt(), LeftTotal: math.ZeroInt(),
		RegisteredAt: now, CommissionChangedAt: now, NextUnbondingId: 1, NextSlashId: 1,
	}
	if r.Intn(4) == 0 {
		o.Jailed, o.JailedUntil = true, now.Add(time.Duration(r.Intn(3_600))*time.Second)
		o.FaultCounts = []types.FaultCount{{Fault: types.FAULT_EQUIVOCATION, Count: 1}}
	}
	return o
}

func randomMoniker(r *rand.Rand) string {
	return simtypes.RandStringOfLength(r, simtypes.RandIntBetween(r, types.MinMonikerLength, types.MaxMonikerLength+1))
}

func randomWebsite(r *rand.Rand) string {
	if r.Intn(3) == 0 {
		return ""
	}
	return "https://" + simtypes.RandStringOfLength(r, simtypes.RandIntBetween(r, 1, 60)) + ".example/gpus"
}

func randomKind(r *rand.Rand) types.OperatorKind {
	if r.Intn(2) == 0 {
		return types.OPERATOR_KIND_CONTRIBUTOR
	}
	return types.OPERATOR_KIND_DATACENTER
}
