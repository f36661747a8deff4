package types_test

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cosmossdk.io/math"

	"github.com/grafilab/grafi/x/dao/types"
)

const (
	upheld    = types.VERDICT_UPHELD
	dismissed = types.VERDICT_DISMISSED
	silent    = types.VERDICT_UNSPECIFIED
)

func panel(votes ...types.Verdict) []types.PanelSeat {
	seats := make([]types.PanelSeat, len(votes))
	for i, v := range votes {
		seats[i].Vote = v
	}
	return seats
}

func TestTally(t *testing.T) {
	tests := map[string]struct {
		votes []types.Verdict
		want  types.Verdict
		sides [2]uint32
	}{
		"all for the claim":                   {[]types.Verdict{upheld, upheld, upheld}, upheld, [2]uint32{3, 0}},
		"most for the claim":                  {[]types.Verdict{upheld, dismissed, upheld}, upheld, [2]uint32{2, 1}},
		"most against":                        {[]types.Verdict{upheld, dismissed, dismissed}, dismissed, [2]uint32{1, 2}},
		"a tie of those that spoke dismisses": {[]types.Verdict{upheld, dismissed, silent}, dismissed, [2]uint32{1, 1}},
		"one spoke":                           {[]types.Verdict{silent, silent, upheld}, upheld, [2]uint32{1, 0}},
		"nobody spoke":                        {[]types.Verdict{silent, silent, silent}, silent, [2]uint32{0, 0}},
		"no panel":                            {nil, silent, [2]uint32{0, 0}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := types.TallyVotes(panel(tc.votes...))
			require.Equal(t, types.Tally{Upheld: tc.sides[0], Dismissed: tc.sides[1]}, got)
			require.Equal(t, tc.want, got.Verdict())
		})
	}
}

// TestSettle has the worked numbers of the README: a claim of 250 with a bond of 100.
func TestSettle(t *testing.T) {
	tests := map[string]struct {
		verdict          types.Verdict
		held, appealBond int64
		tally            types.Tally
		overturned       bool
		claimant, award  int64
		operator         int64
		appellant        int64
		juror, treasury  int64
	}{
		"upheld by three of five":             {verdict: upheld, held: 350, tally: types.Tally{Upheld: 3, Dismissed: 2}, claimant: 100, award: 250, juror: 33, treasury: 1},
		"upheld, the operator has less":       {verdict: upheld, held: 300, tally: types.Tally{Upheld: 3}, claimant: 100, award: 250, juror: 16, treasury: 2},
		"upheld, the operator has too little": {verdict: upheld, held: 200, tally: types.Tally{Upheld: 5}, claimant: 100, award: 200},
		"upheld, the operator has nothing":    {verdict: upheld, tally: types.Tally{Upheld: 5}, claimant: 100},
		"dismissed by four of five":           {verdict: dismissed, tally: types.Tally{Upheld: 1, Dismissed: 4}, juror: 25},
		"dismissed by three":                  {verdict: dismissed, tally: types.Tally{Dismissed: 3}, juror: 33, treasury: 1},
		"dismissed because nobody voted":      {verdict: dismissed, claimant: 100},
		"upheld, appeal lost":                 {verdict: upheld, held: 350, appealBond: 200, tally: types.Tally{Upheld: 5}, claimant: 100, award: 250, juror: 20, treasury: 200},
		"upheld, then dismissed on appeal":    {verdict: dismissed, held: 350, appealBond: 200, overturned: true, tally: types.Tally{Upheld: 3, Dismissed: 2}, operator: 350, appellant: 200, juror: 50},
		"upheld by all, then dismissed":       {verdict: dismissed, held: 350, appealBond: 200, overturned: true, tally: types.Tally{Upheld: 5}, operator: 350, appellant: 200, treasury: 100},
		"dismissed, then upheld on appeal":    {verdict: upheld, held: 350, appealBond: 200, overturned: true, tally: types.Tally{Upheld: 2, Dismissed: 3}, claimant: 100, award: 250, appellant: 200, juror: 50},
		"dismissed by all, then upheld":       {verdict: upheld, held: 250, appealBond: 200, overturned: true, tally: types.Tally{Dismissed: 5}, claimant: 100, award: 250, appellant: 200},
		"nobody voted, appeal lost":           {verdict: dismissed, appealBond: 200, claimant: 100, treasury: 200},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			d := types.Dispute{
				Verdict: tc.verdict, Claim: math.NewInt(250), Bond: math.NewInt(100),
				Held: math.NewInt(tc.held), AppealBond: math.NewInt(tc.appealBond),
			}
			s := d.Settle(tc.tally, tc.overturned)
			require.Equal(t, []int64{tc.claimant, tc.award, tc.operator, tc.appellant, tc.juror, tc.treasury},
				[]int64{s.Claimant.Int64(), s.Award.Int64(), s.Operator.Int64(), s.Appellant.Int64(), s.Juror.Int64(), s.Treasury.Int64()})
		})
	}
}

// TestSettleLosesNothing: the parts add up to what the dispute holds, none is
// negative, and the panel's part doesn't depend on the side that lost while
// there is enough.
func TestSettleLosesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		amount := func(name string) math.Int { return math.NewIntFromUint64(rapid.Uint64().Draw(rt, name)) }
		d := types.Dispute{
			Verdict: rapid.SampledFrom([]types.Verdict{upheld, dismissed}).Draw(rt, "verdict"),
			Claim:   amount("claim"), Bond: amount("bond"), AppealBond: amount("appeal bond"),
		}
		d.Held = math.MinInt(amount("held"), d.Claim.Add(d.Fee()))
		tally := types.Tally{
			Upheld:    rapid.Uint32Range(0, 15).Draw(rt, "for"),
			Dismissed: rapid.Uint32Range(0, 15).Draw(rt, "against"),
		}
		s := d.Settle(tally, rapid.Bool().Draw(rt, "overturned"))

		jurors := s.Juror.MulRaw(int64(tally.For(d.Verdict)))
		sum := s.Claimant.Add(s.Appellant).Add(s.Operator).Add(s.Treasury).Add(s.Award).Add(jurors)
		require.Equal(rt, d.Funds().String(), sum.String())
		for _, part := range []math.Int{s.Claimant, s.Appellant, s.Operator, s.Treasury, s.Award, s.Juror} {
			require.False(rt, part.IsNegative())
		}
		require.True(rt, jurors.LTE(d.Fee()))
		require.True(rt, s.Award.LTE(d.Claim))
	})
}

func TestForfeit(t *testing.T) {
	p := types.DefaultParams()
	p.UnrevealedSlashPpm = 100_000
	for bond, want := range map[int64]int64{0: 0, 9: 0, 10: 1, 19: 1, 500_000_000: 50_000_000} {
		require.Equal(t, want, p.ForfeitOf(math.NewInt(bond)).Int64(), "of %d", bond)
	}
	p.UnrevealedSlashPpm = types.PPM
	require.Equal(t, "7", p.ForfeitOf(math.NewInt(7)).String())
}

// TestCommitmentBytes pins the encoding by building it a second time: jurors
// compute it outside the chain.
func TestCommitmentBytes(t *testing.T) {
	salt := sha256.Sum256([]byte("salt"))
	preimage := append([]byte("grafi/dao/vote/v1"), 0, 0, 0, 7)
	preimage = append(preimage, "grafi-1"...)
	preimage = binary.BigEndian.AppendUint64(preimage, 300)
	preimage = binary.BigEndian.AppendUint32(preimage, 2)
	preimage = append(preimage, 0, 0, 0, 5)
	preimage = append(preimage, "juror"...)
	preimage = binary.BigEndian.AppendUint32(preimage, 1)
	preimage = append(preimage, salt[:]...)

	got := types.Commitment("grafi-1", 300, 2, []byte("juror"), upheld, salt[:])
	require.Equal(t, sha256.Sum256(preimage), got)

	for name, other := range map[string][sha256.Size]byte{
		"chain":   types.Commitment("grafi-2", 300, 2, []byte("juror"), upheld, salt[:]),
		"dispute": types.Commitment("grafi-1", 301, 2, []byte("juror"), upheld, salt[:]),
		"round":   types.Commitment("grafi-1", 300, 1, []byte("juror"), upheld, salt[:]),
		"juror":   types.Commitment("grafi-1", 300, 2, []byte("jurox"), upheld, salt[:]),
		"vote":    types.Commitment("grafi-1", 300, 2, []byte("juror"), dismissed, salt[:]),
		"salt":    types.Commitment("grafi-1", 300, 2, []byte("juror"), upheld, append([]byte{1}, salt[1:]...)),
	} {
		require.NotEqual(t, got, other, name)
	}
}

func TestMayAppeal(t *testing.T) {
	rental := types.Dispute{Kind: types.DISPUTE_KIND_RENTAL, Claimant: "renter", Operator: "operator"}
	slash := types.Dispute{Kind: types.DISPUTE_KIND_SLASH, Claimant: "operator", Operator: "operator"}
	tests := map[string]struct {
		d       types.Dispute
		verdict types.Verdict
		may     []string
		mayNot  []string
	}{
		"a renter won":               {rental, upheld, []string{"operator"}, []string{"renter", "somebody", ""}},
		"a renter lost":              {rental, dismissed, []string{"renter"}, []string{"operator", "somebody", ""}},
		"an operator won its slash":  {slash, upheld, []string{"somebody"}, []string{"operator"}},
		"an operator lost its slash": {slash, dismissed, []string{"operator"}, []string{"somebody"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.d.Verdict = tc.verdict
			for _, who := range tc.may {
				require.True(t, tc.d.MayAppeal(who), who)
			}
			for _, who := range tc.mayNot {
				require.False(t, tc.d.MayAppeal(who), who)
			}
		})
	}
}
