package attest_test

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
	"github.com/grafilab/grafi/agent/gpu/gputest"
	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	market "github.com/grafilab/grafi/x/gpumarket/types"
)

const (
	chainID = "grafi-test-1"
	hostID  = 7
)

// fakeChain keeps the rules of x/attestation and x/gpumarket that the agent meets.
// Its block time is the (fake) clock.
type fakeChain struct {
	mu        sync.Mutex
	params    attestation.Params
	host      attestation.Host
	gpus      []attestation.Gpu
	rentals   map[uint64]market.Rental
	accepted  map[uint64]attestation.AttestationDoc // by slot
	order     []string                              // what was delivered, in order
	refused   []attestation.Rejection
	attempts  int
	down      bool      // unreachable
	loseReply int       // so many transactions arrive without the agent hearing of it
	noFunds   bool      // the fee can't be paid
	poison    uint64    // a start of this rental is refused, not by a module
	back      uint64    // this rental turns out to be only reserved when its start comes, once
	skew      int64     // seconds that block time is behind the clock
	halted    time.Time // the last block's time while no block is made
	challenge *attestation.Challenge
	mute      bool // the challenge can't be read

	step func()      // called at each call, before it does anything
	dead func() bool // the caller was killed: nothing it says arrives any more
}

var _ attest.Chain = (*fakeChain)(nil)

func newChain(gpus int, keys ...ed25519.PublicKey) *fakeChain {
	c := &fakeChain{
		params:   attestation.DefaultParams(),
		rentals:  map[uint64]market.Rental{},
		accepted: map[uint64]attestation.AttestationDoc{},
		host: attestation.Host{
			Id: hostID, Status: attestation.HOST_STATUS_ACTIVE, GpuCount: uint32(gpus), Generation: 3,
		},
	}
	c.params.SlotSeconds, c.params.SubmitWindow = 60, 10*time.Minute
	for _, k := range keys {
		c.host.AgentKeys = append(c.host.AgentKeys, attestation.AgentKey{PublicKey: k})
	}
	for i := range gpus {
		c.gpus = append(c.gpus, attestation.Gpu{HostId: hostID, Ordinal: uint32(i), Class: "x",
			Inventory: attestation.GpuInventory{Uuid: gputest.UUID(i), Name: "NVIDIA Fake 8GB"}})
	}
	return c
}

func (c *fakeChain) set(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn()
}

// enter takes the lock, or says that nobody answers.
func (c *fakeChain) enter() (func(), error) {
	if c.step != nil {
		c.step()
	}
	c.mu.Lock()
	if c.down || (c.dead != nil && c.dead()) {
		c.mu.Unlock()
		return nil, fmt.Errorf("%w: down", chainclient.ErrUnreachable)
	}
	return c.mu.Unlock, nil
}

func (c *fakeChain) now() time.Time {
	if !c.halted.IsZero() {
		return c.halted
	}
	return time.Now().Add(-time.Duration(c.skew) * time.Second)
}

// halt makes the chain stand since so long, or go on again.
func (c *fakeChain) halt(since time.Duration) {
	c.set(func() {
		c.halted = time.Time{}
		if since > 0 {
			c.halted = time.Now().Add(-since)
		}
	})
}

func notFound() error {
	return &chainclient.RejectedError{Stage: chainclient.StageQuery, Code: 22, Codespace: "sdk", Log: "not found"}
}

func (c *fakeChain) ChainID() string { return chainID }
func (c *fakeChain) Sender() string  { return "grafi1agent" }

func (c *fakeChain) Params(context.Context) (attestation.Params, error) {
	leave, err := c.enter()
	if err != nil {
		return attestation.Params{}, err
	}
	defer leave()
	return c.params, nil
}

func (c *fakeChain) Clock(context.Context) (attestation.QueryClockResponse, error) {
	leave, err := c.enter()
	if err != nil {
		return attestation.QueryClockResponse{}, err
	}
	defer leave()
	now := c.now()
	last, _ := c.params.LastClosable(now)
	oldest := last + 1
	for s := last; s > 0; s-- {
		a := c.anchor(s)
		if !c.params.Accepts(&a, now) {
			break
		}
		oldest = s
	}
	return attestation.QueryClockResponse{Time: now, Slot: c.params.SlotAt(now), LastClosedSlot: last, OldestAcceptedSlot: oldest}, nil
}

func (c *fakeChain) anchor(slot uint64) attestation.Anchor {
	h := sha256.Sum256(fmt.Append(nil, slot))
	return attestation.Anchor{Slot: slot, Height: int64(slot) * 60, Hash: h[:], Time: c.params.SlotStart(slot + 1)}
}

func (c *fakeChain) HostByKey(_ context.Context, key []byte) (attestation.QueryHostResponse, error) {
	leave, err := c.enter()
	if err != nil {
		return attestation.QueryHostResponse{}, err
	}
	defer leave()
	for _, k := range c.host.AgentKeys {
		if slices.Equal(k.PublicKey, key) {
			return attestation.QueryHostResponse{Host: c.host, Gpus: c.gpus}, nil
		}
	}
	return attestation.QueryHostResponse{}, attest.ErrNotRegistered
}

func (c *fakeChain) Anchor(_ context.Context, slot uint64) (attestation.Anchor, error) {
	leave, err := c.enter()
	if err != nil {
		return attestation.Anchor{}, err
	}
	defer leave()
	if last, ok := c.params.LastClosable(c.now()); !ok || slot > last {
		return attestation.Anchor{}, notFound()
	}
	return c.anchor(slot), nil
}

func (c *fakeChain) Attested(_ context.Context, _, slot uint64) (bool, error) {
	leave, err := c.enter()
	if err != nil {
		return false, err
	}
	defer leave()
	_, ok := c.accepted[slot]
	return ok, nil
}

func (c *fakeChain) OpenRentals(context.Context, uint64) ([]market.Rental, error) {
	leave, err := c.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	var out []market.Rental
	for _, r := range c.rentals {
		if r.Open() {
			out = append(out, r)
		}
	}
	return out, nil
}

func (c *fakeChain) Rental(_ context.Context, id uint64) (market.Rental, error) {
	leave, err := c.enter()
	if err != nil {
		return market.Rental{}, err
	}
	defer leave()
	r, ok := c.rentals[id]
	if !ok {
		return r, notFound()
	}
	return r, nil
}

func (c *fakeChain) Challenge(_ context.Context, _ uint64, atLeast int64) (attestation.QueryChallengeResponse, error) {
	leave, err := c.enter()
	if err != nil {
		return attestation.QueryChallengeResponse{}, err
	}
	defer leave()
	if last, _ := c.params.LastClosable(c.now()); c.mute || atLeast > c.anchor(last).Height {
		return attestation.QueryChallengeResponse{}, chainclient.ErrUnreachable
	}
	if c.challenge == nil {
		return attestation.QueryChallengeResponse{}, notFound()
	}
	return attestation.QueryChallengeResponse{Challenge: *c.challenge}, nil
}

func (c *fakeChain) Submit(_ context.Context, msg sdk.Msg) (chainclient.Result, error) {
	leave, err := c.enter()
	if err != nil {
		return chainclient.Result{}, err
	}
	defer leave()
	c.attempts++
	if c.noFunds {
		return chainclient.Result{}, &chainclient.RejectedError{Stage: chainclient.StageCheck, Code: 5, Codespace: "sdk", Log: "insufficient funds"}
	}
	if m, ok := msg.(*market.MsgConfirmStart); ok && m.RentalId == c.poison {
		return chainclient.Result{}, &chainclient.RejectedError{Stage: chainclient.StageSimulate, Code: 11, Codespace: "sdk", Log: "out of gas"}
	}
	if m, ok := msg.(*market.MsgConfirmStart); ok && m.RentalId == c.back {
		r := c.rentals[c.back]
		r.State, c.back = market.RENTAL_STATE_RESERVED, 0
		c.rentals[r.Id] = r
	}
	resp, err := c.deliver(msg)
	if err != nil {
		return chainclient.Result{}, err
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

func (c *fakeChain) deliver(msg sdk.Msg) (proto.Message, error) {
	switch m := msg.(type) {
	case *attestation.MsgSubmitAttestations:
		return c.attestations(m)
	case *market.MsgConfirmStart:
		r := c.rentals[m.RentalId]
		if r.State != market.RENTAL_STATE_PENDING {
			return nil, moduleError(market.ErrNotPending)
		}
		doc, _ := (&market.StartReport{ChainId: chainID, HostId: hostID, RentalId: r.Id, ManifestDigest: r.ManifestDigest}).Marshal()
		if !c.verify(market.DomainStart, doc, m.AgentSignature) {
			return nil, moduleError(attestation.ErrInvalidSignature)
		}
		now := c.now()
		r.State, r.StartedAt = market.RENTAL_STATE_ACTIVE, &now
		c.rentals[r.Id] = r
		c.order = append(c.order, fmt.Sprintf("start %d", r.Id))
		return &market.MsgConfirmStartResponse{}, nil
	case *market.MsgReportResult:
		r := c.rentals[m.RentalId]
		doc, _ := (&market.ResultReport{ChainId: chainID, HostId: hostID, RentalId: r.Id, Result: m.Result}).Marshal()
		if r.Result != nil || !c.verify(market.DomainResult, doc, m.AgentSignature) {
			return nil, moduleError(market.ErrResultReported)
		}
		r.Result = &m.Result
		c.rentals[r.Id] = r
		c.order = append(c.order, fmt.Sprintf("result %d", r.Id))
		return &market.MsgReportResultResponse{}, nil
	}
	return nil, fmt.Errorf("unknown message %T", msg)
}

func (c *fakeChain) verify(domain string, doc, sig []byte) bool {
	for _, key := range c.host.SigningKeys(c.params.SlotAt(c.now())) {
		if attestation.Verify(key, attestation.SignBytesOf(domain, doc), sig) {
			return true
		}
	}
	return false
}

// attestations judges each attestation as the keeper does.
func (c *fakeChain) attestations(m *attestation.MsgSubmitAttestations) (proto.Message, error) {
	resp := &attestation.MsgSubmitAttestationsResponse{}
	for i, g := range m.Groups {
		att := g.Attestations[0]
		anchor := c.anchor(g.Slot)
		doc := attestation.NewAttestationDoc(chainID, &c.host, g.Slot, &anchor, &att)
		bytes, err := doc.SignBytes()
		if err != nil {
			return nil, err
		}
		signed := slices.ContainsFunc(c.host.SigningKeys(g.Slot), func(k []byte) bool { return attestation.Verify(k, bytes, att.Signature) })
		reason := attestation.REJECT_REASON_UNSPECIFIED
		switch _, dup := c.accepted[g.Slot]; {
		case dup:
			reason = attestation.REJECT_REASON_DUPLICATE
		case !c.params.Accepts(&anchor, c.now()):
			reason = attestation.REJECT_REASON_TOO_LATE
		case attestation.ValidateDown(att.Down, c.host.GpuCount) != nil:
			reason = attestation.REJECT_REASON_MALFORMED
		case !signed:
			reason = attestation.REJECT_REASON_BAD_SIGNATURE
		}
		if reason != attestation.REJECT_REASON_UNSPECIFIED {
			resp.Rejections = append(resp.Rejections, attestation.Rejection{Index: uint32(i), HostId: hostID, Slot: g.Slot, Reason: reason})
			continue
		}
		resp.Accepted++
		c.accepted[g.Slot] = doc
		c.order = append(c.order, fmt.Sprintf("slot %d", g.Slot))
	}
	c.refused = append(c.refused, resp.Rejections...)
	if resp.Accepted == 0 {
		return nil, moduleError(attestation.ErrNothingAccepted)
	}
	return resp, nil
}

// moduleError is how a module's typed error reaches a client.
func moduleError(err interface {
	Codespace() string
	ABCICode() uint32
	Error() string
}) error {
	return &chainclient.RejectedError{Stage: chainclient.StageSimulate, Code: err.ABCICode(), Codespace: err.Codespace(), Log: err.Error()}
}
