package simulation

import (
	"context"
	"crypto/ed25519"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/compute"
	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
)

// anyChallenge returns a random host's challenge in this state that its agent can
// still answer, with the key, or skips.
func anyChallenge(ctx context.Context, k *keeper.Keeper, data *simsx.ChainDataSource, reporter simsx.SimulationReporter,
	state types.ChallengeState,
) (types.Challenge, types.Host, ed25519.PrivateKey) {
	next := must(k.NextHostID(ctx))
	first := data.Rand().Uint64InRange(0, next)
	for i := range next {
		id := (first+i)%next + 1
		c, err := k.Challenge(ctx, id)
		if err != nil || c.State != state {
			continue
		}
		host := must(k.Host(ctx, id))
		key, known := PrivateKey(id, c.AgentKey)
		for j := range host.AgentKeys {
			if known && !host.AgentKeys[j].Revoked && string(host.AgentKeys[j].PublicKey) == string(c.AgentKey) {
				return c, host, key
			}
		}
	}
	reporter.Skip("no challenge to answer")
	return types.Challenge{}, types.Host{}, nil
}

// answerOf does the work of a GPU on this CPU; whoever lies computes another GPU's.
// That is decided by the seed, so that the commitment and the opening agree.
func answerOf(c *types.Challenge, host *types.Host, g *types.ChallengedGpu) *compute.Proof {
	seed := types.ChallengeSeed(c.Beacon, c.AgentKey, host.FirstGpu+uint64(g.Ordinal))
	if seed[0]%16 == 0 {
		seed[1] ^= 1
	}
	return must(compute.Prove(g.Profile.Work(seed)))
}

// small tells whether a simulation can compute it.
func small(p types.ChallengeProfile) bool { return p.Work([32]byte{}).Ops() < 100_000_000 }

// CommitChallengeFactory commits to real answers of some or all GPUs of a challenge.
// Those of real classes are too large for a CPU: they commit to nothing that can be
// opened, and miss, or lie.
func CommitChallengeFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgCommitChallenge] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgCommitChallenge) {
		account := data.AnyAccount(reporter, simsx.WithSpendableBalance())
		c, host, key := anyChallenge(ctx, k, data, reporter, types.CHALLENGE_STATE_OPEN)
		if reporter.IsSkipped() {
			return nil, nil
		}
		r, clock := data.Rand(), must(k.ChallengeClock(ctx))
		msg := &types.MsgCommitChallenge{Submitter: account.AddressBech32, HostId: c.HostId, ChallengeId: c.Id}
		for i := range c.Gpus {
			g := &c.Gpus[i]
			if g.Outcome != types.CHALLENGE_OUTCOME_PENDING || len(g.Commitment) > 0 || clock > c.StartedMs+g.Profile.WindowMs || r.Intn(8) == 0 {
				continue
			}
			commitment := make([]byte, 32)
			if small(g.Profile) {
				copy(commitment, answerOf(&c, &host, g).Commitment[:])
			} else {
				r.Read(commitment)
			}
			msg.Commitments = append(msg.Commitments, types.GpuCommitment{Ordinal: g.Ordinal, Commitment: commitment})
		}
		if len(msg.Commitments) == 0 {
			reporter.Skip("all have committed")
			return nil, nil
		}
		doc := types.ChallengeCommitDoc{
			ChainId: sdk.UnwrapSDKContext(ctx).ChainID(), HostId: c.HostId, ChallengeId: c.Id, Commitments: msg.Commitments,
		}
		msg.Signature = ed25519.Sign(key, must(doc.SignBytes()))
		return []simsx.SimAccount{account}, msg
	}
}

// OpenChallengeFactory opens the answer of one GPU: a right one, that of another GPU,
// or bytes that open nothing.
func OpenChallengeFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgOpenChallenge] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgOpenChallenge) {
		account := data.AnyAccount(reporter, simsx.WithSpendableBalance())
		c, host, key := anyChallenge(ctx, k, data, reporter, types.CHALLENGE_STATE_SAMPLED)
		if reporter.IsSkipped() {
			return nil, nil
		}
		r := data.Rand()
		for i := range c.Gpus {
			g := &c.Gpus[i]
			if g.Outcome != types.CHALLENGE_OUTCOME_PENDING || (!small(g.Profile) && r.Intn(8) != 0) {
				continue
			}
			opening := []byte("nothing")
			if small(g.Profile) {
				opening = must(answerOf(&c, &host, g).Open([32]byte(c.Sample), c.Samples))
			}
			doc := types.NewChallengeOpeningDoc(sdk.UnwrapSDKContext(ctx).ChainID(), c.HostId, c.Id, g.Ordinal, opening)
			return []simsx.SimAccount{account}, &types.MsgOpenChallenge{
				Submitter: account.AddressBech32, HostId: c.HostId, ChallengeId: c.Id, Ordinal: g.Ordinal,
				Opening: opening, Signature: ed25519.Sign(key, must(doc.SignBytes())),
			}
		}
		reporter.Skip("nothing to open")
		return nil, nil
	}
}
