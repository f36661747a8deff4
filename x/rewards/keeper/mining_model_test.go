package keeper_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/grafilab/grafi/x/rewards/types"
)

// modelSlots keeps the days of the model short.
const modelSlots = 12

// modelGPU is a GPU of the brute force: its weight found from the stake that the model
// remembers, its slots counted one by one.
type modelGPU struct {
	host    uint64
	ordinal uint32
	owner   sdk.AccAddress
	weight  uint64
	slots   uint32
	struck  bool
}

// TestMiningAgainstBruteForce: random days of random hosts, stakes that change in the
// middle of them, equivocations and claims in random order. Every reward is that of
// a model that adds up GPU by GPU, every account adds up after every step, and
// nothing is lost over the days.
func TestMiningAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newMineFixture(rt)
		f.hosts.params.SlotsPerDay, f.hosts.params.SlotSeconds = modelSlots, 86_400/modelSlots
		accounts := []sdk.AccAddress{olga, oscar, ann}
		kindOf := map[string]stakeKind{string(olga): datacenter, string(oscar): contributor, string(ann): datacenter}
		f.params(func(p *types.Params) {
			p.Rules.TargetFloorPpm = rapid.SampledFrom([]uint64{0, 1, 200_000}).Draw(rt, "floor")
			p.Rules.DatacenterTargetWeightPpm = rapid.Uint64Range(0, 1e9).Draw(rt, "target")
			p.Rules.OperatorCapPpm = rapid.Uint64Range(1, types.PPM).Draw(rt, "cap")
			p.ClaimDays = 2
		})
		for _, account := range accounts {
			f.operator(account, kindOf[string(account)], rapid.Int64Range(100, 900).Draw(rt, "stake"), 200)
		}
		owner := map[uint64]sdk.AccAddress{}
		for range rapid.IntRange(1, 4).Draw(rt, "hosts") {
			account := rapid.SampledFrom(accounts).Draw(rt, "owner")
			owner[f.host(account, rapid.SampledFrom([]string{h100, rtx, "none"}).Draw(rt, "class"), rapid.Uint32Range(1, 3).Draw(rt, "gpus"))] = account
		}
		rules := f.rules()
		for day := uint64(today); day < today+4; day++ {
			f.at(dayStart(day).Add(1))
			atStart := map[string]math.Int{}
			for _, account := range accounts {
				atStart[string(account)] = f.staking.operators[string(account)].CountedStake
			}
			gpus := f.modelDay(rt, day, owner, atStart, rules)
			f.sound()
			closed := f.close(day)
			f.compareDay(rt, closed, gpus, kindOf, rules)
			f.sound()
		}
		m := f.mining()
		// Emission = paid + still in claimable days + carried over, at any time.
		left := m.DatacenterCarry.Add(m.ContributorCarry)
		for _, d := range f.export().Days {
			if d.Status == types.DAY_STATUS_CLOSED {
				left = left.Add(d.Pool()).Sub(d.Datacenter.Paid).Sub(d.Contributor.Paid)
			}
		}
		paid := math.ZeroInt()
		for _, account := range accounts {
			paid = paid.Add(f.bank.GetBalance(f.ctx, account, denom).Amount)
		}
		paid = paid.Add(f.bank.GetBalance(f.ctx, authtypes.NewModuleAddress(types.StakersAccount), denom).Amount) // released, not claimed
		for _, tranche := range f.export().Tranches {
			paid = paid.Add(tranche.Amount).Sub(tranche.Paid)
		}
		require.Equal(rt, m.Minted.String(), left.Add(paid).String())
	})
}

func (f *mineFixture) rules() types.Rules {
	f.t.Helper()
	params, err := f.k.Params(f.ctx)
	require.NoError(f.t, err)
	return params.Rules
}

// modelDay attests random slots, changes stakes and proves equivocations, and returns
// what each GPU should have.
func (f *mineFixture) modelDay(rt *rapid.T, day uint64, owner map[uint64]sdk.AccAddress, atStart map[string]math.Int, rules types.Rules) []modelGPU {
	var gpus []modelGPU
	for id := uint64(1); id <= uint64(len(owner)); id++ {
		struck := -1
		if rapid.IntRange(0, 5).Draw(rt, "equivocates") == 0 {
			struck = rapid.IntRange(0, modelSlots).Draw(rt, "proven at slot")
		}
		n := rapid.SampledFrom([]int{0, 1, 10, 11, 12}).Draw(rt, "slots")
		host := f.hosts.hosts[id]
		for s := range n {
			if s == struck {
				require.NoError(rt, f.k.AttestationHooks().AfterEquivocationProven(f.ctx, id, day*modelSlots))
			}
			if s == 0 || s == 6 { // before and after the first slot of other hosts
				delta := rapid.Int64Range(-300, 300).Draw(rt, "stake moves")
				require.NoError(rt, f.staking.bond(f.ctx, owner[id], delta*grafi))
			}
			f.attest(day, id)
		}
		if struck >= n {
			require.NoError(rt, f.k.AttestationHooks().AfterEquivocationProven(f.ctx, id, day*modelSlots))
		}
		ratio := rules.StakeRatio(atStart[string(owner[id])], math.NewInt(200*grafi))
		for i := range host.Capacity {
			weight := types.Factors{
				Class: f.hosts.weights[f.hosts.classes[id]], Connection: types.PPM, Performance: types.PPM, Bonus: types.PPM,
				Stake: types.StakeFactor(ratio),
			}.Weight()
			if n == 0 {
				weight = 0
			}
			gpus = append(gpus, modelGPU{id, i, owner[id], weight, uint32(n), struck >= 0})
		}
	}
	return gpus
}

// compareDay claims everything in a random order and compares with the model.
func (f *mineFixture) compareDay(rt *rapid.T, day types.Day, gpus []modelGPU, kindOf map[string]stakeKind, rules types.Rules) {
	sums := map[stakeKind]math.Int{datacenter: math.ZeroInt(), contributor: math.ZeroInt()}
	for _, g := range gpus {
		if !g.struck {
			kind := kindOf[string(g.owner)]
			sums[kind] = sums[kind].Add(math.NewIntFromUint64(g.weight).Mul(math.NewIntFromUint64(rules.UptimeFactor(g.slots, modelSlots))))
		}
	}
	earned, paid := map[string]math.Int{}, map[string]math.Int{}
	for _, i := range rapid.Permutation(indexes(len(gpus))).Draw(rt, "order") {
		g := gpus[i]
		kind, who := kindOf[string(g.owner)], string(g.owner)
		pool := day.Kind(kind)
		require.Equal(rt, sums[kind].String(), pool.WeightedUptime.String(), "U of %s", kind)
		reward := math.ZeroInt()
		if !g.struck {
			reward = types.Reward(g.weight, rules.UptimeFactor(g.slots, modelSlots), types.Rho(pool.Pool, sums[kind]))
		}
		if _, ok := earned[who]; !ok {
			earned[who], paid[who] = math.ZeroInt(), math.ZeroInt()
		}
		earned[who] = earned[who].Add(reward)
		got, err := f.claim(g.owner, day.Day, g.host, g.ordinal)
		if err != nil {
			require.True(rt, types.ErrNothingEarned.Is(err) && reward.IsZero() || types.ErrCapReached.Is(err), "%v", err)
		}
		paid[who] = paid[who].AddRaw(got)
		require.Equal(rt, math.MinInt(earned[who], day.OperatorCap).String(), paid[who].String(), "of %s", g.owner)
	}
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
