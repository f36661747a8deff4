package probe

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

const chainID = "grafi-test-1"

// signKey is an agent key that remembers the probe documents that it signed.
type signKey struct {
	priv   ed25519.PrivateKey
	mu     sync.Mutex
	signed []attestation.ProbeDoc
	before func()
}

func newKey(host uint64) *signKey {
	seed := sha256.Sum256(fmt.Append(nil, "host", host))
	return &signKey{priv: ed25519.NewKeyFromSeed(seed[:])}
}

func (k *signKey) PublicKey() ed25519.PublicKey { return k.priv.Public().(ed25519.PublicKey) }
func (k *signKey) Public() crypto.PublicKey     { return k.priv.Public() }

func (k *signKey) Sign(r io.Reader, msg []byte, o crypto.SignerOpts) ([]byte, error) {
	return k.priv.Sign(r, msg, o)
}

func (k *signKey) SignDoc(domain string, doc []byte) []byte {
	if k.before != nil {
		k.before()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var d attestation.ProbeDoc
	if domain != attestation.DomainProbe || d.Unmarshal(doc) != nil {
		panic("an agent key was asked to sign what is no probe")
	}
	k.signed = append(k.signed, d)
	return ed25519.Sign(k.priv, attestation.SignBytesOf(domain, doc))
}

// signedOf returns what the key signed for a slot.
func (k *signKey) signedOf(t *testing.T, slot uint64) (out []attestation.ProbeDoc) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, d := range k.signed {
		if d.Slot == slot {
			out = append(out, d)
		}
	}
	return out
}

// world is the chain as all agents see it.
type world struct {
	mu        sync.Mutex
	params    attestation.Params
	slot      uint64
	hosts     map[uint64]attestation.Host
	keys      map[uint64]*signKey
	drawn     map[uint64][]pair // by slot
	receipts  []attestation.ProbeReceipt
	loseReply int
}

func newWorld(hosts ...uint64) *world {
	w := &world{params: attestation.DefaultParams(), slot: 10, hosts: map[uint64]attestation.Host{}, keys: map[uint64]*signKey{}, drawn: map[uint64][]pair{}}
	for _, id := range hosts {
		w.keys[id] = newKey(id)
		w.hosts[id] = attestation.Host{Id: id, Operator: fmt.Sprint("operator", id), Status: attestation.HOST_STATUS_ACTIVE,
			AgentKeys: []attestation.AgentKey{{PublicKey: w.keys[id].PublicKey()}}}
	}
	return w
}

// draw moves the chain to a slot with these pairs.
func (w *world) draw(slot uint64, pairs ...pair) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slot, w.drawn[slot] = slot, pairs
}

func (w *world) drawnSlot() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.slot
}

// probed has host 1 probe host 2, and returns the slot of the receipt. On a busy machine
// the two may see so different times that they don't sign, so there are five slots.
func (w *world) probed(t *testing.T) uint64 {
	t.Helper()
	for slot := uint64(11); slot < 16; slot++ {
		w.draw(slot, pair{slot: slot, prober: 1, target: 2})
		for range 150 {
			if r := w.received(); len(r) > 0 {
				return r[0].Doc.Slot
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	require.Fail(t, "no receipt in five slots")
	return 0
}

func (w *world) received() []attestation.ProbeReceipt {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]attestation.ProbeReceipt(nil), w.receipts...)
}

// seat is the world as one host sees it.
type seat struct {
	*world
	id uint64
}

func (s seat) ChainID() string { return chainID }
func (s seat) Sender() string  { return fmt.Sprint("grafi1agent", s.id) }
func (s seat) Now() time.Time  { return time.Now() }

func (s seat) Host() (attest.Identity, attestation.Host, []attestation.Gpu, attestation.Params, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return attest.Identity{ChainID: chainID, HostID: s.id}, s.hosts[s.id], nil, s.params, true
}

// Clock answers a moment before the slot's end, so that nobody waits for his turn.
func (s seat) Clock(context.Context) (attestation.QueryClockResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return attestation.QueryClockResponse{Slot: s.slot, Time: s.params.SlotStart(s.slot + 1)}, nil
}

func (s seat) Assigned(_ context.Context, hostID, slot uint64) (out Assigned, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.drawn[slot] {
		if p.target == hostID {
			out.Probers = append(out.Probers, p.prober)
		}
		if p.prober == hostID {
			out.Targets = append(out.Targets, p.target)
		}
	}
	return out, nil
}

func (s seat) HostByID(_ context.Context, id uint64) (attestation.Host, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hosts[id], nil
}

func (s seat) Submit(_ context.Context, msg sdk.Msg) (chainclient.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := msg.(*attestation.MsgSubmitProbes)
	if !ok {
		return chainclient.Result{}, fmt.Errorf("unknown message %T", msg)
	}
	for _, r := range m.Receipts {
		b, err := attestation.SignBytes(attestation.DomainProbe, &r.Doc)
		if err != nil || !attestation.Verify(s.keys[r.Doc.Prober].PublicKey(), b, r.ProberSignature) ||
			!attestation.Verify(s.keys[r.Doc.Target].PublicKey(), b, r.TargetSignature) {
			return chainclient.Result{}, &chainclient.RejectedError{Codespace: attestation.ModuleName, Log: "bad signature"}
		}
		s.receipts = append(s.receipts, r)
	}
	if s.loseReply > 0 {
		s.loseReply--
		return chainclient.Result{}, chainclient.ErrNotIncluded
	}
	packed, err := codectypes.NewAnyWithValue(&attestation.MsgSubmitProbesResponse{Accepted: uint32(len(m.Receipts))})
	if err != nil {
		return chainclient.Result{}, err
	}
	data, err := proto.Marshal(&sdk.TxMsgData{MsgResponses: []*codectypes.Any{packed}})
	return chainclient.Result{Data: data}, err
}

type observed struct {
	mu  sync.Mutex
	all map[string]int
}

func (o *observed) Probed(outcome string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all[outcome]++
}

// agent is one host's flow.
type agent struct {
	*Flow
	seen  *observed
	state string
	stop  func()
}

// start runs a host's agent. With inbound it has a port of its own, which the chain names.
func (w *world) start(t *testing.T, id uint64, inbound bool, s shape, state string) *agent {
	t.Helper()
	var listener net.Listener
	line := newLine(s)
	if inbound {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		listener = shapedListener{l, line}
		w.mu.Lock()
		h := w.hosts[id]
		h.ProbeEndpoint = l.Addr().String()
		w.hosts[id] = h
		w.mu.Unlock()
	}
	if state == "" {
		state = filepath.Join(t.TempDir(), "state.db")
	}
	store, err := attest.OpenStore(state)
	require.NoError(t, err)
	docs, err := store.Ledger("probe")
	require.NoError(t, err)
	pending, err := store.Ledger("receipt")
	require.NoError(t, err)
	cfg := Config{MaxBytes: 64 << 20, MaxTime: 400 * time.Millisecond, Poll: 20 * time.Millisecond, Retry: 100 * time.Millisecond, Dial: func(ctx context.Context, addr string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		return line.carry(c), nil
	}}
	a := &agent{seen: &observed{all: map[string]int{}}, state: state}
	a.Flow, err = New(cfg, seat{w, id}, seat{w, id}, listener, docs, pending, []Signer{w.keys[id]}, a.seen, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	a.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
		require.NoError(t, store.Close())
	})
	t.Cleanup(a.stop)
	return a
}

// began waits until every agent knows since when it has its state.
func began(t *testing.T, agents ...*agent) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, a := range agents {
			id, _, _, _, _ := a.host.Host()
			if v, err := a.docs.Get(append([]byte("began/"), id.Key()...)); err != nil || v == nil {
				return false
			}
		}
		return true
	}, 5*time.Second, 5*time.Millisecond)
}
