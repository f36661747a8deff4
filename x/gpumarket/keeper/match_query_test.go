package keeper_test

import (
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/keeper"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

func (f *fixture) dryRun(msg *types.MsgRequestCompute) *types.QueryMatchComputeResponse {
	f.t.Helper()
	before := f.state()
	resp, err := keeper.NewQueryServer(f.k).MatchCompute(f.ctx, &types.QueryMatchComputeRequest{Renter: msg.Renter, Request: msg.Request})
	require.NoError(f.t, err)
	require.Equal(f.t, before, f.state(), "a query changes nothing")
	return resp
}

// Every candidate that was read is told, in the order of the search, with the
// reason for which it was passed over.
func TestMatchComputeExplains(t *testing.T) {
	f := newFixture(t)
	f.offer(21, 1_000_000, inRegion("FR"), proven(2, 0))
	f.offer(22, 1_000_000, proven(1, 0)) // under the tier
	jailed := sdk.AccAddress("jailed______________")
	f.fund(jailed, coin(1))
	f.offer(23, 1_100_000, proven(2, 5), func(h *fakeHost, m *types.MsgCreateListing) { h.Operator, m.Operator = str(jailed), str(jailed) })
	f.staking.jailed = jailed
	f.offer(24, 1_200_000, proven(2, 0)) // revoked
	f.offer(25, 1_300_000, proven(2, 0)) // its GPUs changed
	f.offer(26, 1_400_000, proven(2, 0), func(_ *fakeHost, m *types.MsgCreateListing) { m.MaxDurationSeconds = 60 })
	f.offer(27, 1_500_000, proven(2, 0)) // one GPU is free
	f.offer(28, 1_600_000, proven(2, 0)) // chosen
	f.offer(29, 1_600_000, proven(2, 0)) // not needed
	f.offer(30, 9_000_000, proven(2, 0)) // too dear
	f.offer(31, 9_000_001, proven(2, 0)) // never read
	msg := rentMsg(7)
	msg.Renter, msg.GpuCount = str(stranger), 3
	_, err := deliver(f, f.msg.Rent, msg)
	require.NoError(t, err)
	revoked, changed := f.attestation.more[24], f.attestation.more[25]
	revoked.Status, changed.class = attestationtypes.HOST_STATUS_REVOKED, "sim"
	f.attestation.more[24], f.attestation.more[25] = revoked, changed

	request := computeMsg(4, func(r *types.ComputeRequest) { r.MinTrustTier = 2 })
	anywhere := f.dryRun(request)
	verdicts := func(resp *types.QueryMatchComputeResponse) (out [][2]int) {
		for _, c := range resp.Candidates {
			require.Equal(t, c.Verdict == types.CANDIDATE_VERDICT_CHOSEN, c.Reason == "", "%v", c)
			out = append(out, [2]int{int(c.ListingId), int(c.Verdict)})
		}
		return out
	}
	require.Equal(t, [][2]int{{1, int(types.CANDIDATE_VERDICT_CHOSEN)}, {2, int(types.CANDIDATE_VERDICT_NOT_NEEDED)}}, verdicts(anywhere))
	require.Equal(t, coin(4_000_000), anywhere.Cost)

	// The country is where the listing was when it was offered; its host moved since.
	moved := f.attestation.more[21]
	moved.Region = "ES"
	f.attestation.more[21] = moved
	require.Equal(t, types.CANDIDATE_VERDICT_REGION,
		f.dryRun(computeMsg(1, func(r *types.ComputeRequest) { r.Region = "FR" })).Candidates[0].Verdict)

	f.mustStatus(types.LISTING_STATUS_PAUSED) // listing 1
	resp := f.dryRun(request)
	require.Equal(t, [][2]int{
		{2, int(types.CANDIDATE_VERDICT_TRUST_TIER)},
		{3, int(types.CANDIDATE_VERDICT_OPERATOR)},
		{4, int(types.CANDIDATE_VERDICT_HOST)},
		{5, int(types.CANDIDATE_VERDICT_CLASS)},
		{6, int(types.CANDIDATE_VERDICT_DURATION)},
		{7, int(types.CANDIDATE_VERDICT_NOT_FREE)},
		{8, int(types.CANDIDATE_VERDICT_CHOSEN)},
		{9, int(types.CANDIDATE_VERDICT_NOT_NEEDED)},
	}, verdicts(resp))
	require.Equal(t, []types.MatchedOffer{{
		ListingId: 8, HostId: 28, Operator: str(operator), Gpus: []uint32{0, 1, 2, 3}, Price: coin(1_600_000),
		Escrow: coin(6_400_000), StartAt: start,
	}}, resp.Offers)
	require.Equal(t, coin(6_400_000), resp.Cost)
	require.Empty(t, resp.Obstacle)
	require.False(t, resp.Bounded)

	request.Request.MinTrustTier, request.Request.GpuCount = 3, 1
	resp = f.dryRun(request)
	require.Equal(t, [2]int{10, int(types.CANDIDATE_VERDICT_PRICE)}, verdicts(resp)[8], "the first over the price, and no other")
	require.Len(t, resp.Candidates, 9)
	require.Contains(t, resp.Obstacle, "8 under the trust tier")

	f.setParams(func(p *types.Params) { p.MaxScan = 3 })
	resp = f.dryRun(request)
	require.Len(t, resp.Candidates, 3)
	require.True(t, resp.Bounded)
}

func TestMatchComputeForAnybody(t *testing.T) {
	f := newFixture(t)
	f.offer(21, 1_000_000)
	msg := computeMsg(2)
	msg.Renter, msg.Request.ManifestDigest = "", nil
	resp := f.dryRun(msg)
	require.Len(t, resp.Offers, 1)
	require.Empty(t, resp.Obstacle)
	msg.Renter = str(poor)
	resp = f.dryRun(msg)
	require.Equal(t, coin(2_000_000), resp.Cost)
	require.Contains(t, resp.Obstacle, "insufficient funds")
	q := keeper.NewQueryServer(f.k)
	for _, req := range []*types.QueryMatchComputeRequest{nil, {}, {Renter: "x", Request: msg.Request}, {Request: types.ComputeRequest{Class: class}}} {
		_, err := q.MatchCompute(f.ctx, req)
		require.Error(t, err)
	}
}

// What the dry run shows is what the message does, on random markets.
func TestDryRunIsTheMessage(t *testing.T) {
	r := rand.New(rand.NewSource(7))
	for range 30 {
		f := newFixture(t)
		f.staking.setOwn(f.ctx, 1_000_000_000_000, 0)
		for host := range uint64(6) {
			f.offer(21+host, 1_000_000+int64(r.Intn(3))*100_000, proven(uint32(r.Intn(2)), uint64(r.Intn(2))),
				ahead(86_400), alsoInterruptible(500_000+int64(r.Intn(3))*100_000))
		}
		for range 6 {
			msg := computeMsg(uint32(1+r.Intn(9)), placed(types.Placement(1+r.Intn(3))), func(req *types.ComputeRequest) {
				switch r.Intn(4) {
				case 0:
					req.Interruptible = true
				case 1:
					req.StartAt = ptr(after(int64(1 + r.Intn(9_000))))
				case 2:
					req.FailoverMaxPrice = ptr(coin(2_000_000))
				}
			})
			dry := f.dryRun(msg)
			before := f.balance(renter)
			resp, err := deliver(f, f.msg.RequestCompute, msg)
			require.Equal(t, dry.Obstacle == "", err == nil, "%s / %v", dry.Obstacle, err)
			if err != nil {
				continue
			}
			require.Equal(t, dry.Cost.Amount.Int64(), before-f.balance(renter))
			require.Len(t, resp.RentalIds, len(dry.Offers))
			for i, id := range resp.RentalIds {
				got := f.rental(id)
				require.Equal(t, dry.Offers[i].Gpus, got.Gpus)
				require.Equal(t, dry.Offers[i].ListingId, got.ListingId)
			}
			f.checkInvariants()
		}
	}
}
