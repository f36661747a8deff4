package keeper_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"cosmossdk.io/math"
	"github.com/cosmos/gogoproto/jsonpb"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/rewards/client/cli"
	"github.com/grafilab/grafi/x/rewards/types"
)

// explained is a closed day of a GPU with every factor at work: stake between 1 and
// 4 times the requirement, rent of the day before, a kind under its target, a cap.
func explained(t *testing.T) (*mineFixture, uint64) {
	f := newMineFixture(t)
	f.hosts.probed.UpMbps, f.hosts.probed.DownMbps, f.hosts.probed.Day = 320, 400, 2 // of 208: C is 0.9
	f.hosts.results.Missed = 1                                                       // P is 24 of 25
	f.params(func(p *types.Params) {
		p.Rules.OperatorCapPpm = 900_000
	})
	f.operator(olga, datacenter, 500, 200)
	host := f.host(olga, h100, 2)
	f.slots(today, host, 144)
	f.close(today)
	f.rent(host, dayStart(today).Add(12*hour), dayStart(today+1).Add(hour), 0, ugrafi(100*grafi), 1)
	for range 138 {
		f.attest(today+1, host)
	}
	for range 5 {
		f.attest(today+1, host, 1)
	}
	f.close(today + 1)
	f.mustClaim(olga, today+1, host, 0)
	return f, host
}

func (f *mineFixture) explain(day, host uint64, ordinal uint32) *types.QueryExplainResponse {
	f.t.Helper()
	resp, err := f.queries.Explain(f.ctx, &types.QueryExplainRequest{Day: day, HostId: host, Ordinal: ordinal})
	require.NoError(f.t, err)
	return resp
}

// TestExplain: the answer follows from itself, and says what a claim pays.
func TestExplain(t *testing.T) {
	f, host := explained(t)
	e := f.explain(today+1, host, 1)
	steps, err := e.Recompute()
	require.NoError(t, err)
	require.Len(t, steps, 16)
	require.EqualValues(t, 1_125_000, e.BonusPpm)
	require.EqualValues(t, 143, e.Slots)
	require.Equal(t, e.Claimable.Int64(), f.mustClaim(olga, today+1, host, 1))

	for name, e := range map[string]*types.QueryExplainResponse{
		"claimed":   f.explain(today+1, host, 1),
		"GPU 0":     f.explain(today+1, host, 0),
		"first day": f.explain(today, host, 0),
	} {
		_, err := e.Recompute()
		require.NoError(t, err, name)
	}
	f.attest(today+2, host)
	open := f.explain(today+2, host, 0)
	steps, err = open.Recompute()
	require.NoError(t, err)
	require.Len(t, steps, 11, "an open day has no ρ yet")
	require.True(t, open.Reward.IsZero())
	require.NoError(t, f.k.AttestationHooks().AfterEquivocationProven(f.ctx, host, (today+2)*perDay))
	struck := f.explain(today+2, host, 0)
	require.True(t, struck.Struck)
	_, err = struck.Recompute()
	require.NoError(t, err)
}

// TestEveryNumberIsChecked: change any number of the answer and the explanation
// fails; what is only a name, or an input without a consequence here, is listed.
func TestEveryNumberIsChecked(t *testing.T) {
	f, host := explained(t)
	free := map[string]bool{
		"Day": true, "HostId": true, "Ordinal": true, "Operator": true, // which reward it is
		"Status": true, "Claimed": true, "Struck": true, // tested by name below
		"Rules": true, "Histogram": true, "Pool": true, "Kind": true, "RentedFees": true, // tested by name below
		"TrustTier": true, "MedianAgeDays": true, "UpMbps": true, "DownMbps": true, "MemoryGib": true, "Challenged": true, "Wrong": true,
	}
	base := reflect.ValueOf(*f.explain(today+1, host, 1))
	for i := range base.NumField() {
		name := base.Type().Field(i).Name
		if free[name] {
			continue
		}
		e := *f.explain(today+1, host, 1)
		field := reflect.ValueOf(&e).Elem().Field(i)
		switch v := field.Interface().(type) {
		case math.Int:
			// By a tenth, since a unit of an input may be lost to a floor.
			field.Set(reflect.ValueOf(v.MulRaw(11).QuoRaw(10).AddRaw(1)))
		case uint32:
			field.SetUint(uint64(v) - 1)
		case uint64:
			field.SetUint(v*11/10 + 1)
		default:
			t.Fatalf("%s is a %T", name, v)
		}
		_, err := e.Recompute()
		require.Error(t, err, name)
	}
	for name, change := range map[string]func(*types.QueryExplainResponse){
		"claimed":         func(e *types.QueryExplainResponse) { e.Claimed = true },
		"struck":          func(e *types.QueryExplainResponse) { e.Struck = true },
		"kind":            func(e *types.QueryExplainResponse) { e.Kind = contributor },
		"histogram":       func(e *types.QueryExplainResponse) { e.Histogram[144]++ },
		"short histogram": func(e *types.QueryExplainResponse) { e.Histogram = e.Histogram[:144] },
		"not in the histogram": func(e *types.QueryExplainResponse) {
			e.Histogram[143], e.Histogram[142] = 0, e.Histogram[143]
		},
		"tier":         func(e *types.QueryExplainResponse) { e.TrustTier = 0 },
		"no such tier": func(e *types.QueryExplainResponse) { e.TrustTier = 4 },
		"not probed":   func(e *types.QueryExplainResponse) { e.MedianAgeDays = 0 },
		"up":           func(e *types.QueryExplainResponse) { e.UpMbps = 207 },
		"down":         func(e *types.QueryExplainResponse) { e.DownMbps = 207 },
		"memory":       func(e *types.QueryExplainResponse) { e.MemoryGib = 192 },
		"unchallenged": func(e *types.QueryExplainResponse) { e.Challenged = false },
		"wrong":        func(e *types.QueryExplainResponse) { e.Wrong = true },
		"connection":   func(e *types.QueryExplainResponse) { e.Rules.Connection[1].FactorPpm++ },
		"fees":         func(e *types.QueryExplainResponse) { e.RentedFees = e.RentedGain },
		"emission":     func(e *types.QueryExplainResponse) { e.Pool.Emission = e.Pool.Emission.MulRaw(2) },
		"carry":        func(e *types.QueryExplainResponse) { e.Pool.Carry = e.Pool.Carry.MulRaw(2) },
		"U":            func(e *types.QueryExplainResponse) { e.Pool.WeightedUptime = e.Pool.WeightedUptime.AddRaw(1) },
		"R":            func(e *types.QueryExplainResponse) { e.Pool.Pool = e.Pool.Pool.AddRaw(1) },
		"ρ":            func(e *types.QueryExplainResponse) { e.Pool.Rho = e.Pool.Rho.AddRaw(1) },
		"cap rule":     func(e *types.QueryExplainResponse) { e.Rules.OperatorCapPpm++ },
		"target":       func(e *types.QueryExplainResponse) { e.Rules.DatacenterTargetWeightPpm *= 2 },
		"bonus":        func(e *types.QueryExplainResponse) { e.Rules.RentedBonusPpm += 100 },
		"uptime":       func(e *types.QueryExplainResponse) { e.Rules.Uptime[3].FactorPpm += 100 },
		"no number":    func(e *types.QueryExplainResponse) { e.Reward = math.Int{} },
		"negative":     func(e *types.QueryExplainResponse) { e.Stake = e.Stake.Neg() },
		"bad rules":    func(e *types.QueryExplainResponse) { e.Rules.Uptime = nil },
		"no slots":     func(e *types.QueryExplainResponse) { e.SlotsPerDay = 0 },
	} {
		e := *f.explain(today+1, host, 1)
		change(&e)
		_, err := e.Recompute()
		require.Error(t, err, name)
	}
	_, err := (&types.QueryExplainResponse{}).Recompute()
	require.ErrorIs(t, err, types.ErrInvalidExplanation)
}

// TestExplainCommand runs the command on files and on the standard input.
func TestExplainCommand(t *testing.T) {
	f, host := explained(t)
	text, err := (&jsonpb.Marshaler{OrigName: true, EmitDefaults: true}).MarshalToString(f.explain(today+1, host, 1))
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "reward.json")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	run := func(in string, args ...string) (string, error) {
		var out bytes.Buffer
		cmd := cli.ExplainCommand()
		cmd.SetIn(strings.NewReader(in))
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		cmd.SetArgs(args)
		err := cmd.Execute()
		return out.String(), err
	}
	table, err := run("", file)
	require.NoError(t, err)
	require.Contains(t, table, "Every number follows: 16 steps recomputed.")
	require.Contains(t, table, "H 10000000 × C 900000 × S 1290569 × P 960000 × B 1125000 / PPM⁴")
	same, err := run(text, "-")
	require.NoError(t, err)
	require.Equal(t, table, same)

	forged := strings.Replace(text, `"weight_ppm":"`, `"weight_ppm":"9`, 1)
	require.NotEqual(t, text, forged)
	table, err = run(forged, "-")
	require.ErrorIs(t, err, types.ErrExplanationDiffers)
	require.ErrorContains(t, err, "weight w: the answer says 9")
	require.Contains(t, table, "DIFFERS")

	for name, in := range map[string]string{
		"not JSON": "reward", "empty": "", "empty object": "{}", "a field too many": `{"moon":1}`, "too large": strings.Repeat(" ", 1<<20+1),
	} {
		_, err := run(in, "-")
		require.Error(t, err, name)
	}
	for _, args := range [][]string{{}, {"1", "2"}, {"a", "1", "0"}, {"1", "1", "4294967296"}, {"nowhere.json"}} {
		_, err := run("", args...)
		require.Error(t, err, args)
	}
}

// TestExplainRefused: what the query can't explain it names.
func TestExplainRefused(t *testing.T) {
	f, host := explained(t)
	for name, req := range map[string]types.QueryExplainRequest{
		"unknown host":            {Day: today, HostId: 99},
		"GPU over the capacity":   {Day: today, HostId: host, Ordinal: 2},
		"day before mining":       {Day: today - 1, HostId: host},
		"a day that has not come": {Day: today + 9, HostId: host},
		"a host without a slot":   {Day: today, HostId: f.host(oscar, rtx, 1)},
	} {
		_, err := f.queries.Explain(f.ctx, &req)
		require.ErrorContains(t, err, "NotFound", name)
	}
}
