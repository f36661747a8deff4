package rent

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

func TestParseStart(t *testing.T) {
	now := time.Date(2026, 12, 1, 8, 0, 0, 500_000_000, time.UTC)
	tests := map[string]struct {
		in   string
		want time.Time
		err  string
	}{
		"duration":    {in: "90m", want: time.Date(2026, 12, 1, 9, 30, 0, 0, time.UTC)},
		"time":        {in: "2026-12-02T08:00:00Z", want: time.Date(2026, 12, 2, 8, 0, 0, 0, time.UTC)},
		"other zone":  {in: "2026-12-02T08:00:00+02:00", want: time.Date(2026, 12, 2, 6, 0, 0, 0, time.UTC)},
		"past":        {in: "2026-12-01T08:00:00Z", err: "the chain's clock says 2026-12-01T08:00:00Z already"},
		"backwards":   {in: "-1h", err: "already"},
		"no time":     {in: "tomorrow", err: `got "tomorrow", want a time`},
		"no duration": {in: "36", err: "want a time"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseStart(tc.in, now)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

// TestCommands builds every command: a flag that is defined twice panics.
func TestCommands(t *testing.T) {
	rent := rentCmd()
	require.Len(t, rent.Commands(), 4)
	for _, cmd := range append(rent.Commands(), Commands()...) {
		require.NotEmpty(t, cmd.Example, cmd.Name())
		require.NotEmpty(t, cmd.Short, cmd.Name())
	}
	found, args, err := rent.Find([]string{"1", "job.yaml"})
	require.NoError(t, err)
	require.Equal(t, "rent", found.Name(), "a listing id is no subcommand")
	require.Len(t, args, 2)
}

func TestMatchTable(t *testing.T) {
	price := sdk.NewInt64Coin("ugrafi", 2_500_000)
	m := markettypes.QueryMatchComputeResponse{
		Cost:   sdk.NewInt64Coin("ugrafi", 5_000_000),
		Offers: []markettypes.MatchedOffer{{ListingId: 2, HostId: 3, Gpus: []uint32{0, 4}, Price: price}},
		Candidates: []markettypes.Candidate{
			{ListingId: 1, HostId: 9, Price: price, ReliabilityPpm: 993_055, Verdict: markettypes.CANDIDATE_VERDICT_NOT_FREE, Reason: "1 of 2 GPUs are free"},
			{ListingId: 2, HostId: 3, Price: price, ReliabilityPpm: 1_000_000, Verdict: markettypes.CANDIDATE_VERDICT_CHOSEN},
		},
	}
	var out bytes.Buffer
	require.NoError(t, matchTable(&out, m))
	require.Equal(t, `LISTING  HOST  PRICE          TIER  UP        VERDICT   WHY
1        9     2500000ugrafi  T0    99.30 %   not free  1 of 2 GPUs are free
2        3     2500000ugrafi  T0    100.00 %  chosen    GPUs 0 4

2 GPU(s) of 1 listing(s) for at most 5000000ugrafi
`, out.String())

	out.Reset()
	require.NoError(t, matchTable(&out, markettypes.QueryMatchComputeResponse{Obstacle: "no offer", Bounded: true}))
	require.Contains(t, out.String(), "no offer of that class")
	require.Contains(t, out.String(), "ended at its bound")
	require.NotContains(t, out.String(), "at most")
}

func TestSLA(t *testing.T) {
	p := markettypes.DefaultParams()
	r := rental(1_000, 700, 300, 0)
	r.State = markettypes.RENTAL_STATE_ACTIVE
	r.Availability = &markettypes.Availability{JudgedSlots: 1_000, MissedSlots: 11, PeriodPaid: math.NewInt(200), Credited: math.NewInt(7)}
	require.Equal(t, "98.90 %, 11 of 1000 judged slots missed; service credit: 125ugrafi owed, 7ugrafi paid", newSLA(r, p).String())
	r.State = markettypes.RENTAL_STATE_CLOSED
	require.Equal(t, "0ugrafi", newSLA(r, p).Owed, "it was paid with the close")
}

func TestCancelTerms(t *testing.T) {
	r := rental(1_000, 0, 0, 1_009)
	r.Reservation = &markettypes.Reservation{StartAt: time.Unix(100_000, 0)}
	p := markettypes.Params{FreeCancel: 24 * time.Hour, LateCancelPpm: 100_000}
	for at, want := range map[int64]string{100_000 - 86_400 - 1: "everything", 100_000 - 86_400 + 1: "gets 100ugrafi"} {
		require.Contains(t, cancelTerms(r, p, time.Unix(at, 0)), want)
	}
}
