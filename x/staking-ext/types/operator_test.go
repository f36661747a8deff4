package types_test

import (
	"strings"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

func TestValidateMoniker(t *testing.T) {
	for moniker, valid := range map[string]bool{
		"": false, "ab": false, "abc": true, "Übung 東京": true,
		strings.Repeat("é", 70): true, strings.Repeat("é", 71): false,
		" abc": false, "abc ": false, "a b c": true,
		"ab\x00c": false, "ab\nc": false, "ab\u202ec": false, "ab\u200bc": false, "ab\xffc": false, "ab\u00a0c": false,
	} {
		err := types.ValidateDescription(moniker, "", 0)
		require.Equal(t, valid, err == nil, "%q: %v", moniker, err)
		if !valid {
			require.ErrorIs(t, err, types.ErrInvalidOperator)
		}
	}
}

func TestValidateWebsite(t *testing.T) {
	longest := "https://a.example/" + strings.Repeat("x", 140-18)
	for website, valid := range map[string]bool{
		"": true, "http://a": true, "https://grafi.example": true, "https://a.example:8443/p?q=1#f": true,
		"https://1.2.3.4/": true, longest: true, longest + "x": false,
		"a.example": false, "ftp://a.example": false, "javascript:alert(1)": false, "HTTPS://a.example": false,
		"https://": false, "https:///path": false, "https://:80": false, "https://a.example:": false,
		"https://a.example:0": false, "https://a.example:65536": false, "https://a.example:80a": false,
		"https://user@a.example": false, "https://a..example": false, "https://-a.example": false, "https://a-.example": false,
		"https://a.example/ x": false, "https://a.example/\"": false, "https://a.exämple": false, "https://a.example/\n": false,
		"https://" + strings.Repeat("a", 63) + ".example": true, "https://" + strings.Repeat("a", 64) + ".example": false,
	} {
		err := types.ValidateDescription("Alice", website, 0)
		require.Equal(t, valid, err == nil, "%q: %v", website, err)
		if !valid {
			require.ErrorIs(t, err, types.ErrInvalidOperator)
			require.Less(t, len(err.Error()), 400, "an error is short whatever was sent")
		}
	}
}

func TestEnsureRentable(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	since := func(d time.Duration) *time.Time { at := now.Add(-d); return &at }
	o := types.Operator{CountedStake: math.NewInt(5), Requirement: math.NewInt(6)}
	for name, tc := range map[string]struct {
		change func(*types.Operator)
		want   error
	}{
		"covered":                   {func(*types.Operator) {}, nil},
		"below, grace just begun":   {func(o *types.Operator) { o.BelowSince = since(0) }, nil},
		"last second of the grace":  {func(o *types.Operator) { o.BelowSince = since(time.Hour) }, nil},
		"a second after the grace":  {func(o *types.Operator) { o.BelowSince = since(time.Hour + time.Second) }, types.ErrBelowRequirement},
		"jailed":                    {func(o *types.Operator) { o.Jailed, o.JailedUntil = true, now.Add(1) }, types.ErrJailed},
		"jailed with its term over": {func(o *types.Operator) { o.Jailed, o.JailedUntil = true, now.Add(-1) }, types.ErrJailed},
		"tombstoned":                {func(o *types.Operator) { o.Jailed, o.Tombstoned = true, true }, types.ErrTombstoned},
	} {
		t.Run(name, func(t *testing.T) {
			o := o
			tc.change(&o)
			require.ErrorIs(t, o.EnsureRentable(now, time.Hour), tc.want)
		})
	}
}
