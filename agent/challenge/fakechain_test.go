package challenge_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"time"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

const (
	chainID  = "grafi-test-1"
	hostID   = 7
	firstGPU = 40
	samples  = 32
)

// fakeChain keeps the rules of challenges that the agent meets. Its challenge
// clock is the (fake) clock while it is not halted.
type fakeChain struct {
	mu     sync.Mutex
	host   attestation.Host
	gpus   []attestation.Gpu
	c      *attestation.Challenge // nil: none
	began  time.Time
	halted time.Duration // so long no block was made
	openMs uint64

	unreachable bool
	loseReply   int
	commits     int
	recent      []uint64                      // measured before, of every GPU
	profile     *attestation.ChallengeProfile // nil: a small one
	noBlocks    bool                          // transactions are not taken
	refusals    []string
	passed      map[uint32]bool
	wrong       map[uint32]bool

	step func()
	dead func() bool
}

func newChain(gpus int, key ed25519.PublicKey) *fakeChain {
	c := &fakeChain{
		host:  attestation.Host{Id: hostID, FirstGpu: firstGPU, GpuCount: uint32(gpus), AgentKeys: []attestation.AgentKey{{PublicKey: key}}},
		began: time.Now(), openMs: 600_000, passed: map[uint32]bool{}, wrong: map[uint32]bool{},
	}
	for i := range gpus {
		c.gpus = append(c.gpus, attestation.Gpu{HostId: hostID, Ordinal: uint32(i), Class: "sim",
			Inventory: attestation.GpuInventory{Uuid: fmt.Sprint("GPU-", i)}})
	}
	return c
}

func (c *fakeChain) set(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn()
}

// clock is the challenge clock in milliseconds.
func (c *fakeChain) clock() uint64 { return uint64((time.Since(c.began) - c.halted).Milliseconds()) }

// ask challenges all GPUs.
func (c *fakeChain) ask(id uint64, window time.Duration) {
	c.set(func() {
		beacon := sha256.Sum256(fmt.Append(nil, "beacon", id))
		c.passed, c.wrong = map[uint32]bool{}, map[uint32]bool{}
		c.c = &attestation.Challenge{
			HostId: hostID, Id: id, Reason: attestation.CHALLENGE_REASON_DRAW, State: attestation.CHALLENGE_STATE_OPEN,
			AgentKey: c.host.AgentKeys[0].PublicKey, Beacon: beacon[:], StartedAt: time.Now().UTC(), StartedMs: c.clock(),
			CommitByMs: c.clock() + uint64(window.Milliseconds()),
		}
		profile := attestation.ChallengeProfile{N: 64, M: 256, Rounds: 2, WindowMs: uint64(window.Milliseconds())}
		if c.profile != nil {
			profile = *c.profile
		}
		for _, g := range c.gpus {
			c.c.Gpus = append(c.c.Gpus, attestation.ChallengedGpu{Ordinal: g.Ordinal, Class: g.Class, Profile: profile})
		}
	})
}

// advance does what the blocks since the last call did.
func (c *fakeChain) advance() {
	if c.c == nil {
		return
	}
	pending := func(g attestation.ChallengedGpu) bool { return g.Outcome == attestation.CHALLENGE_OUTCOME_PENDING }
	miss := func(late func(g *attestation.ChallengedGpu) bool) {
		for i := range c.c.Gpus {
			if g := &c.c.Gpus[i]; pending(*g) && late(g) {
				g.Outcome = attestation.CHALLENGE_OUTCOME_MISSED
			}
		}
	}
	now := c.clock()
	if c.c.State == attestation.CHALLENGE_STATE_OPEN {
		waits := slices.ContainsFunc(c.c.Gpus, func(g attestation.ChallengedGpu) bool { return pending(g) && g.Commitment == nil })
		if !waits || now > c.c.CommitByMs {
			miss(func(g *attestation.ChallengedGpu) bool { return g.Commitment == nil })
			c.c.State, c.c.SampleHeight = attestation.CHALLENGE_STATE_COMMITTED, int64(now)
		}
	}
	if c.c.State == attestation.CHALLENGE_STATE_COMMITTED && now > uint64(c.c.SampleHeight)+10_000 {
		sample := sha256.Sum256(fmt.Append(nil, "sample", c.c.Id))
		c.c.State, c.c.Sample, c.c.OpenByMs = attestation.CHALLENGE_STATE_SAMPLED, sample[:], now+c.openMs
	}
	if c.c.State == attestation.CHALLENGE_STATE_SAMPLED && now > c.c.OpenByMs {
		miss(func(*attestation.ChallengedGpu) bool { return true })
	}
	if c.c.State == attestation.CHALLENGE_STATE_UNANSWERED || slices.ContainsFunc(c.c.Gpus, pending) {
		return
	}
	if slices.ContainsFunc(c.c.Gpus, func(g attestation.ChallengedGpu) bool { return g.Outcome == attestation.CHALLENGE_OUTCOME_MISSED }) {
		c.c.State, c.c.EndedSlot = attestation.CHALLENGE_STATE_UNANSWERED, 5
		return
	}
	c.c = nil
}

func (c *fakeChain) enter() (func(), error) {
	if c.step != nil {
		c.step()
	}
	c.mu.Lock()
	if c.unreachable || (c.dead != nil && c.dead()) {
		c.mu.Unlock()
		return nil, chainclient.ErrUnreachable
	}
	c.advance()
	return c.mu.Unlock, nil
}

func (c *fakeChain) ChainID() string { return chainID }
func (c *fakeChain) Sender() string  { return "grafi1agent" }

func (c *fakeChain) Host() (attest.Identity, attestation.Host, []attestation.Gpu, attestation.Params, bool) {
	return attest.Identity{ChainID: chainID, HostID: hostID}, c.host, c.gpus, attestation.DefaultParams(), true
}

func (c *fakeChain) Challenge(context.Context, uint64, int64) (attestation.QueryChallengeResponse, error) {
	leave, err := c.enter()
	if err != nil {
		return attestation.QueryChallengeResponse{}, err
	}
	defer leave()
	if c.c == nil {
		return attestation.QueryChallengeResponse{}, &chainclient.RejectedError{Stage: chainclient.StageQuery, Code: 22, Codespace: "sdk", Log: "not found"}
	}
	out := *c.c
	out.Gpus = slices.Clone(c.c.Gpus)
	return attestation.QueryChallengeResponse{Challenge: out, ClockMs: c.clock(), FirstGpu: firstGPU, Samples: samples}, nil
}

func (c *fakeChain) Proofs(context.Context, uint64) (r attestation.QueryProofsResponse, err error) {
	leave, err := c.enter()
	if err != nil {
		return r, err
	}
	defer leave()
	for _, g := range c.gpus {
		r.Gpus = append(r.Gpus, attestation.GpuProofs{Ordinal: g.Ordinal, Compute: attestation.ComputeProof{RecentGops: c.recent}})
	}
	return r, nil
}

func (c *fakeChain) Submit(_ context.Context, msg sdk.Msg) (chainclient.Result, error) {
	leave, err := c.enter()
	if err != nil {
		return chainclient.Result{}, err
	}
	defer leave()
	if c.noBlocks {
		return chainclient.Result{}, chainclient.ErrUnreachable
	}
	resp, err := c.deliver(msg)
	if err != nil {
		c.refusals = append(c.refusals, err.Error())
		return chainclient.Result{}, &chainclient.RejectedError{Stage: chainclient.StageSimulate, Code: 99, Codespace: attestation.ModuleName, Log: err.Error()}
	}
	if c.loseReply > 0 {
		c.loseReply--
		return chainclient.Result{}, chainclient.ErrNotIncluded
	}
	packed, err := codectypes.NewAnyWithValue(resp)
	if err != nil {
		return chainclient.Result{}, err
	}
	data, err := proto.Marshal(&sdk.TxMsgData{MsgResponses: []*codectypes.Any{packed}})
	return chainclient.Result{Data: data}, err
}

func (c *fakeChain) gpu(ordinal uint32) *attestation.ChallengedGpu {
	for i := range c.c.Gpus {
		if c.c.Gpus[i].Ordinal == ordinal {
			return &c.c.Gpus[i]
		}
	}
	return nil
}

func (c *fakeChain) deliver(msg sdk.Msg) (proto.Message, error) {
	if c.c == nil {
		return nil, fmt.Errorf("no challenge")
	}
	signed := func(domain string, doc attestation.Document, sig []byte) bool {
		b, err := attestation.SignBytes(domain, doc)
		return err == nil && attestation.Verify(c.c.AgentKey, b, sig)
	}
	switch m := msg.(type) {
	case *attestation.MsgCommitChallenge:
		doc := &attestation.ChallengeCommitDoc{ChainId: chainID, HostId: m.HostId, ChallengeId: m.ChallengeId, Commitments: m.Commitments}
		if m.ChallengeId != c.c.Id || c.c.State != attestation.CHALLENGE_STATE_OPEN || !signed(attestation.DomainCommit, doc, m.Signature) {
			return nil, fmt.Errorf("commitment refused in state %s", c.c.State)
		}
		for _, x := range m.Commitments {
			if c.gpu(x.Ordinal).Commitment != nil {
				return nil, fmt.Errorf("GPU %d committed already", x.Ordinal)
			}
		}
		for _, x := range m.Commitments {
			g := c.gpu(x.Ordinal)
			g.Commitment, g.CommittedMs = x.Commitment, c.clock()
		}
		c.commits++
		return &attestation.MsgCommitChallengeResponse{}, nil
	case *attestation.MsgOpenChallenge:
		digest := sha256.Sum256(m.Opening)
		doc := &attestation.ChallengeOpeningDoc{ChainId: chainID, HostId: m.HostId, ChallengeId: m.ChallengeId, Ordinal: m.Ordinal, OpeningDigest: digest[:]}
		g := c.gpu(m.Ordinal)
		if m.ChallengeId != c.c.Id || c.c.State != attestation.CHALLENGE_STATE_SAMPLED || !signed(attestation.DomainOpening, doc, m.Signature) ||
			g.Outcome != attestation.CHALLENGE_OUTCOME_PENDING || g.Commitment == nil {
			return nil, fmt.Errorf("opening of GPU %d refused", m.Ordinal)
		}
		w := g.Profile.Work(attestation.ChallengeSeed(c.c.Beacon, c.c.AgentKey, firstGPU+uint64(m.Ordinal)))
		if verify(w, [32]byte(g.Commitment), [32]byte(c.c.Sample), samples, m.Opening) != nil {
			g.Outcome, c.wrong[m.Ordinal] = attestation.CHALLENGE_OUTCOME_WRONG, true
		} else {
			g.Outcome, g.Gops, c.passed[m.Ordinal] = attestation.CHALLENGE_OUTCOME_PASSED, 9, true
		}
		return &attestation.MsgOpenChallengeResponse{Outcome: g.Outcome, Gops: g.Gops}, nil
	}
	return nil, fmt.Errorf("unknown message %T", msg)
}
