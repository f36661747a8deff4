package system

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
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

	prove   prover
	refused atomic.Int64   // commitments
	working sync.WaitGroup // one for each GPU at work

	// Of live alone.
	opened map[uint32]int64 // by ordinal, openings that the chain took
	missed uint64           // id of the newest challenge that ended unanswered

	mu      sync.Mutex
	answers map[answerKey]trees // to be opened
	catches map[stakingext.Fault]catch
}

// prover returns what the host commits to for a GPU; nil for no answer. GPUs work
// side by side.
type prover func(ctx context.Context, work compute.Work, ordinal uint32) (trees, compute.Hash)

type answerKey struct {
	challenge uint64
	ordinal   uint32
}

// newLiar makes an operator with a stake and a host of so many simulated GPUs, and
// lets it live.
func newLiar(t *testing.T, ctx context.Context, n *localnet.Network, name string, gpus int, prove prover) *liar {
	t.Helper()
	return newLiarWith(t, ctx, n, name, card{name: "Grafilab SIM GPU", memoryMiB: 1024}, gpus, prove)
}

// card is what a host's GPUs are declared as.
type card struct {
	name      string
	memoryMiB uint64
}

// newLiarWith is newLiar with GPUs of another name.
func newLiarWith(t *testing.T, ctx context.Context, n *localnet.Network, name string, declared card, gpus int, prove prover) *liar {
	t.Helper()
	_, err := n.Tx(ctx, name, "stakingext", "register-operator", name, "contributor", "5000000000ugrafi")
	require.NoError(t, err)
	seed := sha256.Sum256([]byte(name))
	l := &liar{
		operator: n.Accounts[name], agent: ed25519.NewKeyFromSeed(seed[:]), wallet: keyOf(t, n, name),
		client: clientOf(t, n, n.Nodes[0].RPC), prove: prove,
		opened: map[uint32]int64{}, answers: map[answerKey]trees{}, catches: map[stakingext.Fault]catch{},
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
			Name: declared.name, Uuid: fmt.Sprintf("GPU-%x-%d", seed[:8], i), MemoryMib: declared.memoryMiB,
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
	t.Cleanup(func() { stop(); <-done; l.working.Wait() })
	return l
}

// live attests and answers until the test ends. The chain is asked again after
// each error: what a liar is refused is what the test is about.
func (l *liar) live(ctx context.Context) {
	attested, answered := uint64(0), uint64(0)
	for ctx.Err() == nil {
		if slot, err := l.attest(ctx, attested); err == nil {
			attested = slot
		}
		answered = l.answer(ctx, answered)
		l.look(ctx)
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

// answer has every GPU of a new challenge work, or opens what was sampled.
func (l *liar) answer(ctx context.Context, answered uint64) uint64 {
	q, err := l.queries.Challenge(ctx, &attestation.QueryChallengeRequest{HostId: l.hostID})
	if err != nil {
		return answered
	}
	c := &q.Challenge
	switch {
	case c.State == attestation.CHALLENGE_STATE_OPEN && c.Id > answered:
		for i := range c.Gpus {
			g := &c.Gpus[i]
			work := g.Profile.Work(attestation.ChallengeSeed(c.Beacon, c.AgentKey, q.FirstGpu+uint64(g.Ordinal)))
			l.working.Go(func() { l.work(ctx, answerKey{c.Id, g.Ordinal}, work) })
		}
		return c.Id
	case c.State == attestation.CHALLENGE_STATE_UNANSWERED:
		l.missed = c.Id
	case c.State == attestation.CHALLENGE_STATE_SAMPLED:
		for i := range c.Gpus {
			g := &c.Gpus[i]
			l.mu.Lock()
			answer := l.answers[answerKey{c.Id, g.Ordinal}]
			l.mu.Unlock()
			if answer != nil && g.Outcome == attestation.CHALLENGE_OUTCOME_PENDING && len(g.Commitment) > 0 {
				if err := l.open(ctx, c, g.Ordinal, answer, q.Samples); err != nil {
					slog.Info("open", "host", l.hostID, "err", err)
				}
			}
		}
	}
	return answered
}

// work computes a GPU's answer in the host's own way, and commits to it.
func (l *liar) work(ctx context.Context, key answerKey, work compute.Work) {
	answer, commitment := l.prove(ctx, work, key.ordinal)
	if answer == nil {
		return
	}
	l.mu.Lock()
	l.answers[key] = answer
	for k := range l.answers { // of challenges that are over
		if k.challenge < key.challenge {
			delete(l.answers, k)
		}
	}
	l.mu.Unlock()
	if err := l.commit(ctx, key.challenge, key.ordinal, commitment); err != nil {
		l.refused.Add(1)
	}
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
	l.opened[ordinal]++
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
