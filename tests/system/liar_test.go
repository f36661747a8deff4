package system

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/internal/chainclient"
	"github.com/grafilab/grafi/testutil/localnet"
	"github.com/grafilab/grafi/x/attestation/compute"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// trees is an answer to a challenge, true or not.
type trees interface {
	compute.Trees
	Open(beacon compute.Hash, t uint32) ([]byte, error)
}

// liar is a host whose owner runs a program of his own in place of grafi-agent. It
// attests every slot with everything up, and answers challenges in its own way.
type liar struct {
	hostID   uint64
	operator string // address
	agent    ed25519.PrivateKey
	wallet   cryptotypes.PrivKey
	client   *chainclient.Client
	queries  attestation.QueryClient

	// prove returns what the host commits to for a GPU; nil for no answer.
	prove func(ctx context.Context, work compute.Work, ordinal uint32) (trees, compute.Hash)
	// opened counts what it has opened, wrong those that the chain called wrong.
	opened, wrong atomic.Int64
	refused       atomic.Int64 // commitments
}

// newLiar makes an operator with a stake and a host of so many GPUs, and lets it live.
func newLiar(t *testing.T, ctx context.Context, n *localnet.Network, name string, gpus int,
	prove func(ctx context.Context, work compute.Work, ordinal uint32) (trees, compute.Hash),
) *liar {
	t.Helper()
	_, err := n.Tx(ctx, name, "stakingext", "register-operator", name, "contributor", "5000000000ugrafi")
	require.NoError(t, err)
	seed := sha256.Sum256([]byte(name))
	l := &liar{
		operator: n.Accounts[name], agent: ed25519.NewKeyFromSeed(seed[:]), wallet: keyOf(t, n, name),
		client: clientOf(t, n, n.Nodes[0].RPC), prove: prove,
	}
	l.queries = attestation.NewQueryClient(l.client)
	public, encryption := l.agent.Public().(ed25519.PublicKey), sha256.Sum256([]byte("encryption"+name))
	binding := attestation.NewAgentKeyBinding(n.ChainID, l.operator, 0, public, encryption[:])
	signBytes, err := binding.SignBytes()
	require.NoError(t, err)
	msg := &attestation.MsgRegisterHost{
		Operator: l.operator, Region: "DE", Endpoint: "https://127.0.0.1:1", AgentKey: public,
		EncryptionKey: encryption[:], AgentSignature: ed25519.Sign(l.agent, signBytes),
	}
	for i := range gpus {
		msg.Gpus = append(msg.Gpus, attestation.GpuInventory{
			Name: "Grafilab SIM GPU", Uuid: fmt.Sprintf("GPU-%x-%d", seed[:8], i), MemoryMib: 1024,
			PciBusId: fmt.Sprintf("0000:%02x:00.0", i), Driver: "sim",
		})
	}
	_, err = l.client.Submit(ctx, l.wallet, msg)
	require.NoError(t, err)
	found, err := l.queries.HostByAgentKey(ctx, &attestation.QueryHostByAgentKeyRequest{AgentKey: public})
	require.NoError(t, err)
	l.hostID = found.Host.Id

	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); l.live(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return l
}

// live attests and answers until the test ends. The chain is asked again after
// each error: what a liar is refused is what the test is about.
func (l *liar) live(ctx context.Context) {
	attested, answered := uint64(0), uint64(0)
	answers := map[uint32]trees{}
	for ctx.Err() == nil {
		if slot, err := l.attest(ctx, attested); err == nil {
			attested = slot
		}
		answered = l.answer(ctx, answered, answers)
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// attest signs the newest closed slot, everything up.
func (l *liar) attest(ctx context.Context, last uint64) (uint64, error) {
	clock, err := l.queries.Clock(ctx, &attestation.QueryClockRequest{})
	if err != nil || clock.LastClosedSlot <= last {
		return last, err
	}
	slot := clock.LastClosedSlot
	anchor, err := l.queries.Anchor(ctx, &attestation.QueryAnchorRequest{Slot: slot})
	if err != nil {
		return last, err
	}
	host, err := l.queries.Host(ctx, &attestation.QueryHostRequest{HostId: l.hostID})
	if err != nil {
		return last, err
	}
	att := attestation.Attestation{HostId: l.hostID}
	doc := attestation.NewAttestationDoc(l.client.ChainID(), &host.Host, slot, &anchor.Anchor, &att)
	signBytes, err := doc.SignBytes()
	if err != nil {
		return last, err
	}
	att.Signature = ed25519.Sign(l.agent, signBytes)
	_, err = l.client.Submit(ctx, l.wallet, &attestation.MsgSubmitAttestations{
		Submitter: l.operator,
		Groups: []attestation.AttestationGroup{{
			Slot: slot, AnchorHeight: anchor.Anchor.Height, AnchorHash: anchor.Anchor.Hash,
			Attestations: []attestation.Attestation{att},
		}},
	})
	return slot, err
}

// answer commits to a new challenge, or opens what was sampled.
func (l *liar) answer(ctx context.Context, answered uint64, answers map[uint32]trees) uint64 {
	q, err := l.queries.Challenge(ctx, &attestation.QueryChallengeRequest{HostId: l.hostID})
	if err != nil {
		return answered
	}
	c := &q.Challenge
	switch {
	case c.State == attestation.CHALLENGE_STATE_OPEN && c.Id > answered:
		clear(answers)
		for i := range c.Gpus {
			g := &c.Gpus[i]
			work := g.Profile.Work(attestation.ChallengeSeed(c.Beacon, c.AgentKey, q.FirstGpu+uint64(g.Ordinal)))
			answer, commitment := l.prove(ctx, work, g.Ordinal)
			if answer == nil {
				continue
			}
			answers[g.Ordinal] = answer
			if err := l.commit(ctx, c.Id, g.Ordinal, commitment); err != nil {
				l.refused.Add(1)
			}
		}
		return c.Id
	case c.State == attestation.CHALLENGE_STATE_SAMPLED:
		for i := range c.Gpus {
			g := &c.Gpus[i]
			if answer := answers[g.Ordinal]; answer != nil && g.Outcome == attestation.CHALLENGE_OUTCOME_PENDING && len(g.Commitment) > 0 {
				if err := l.open(ctx, c, g.Ordinal, answer, q.Samples); err != nil {
					slog.Info("open", "host", l.hostID, "err", err)
				}
			}
		}
	}
	return answered
}

func (l *liar) commit(ctx context.Context, id uint64, ordinal uint32, commitment compute.Hash) error {
	doc := attestation.ChallengeCommitDoc{
		ChainId: l.client.ChainID(), HostId: l.hostID, ChallengeId: id,
		Commitments: []attestation.GpuCommitment{{Ordinal: ordinal, Commitment: commitment[:]}},
	}
	signBytes, err := attestation.SignBytes(attestation.DomainCommit, &doc)
	if err != nil {
		return err
	}
	_, err = l.client.Submit(ctx, l.wallet, &attestation.MsgCommitChallenge{
		Submitter: l.operator, HostId: l.hostID, ChallengeId: id, Commitments: doc.Commitments,
		Signature: ed25519.Sign(l.agent, signBytes),
	})
	return err
}

func (l *liar) open(ctx context.Context, c *attestation.Challenge, ordinal uint32, answer trees, samples uint32) error {
	opening, err := answer.Open(compute.Hash(c.Sample), samples)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(opening)
	doc := attestation.ChallengeOpeningDoc{
		ChainId: l.client.ChainID(), HostId: l.hostID, ChallengeId: c.Id, Ordinal: ordinal, OpeningDigest: digest[:],
	}
	signBytes, err := attestation.SignBytes(attestation.DomainOpening, &doc)
	if err != nil {
		return err
	}
	if _, err = l.client.Submit(ctx, l.wallet, &attestation.MsgOpenChallenge{
		Submitter: l.operator, HostId: l.hostID, ChallengeId: c.Id, Ordinal: ordinal, Opening: opening,
		Signature: ed25519.Sign(l.agent, signBytes),
	}); err != nil {
		return err
	}
	l.opened.Add(1)
	return nil
}

// gpu returns what is proven of a GPU.
func (l *liar) gpu(ctx context.Context, ordinal int) (attestation.GpuProofs, error) {
	proofs, err := l.queries.Proofs(ctx, &attestation.QueryProofsRequest{HostId: l.hostID})
	if err != nil {
		return attestation.GpuProofs{}, err
	}
	if ordinal >= len(proofs.Gpus) {
		return attestation.GpuProofs{}, errors.New("no such GPU")
	}
	return proofs.Gpus[ordinal], nil
}

// at returns what the operator has at risk, and its jail.
func (l *liar) at(ctx context.Context) (stakingext.Operator, error) {
	r, err := stakingext.NewQueryClient(l.client).Operator(ctx, &stakingext.QueryOperatorRequest{Operator: l.operator})
	if err != nil {
		return stakingext.Operator{}, err
	}
	return r.Operator, nil
}
