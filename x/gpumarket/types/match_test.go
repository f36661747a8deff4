package types_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

func coin(amount int64) sdk.Coin { return sdk.NewInt64Coin("ugrafi", amount) }

func TestCompareCandidates(t *testing.T) {
	base := types.Candidate{ListingId: 5, Price: coin(100), TrustTier: 1, ReliabilityPpm: 900_000}
	tests := map[string]struct {
		change func(*types.Candidate)
		want   int // of base against the changed one
	}{
		"itself":                     {func(*types.Candidate) {}, 0},
		"cheaper wins over all else": {func(c *types.Candidate) { c.Price, c.TrustTier = coin(101), 3 }, -1},
		"dearer":                     {func(c *types.Candidate) { c.Price = coin(99) }, 1},
		"higher tier first":          {func(c *types.Candidate) { c.TrustTier, c.ReliabilityPpm = 2, 0 }, 1},
		"lower tier":                 {func(c *types.Candidate) { c.TrustTier, c.ReliabilityPpm = 0, 1_000_000 }, -1},
		"more reliable first":        {func(c *types.Candidate) { c.ReliabilityPpm, c.ListingId = 900_001, 9 }, 1},
		"less reliable":              {func(c *types.Candidate) { c.ReliabilityPpm, c.ListingId = 899_999, 1 }, -1},
		"older listing first":        {func(c *types.Candidate) { c.ListingId = 4 }, 1},
		"younger listing":            {func(c *types.Candidate) { c.ListingId = 6 }, -1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			other := base
			tc.change(&other)
			require.Equal(t, tc.want, types.CompareCandidates(base, other))
			require.Equal(t, -tc.want, types.CompareCandidates(other, base))
		})
	}
}

// Whatever the order in which candidates are read, they are tried in one order.
func TestCandidatesHaveOneOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var all []types.Candidate
		for i := range rapid.IntRange(0, 12).Draw(rt, "n") {
			all = append(all, types.Candidate{
				ListingId: uint64(i), Price: coin(rapid.Int64Range(1, 3).Draw(rt, "price")),
				TrustTier:      rapid.Uint32Range(0, 2).Draw(rt, "tier"),
				ReliabilityPpm: rapid.Uint64Range(0, 2).Draw(rt, "reliability"),
			})
		}
		shuffled := rapid.Permutation(all).Draw(rt, "shuffled")
		slices.SortFunc(shuffled, types.CompareCandidates)
		slices.SortFunc(all, types.CompareCandidates)
		for i := range all {
			if all[i].ListingId != shuffled[i].ListingId {
				rt.Fatalf("place %d: %v or %v", i, all[i], shuffled[i])
			}
			if i > 0 && all[i].Price.IsLT(all[i-1].Price) {
				rt.Fatalf("place %d is cheaper than the one before", i)
			}
		}
	})
}

func TestInRegion(t *testing.T) {
	tests := map[string]struct {
		region, want string
		in           bool
	}{
		"anywhere":                        {"DE", "", true},
		"the country":                     {"DE", "DE", true},
		"a subdivision is in its country": {"US-CA", "US", true},
		"the subdivision":                 {"US-CA", "US-CA", true},
		"another subdivision":             {"US-NY", "US-CA", false},
		"the country is no subdivision":   {"US", "US-CA", false},
		"another country":                 {"FR", "DE", false},
		"a longer code is another":        {"US-CA", "US-C", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.in, types.InRegion(tc.region, tc.want)) })
	}
}

func TestPriceKeyKeepsTheOrder(t *testing.T) {
	limit := math.NewIntWithDecimal(1, 30)
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(name string) math.Int {
			digits := rapid.StringMatching(`[1-9][0-9]{0,29}`).Draw(rt, name)
			n, ok := math.NewIntFromString(digits)
			if !ok {
				rt.Fatalf("%s is no number", digits)
			}
			return n
		}
		a, b := draw("a"), draw("b")
		ka, err := types.PriceKey(a)
		if err != nil {
			rt.Fatal(err)
		}
		kb, err := types.PriceKey(b)
		if err != nil {
			rt.Fatal(err)
		}
		if len(ka) != types.PriceKeySize || bytes.Compare(ka, kb) != a.BigInt().Cmp(b.BigInt()) {
			rt.Fatalf("%s and %s: %x and %x", a, b, ka, kb)
		}
	})
	_, err := types.PriceKey(limit)
	require.NoError(t, err, "the highest price that params can allow")
	for name, price := range map[string]math.Int{
		"negative": math.NewInt(-1), "nil": {}, "too wide": math.NewIntWithDecimal(1, 32),
	} {
		_, err := types.PriceKey(price)
		require.ErrorIs(t, err, types.ErrInvalidPrice, name)
	}
}

func TestOfferScopesDiffer(t *testing.T) {
	seen := map[string]types.OfferScope{}
	for _, set := range types.OfferSets {
		for _, scope := range []types.OfferScope{
			{set, "a", "u", ""}, {set, "a", "u", "DE"}, {set, "a", "uDE", ""}, {set, "au", "u", ""}, {set, "a", "uu", ""},
		} {
			key := scope.Key()
			require.NotContains(t, seen, key)
			require.False(t, strings.Contains(key, "\x00"), "a zero byte ends a string key")
			seen[key] = scope
		}
	}
}
