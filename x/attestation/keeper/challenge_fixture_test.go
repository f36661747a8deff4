package keeper_test

import (
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/core/header"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/compute"
	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
)

const (
	h100    = "nvidia-h100-80gb-sxm"
	rtx4090 = "nvidia-rtx-4090"
)

// quick is work of 33,554,432 operations: 3 gops when it takes 10 ms, 1 when 20.
var quick = types.ChallengeProfile{N: 64, M: 256, Rounds: 16, WindowMs: 20_000, MinGops: 3}

// challengeGenesis has quick profiles for two classes. Nobody is drawn.
func challengeGenesis() types.GenesisState {
	gs := genesis()
	gs.Params.Challenge.DrawPpm, gs.Params.Challenge.AllowanceMs = 0, 0
	gs.Params.Challenge.Samples, gs.Params.Challenge.OpenWindowMs = 8, 10_000
	for i := range gs.Classes {
		switch c := &gs.Classes[i]; c.Key {
		case h100:
			c.Profile = quick
		case rtx4090:
			c.Profile = quick
			c.Profile.MinGops = 1
		}
	}
	return gs
}

// challenged is a network in which host 1, with n H100s, was challenged a moment ago.
func challenged(t testing.TB, n int, change ...func(*types.GenesisState)) *fixture {
	t.Helper()
	gs := challengeGenesis()
	for _, c := range change {
		c(&gs)
	}
	f := newFixtureWith(t, gs)
	f.register(n)
	f.later(time.Second)
	return f
}

// later begins the next block, so much later. Its app hash is its own.
func (f *fixture) later(d time.Duration) {
	f.t.Helper()
	t, height := f.ctx.BlockTime().Add(d), f.ctx.BlockHeight()+1
	hash, app := sha256.Sum256(fmt.Appendf(nil, "block %d", height)), sha256.Sum256(fmt.Appendf(nil, "state %d", height))
	f.ctx = f.ctx.WithBlockTime(t).WithBlockHeight(height).WithEventManager(sdk.NewEventManager()).
		WithHeaderInfo(header.Info{ChainID: chainID, Height: height, Hash: hash[:], AppHash: app[:], Time: t})
	require.NoError(f.t, f.k.BeginBlock(f.ctx))
}

func (f *fixture) theChallenge(host uint64) types.Challenge {
	f.t.Helper()
	c, err := f.k.Challenge(f.ctx, host)
	require.NoError(f.t, err)
	return c
}

// work is what the GPU of the open challenge computes.
func (f *fixture) work(host uint64, ordinal uint32) compute.Work {
	f.t.Helper()
	c := f.theChallenge(host)
	h, err := f.k.Host(f.ctx, host)
	require.NoError(f.t, err)
	return c.Find(ordinal).Profile.Work(types.ChallengeSeed(c.Beacon, c.AgentKey, h.FirstGpu+uint64(ordinal)))
}

func (f *fixture) prove(host uint64, ordinal uint32) *compute.Proof {
	f.t.Helper()
	p, err := compute.Prove(f.work(host, ordinal))
	require.NoError(f.t, err)
	return p
}

func commitment(ordinal uint32, p *compute.Proof) types.GpuCommitment {
	return types.GpuCommitment{Ordinal: ordinal, Commitment: p.Commitment[:]}
}

// commitMsg commits to answers, signed by the test key of the host.
func (f *fixture) commitMsg(host uint64, commitments ...types.GpuCommitment) *types.MsgCommitChallenge {
	f.t.Helper()
	return f.commitMsgBy(agentKey(host), host, commitments...)
}

func (f *fixture) commitMsgBy(key ed25519.PrivateKey, host uint64, commitments ...types.GpuCommitment) *types.MsgCommitChallenge {
	f.t.Helper()
	msg := &types.MsgCommitChallenge{Submitter: text(other), HostId: host, ChallengeId: f.theChallenge(host).Id, Commitments: commitments}
	doc := types.ChallengeCommitDoc{ChainId: chainID, HostId: host, ChallengeId: msg.ChallengeId, Commitments: commitments}
	signBytes, err := doc.SignBytes()
	require.NoError(f.t, err)
	msg.Signature = ed25519.Sign(key, signBytes)
	return msg
}

func (f *fixture) openMsg(host uint64, ordinal uint32, opening []byte) *types.MsgOpenChallenge {
	f.t.Helper()
	msg := &types.MsgOpenChallenge{
		Submitter: text(other), HostId: host, ChallengeId: f.theChallenge(host).Id, Ordinal: ordinal, Opening: opening,
	}
	doc := types.NewChallengeOpeningDoc(chainID, host, msg.ChallengeId, ordinal, opening)
	signBytes, err := doc.SignBytes()
	require.NoError(f.t, err)
	msg.Signature = ed25519.Sign(agentKey(host), signBytes)
	return msg
}

// deliver runs a message as a transaction: a failure leaves no trace.
func (f *fixture) commitChallenge(msg *types.MsgCommitChallenge) error {
	cached, write := f.ctx.CacheContext()
	_, err := f.msg.CommitChallenge(cached, msg)
	if err == nil {
		write()
	}
	return err
}

func (f *fixture) openChallenge(msg *types.MsgOpenChallenge) (*types.MsgOpenChallengeResponse, error) {
	cached, write := f.ctx.CacheContext()
	resp, err := f.msg.OpenChallenge(cached, msg)
	if err == nil {
		write()
	}
	return resp, err
}

// sampled goes on to the block that says what is opened.
func (f *fixture) sampled(host uint64) {
	f.t.Helper()
	for range f.k.MustParams(f.ctx).Challenge.SampleDelay {
		f.later(time.Second)
	}
	require.Equal(f.t, types.CHALLENGE_STATE_SAMPLED, f.theChallenge(host).State)
}

// opening opens the proof for the sample of now.
func (f *fixture) opening(host uint64, p *compute.Proof) []byte {
	f.t.Helper()
	c := f.theChallenge(host)
	opening, err := p.Open([32]byte(c.Sample), c.Samples)
	require.NoError(f.t, err)
	return opening
}

// answer answers the open challenge of the host rightly, each GPU after so long of the
// clock, and returns the outcomes.
func (f *fixture) answer(host uint64, after ...time.Duration) []*types.MsgOpenChallengeResponse {
	f.t.Helper()
	proofs := make([]*compute.Proof, len(after))
	var passed time.Duration
	order := make([]int, len(after))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(after[a], after[b]) })
	for _, i := range order {
		if d := after[i]; d > passed {
			f.later(d - passed)
			passed = d
		}
		proofs[i] = f.prove(host, uint32(i))
		require.NoError(f.t, f.commitChallenge(f.commitMsg(host, commitment(uint32(i), proofs[i]))))
	}
	f.sampled(host)
	var out []*types.MsgOpenChallengeResponse
	for i, p := range proofs {
		resp, err := f.openChallenge(f.openMsg(host, uint32(i), f.opening(host, p)))
		require.NoError(f.t, err)
		out = append(out, resp)
	}
	return out
}

// again has all GPUs of the host challenged in a new block, as a draw would.
func (f *fixture) again(host uint64, n int) {
	f.t.Helper()
	ordinals := make([]uint32, n)
	for i := range ordinals {
		ordinals[i] = uint32(i)
	}
	require.NoError(f.t, f.k.ChallengeGPUs(f.ctx, host, ordinals, other))
	f.later(time.Second)
}

func events(t testing.TB, list ...proto.Message) []sdk.Event {
	t.Helper()
	out := make([]sdk.Event, len(list))
	for i, e := range list {
		event, err := sdk.TypedEventToEvent(e)
		require.NoError(t, err)
		out[i] = event
	}
	return out
}

func (f *fixture) gpuProof(host uint64, ordinal uint32) types.ComputeProof {
	f.t.Helper()
	p, err := f.k.ComputeProof(f.ctx, host, ordinal)
	require.NoError(f.t, err)
	return p
}

func (f *fixture) queries() types.QueryServer { return keeper.NewQueryServer(f.k) }
