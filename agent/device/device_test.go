package device_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/device"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/agent/gpu/gputest"
	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

const (
	chainID  = "grafi-test-1"
	hostID   = 7
	firstGPU = 40
	operator = "grafi1xn3xxga8hx8r3m8pd970xrgljxap95v8xnn5ps"
)

type key struct{ priv ed25519.PrivateKey }

func newKey() key {
	seed := sha256.Sum256([]byte("agent"))
	return key{ed25519.NewKeyFromSeed(seed[:])}
}

func (k key) PublicKey() ed25519.PublicKey { return k.priv.Public().(ed25519.PublicKey) }
func (k key) SignDoc(domain string, doc []byte) []byte {
	return ed25519.Sign(k.priv, attestation.SignBytesOf(domain, doc))
}

// fakeChain keeps the registrations of the host's GPUs, one die for each.
type fakeChain struct {
	mu       sync.Mutex
	t        *testing.T
	host     attestation.Host
	gpus     []attestation.Gpu
	params   attestation.Params
	devices  map[uint32]attestation.Device
	sent     []attestation.MsgRegisterDevice
	nonceFor func(ordinal uint32) []byte // what the node says, true or not
}

func (c *fakeChain) ChainID() string { return chainID }
func (c *fakeChain) Sender() string  { return "grafi1agent" }

func (c *fakeChain) Host() (attest.Identity, attestation.Host, []attestation.Gpu, attestation.Params, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return attest.Identity{ChainID: chainID, HostID: hostID}, c.host, c.gpus, c.params, true
}

func (c *fakeChain) Clock(context.Context) (attestation.QueryClockResponse, error) {
	return attestation.QueryClockResponse{Time: time.Now(), Slot: c.params.SlotAt(time.Now())}, nil
}

func serialOf(ordinal uint32) []byte { return []byte{1, byte(ordinal)} }

func (c *fakeChain) Proofs(context.Context, uint64) (r attestation.QueryProofsResponse, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.TrustTier = 1
	for _, g := range c.gpus {
		p := attestation.GpuProofs{Ordinal: g.Ordinal, TrustTier: 1}
		if d, ok := c.devices[g.Ordinal]; ok && time.Now().Before(d.ExpiresAt) {
			p.DeviceAttested, p.DeviceSerial, p.TrustTier = true, fmt.Sprintf("%x", d.Serial), 3
		}
		r.Gpus = append(r.Gpus, p)
	}
	return r, nil
}

func (c *fakeChain) Device(_ context.Context, serial []byte) (attestation.Device, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.devices {
		if bytes.Equal(d.Serial, serial) {
			return d, nil
		}
	}
	return attestation.Device{}, &chainclient.RejectedError{Code: 22, Codespace: "sdk"}
}

func (c *fakeChain) DeviceNonce(_ context.Context, _ uint64, ordinal uint32) (attestation.QueryDeviceNonceResponse, error) {
	return attestation.QueryDeviceNonceResponse{Nonce: c.nonceFor(ordinal), Height: 100, BlockHash: []byte("block")}, nil
}

func (c *fakeChain) Submit(_ context.Context, msg sdk.Msg) (chainclient.Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := msg.(*attestation.MsgRegisterDevice)
	canonical, err := m.Report.Marshal()
	require.NoError(c.t, err)
	digest := sha256.Sum256(canonical)
	b, err := attestation.SignBytes(attestation.DomainReport, &attestation.DeviceReportDoc{ChainId: chainID, ReportDigest: digest[:]})
	require.NoError(c.t, err)
	require.True(c.t, attestation.Verify(c.host.AgentKeys[0].PublicKey, b, m.Signature))
	want := nonceOf(chainID, nil, c.host.AgentKeys[0].PublicKey, firstGPU+uint64(m.Report.Ordinal), m.Report.BlockHash, m.Report.NonceHeight)
	require.Equal(c.t, append([]byte("signed "), want[:]...), m.Report.Report, "a report that the chain would punish")
	c.sent = append(c.sent, *m)
	c.devices[m.Report.Ordinal] = attestation.Device{Serial: serialOf(m.Report.Ordinal), HostId: hostID, Ordinal: m.Report.Ordinal,
		ExpiresAt: time.Now().Add(c.params.Device.MaxAge)}
	packed, err := codectypes.NewAnyWithValue(&attestation.MsgRegisterDeviceResponse{Accepted: true, Serial: serialOf(m.Report.Ordinal)})
	require.NoError(c.t, err)
	data, err := proto.Marshal(&sdk.TxMsgData{MsgResponses: []*codectypes.Any{packed}})
	return chainclient.Result{Data: data}, err
}

// nonceOf stands for the chain's rule.
func nonceOf(chain string, _, agentKey []byte, index uint64, hash []byte, height int64) [32]byte {
	return sha256.Sum256(fmt.Append(nil, chain, agentKey, index, hash, height))
}

var errSignature = errors.New("signature is wrong")

func verify(report []byte, _ [][]byte, nonce [32]byte) error {
	if !bytes.Equal(report, append([]byte("signed "), nonce[:]...)) {
		return errSignature
	}
	return nil
}

type seen struct {
	mu  sync.Mutex
	all map[string]int
}

func (s *seen) DeviceReported(outcome string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[outcome]++
}

type fixture struct {
	chain *fakeChain
	gpus  *gputest.Fake
	flow  *device.Flow
	log   *strings.Builder
	seen  *seen
}

// run is a flow of two GPUs that sign what they are asked for, in a bubble.
func run(t *testing.T, body func(f *fixture)) {
	synctest.Test(t, func(t *testing.T) {
		k := newKey()
		c := &fakeChain{t: t, params: attestation.DefaultParams(), devices: map[uint32]attestation.Device{},
			host: attestation.Host{Id: hostID, Operator: operator, Status: attestation.HOST_STATUS_ACTIVE, FirstGpu: firstGPU, GpuCount: 2, Generation: 1,
				AgentKeys: []attestation.AgentKey{{PublicKey: k.PublicKey()}}},
			nonceFor: func(uint32) []byte { return make([]byte, 32) }}
		for i := range 2 {
			c.gpus = append(c.gpus, attestation.Gpu{HostId: hostID, Ordinal: uint32(i), Inventory: attestation.GpuInventory{Uuid: gputest.UUID(1 - i), Name: "NVIDIA H100 80GB HBM3"}})
		}
		f := &fixture{chain: c, gpus: gputest.New(2), log: &strings.Builder{}, seen: &seen{all: map[string]int{}}}
		f.gpus.SetAttest(func(_ int, nonce [32]byte) (gpu.Report, error) {
			return gpu.Report{SPDM: append([]byte("signed "), nonce[:]...), Chain: [][]byte{{1}}}, nil
		})
		f.flow = device.New(device.Config{}, c, c, f.gpus, device.Rules{Nonce: nonceOf, Verify: verify}, []attest.Signer{k}, f.seen,
			slog.New(slog.NewTextHandler(f.log, nil)))
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- f.flow.Run(ctx) }()
		body(f)
		cancel()
		require.NoError(t, <-done)
	})
}

func TestRegisteredAndRenewedAtHalfLife(t *testing.T) {
	run(t, func(f *fixture) {
		time.Sleep(time.Minute)
		require.Len(t, f.chain.sent, 2)
		time.Sleep(3 * 24 * time.Hour)
		require.Len(t, f.chain.sent, 2)
		time.Sleep(13 * time.Hour) // 3.5 days are half of a week
		require.Len(t, f.chain.sent, 4)
		gpus, _, why := f.flow.Status()
		require.Empty(t, why)
		require.Len(t, gpus, 2)
		require.Equal(t, "0101", gpus[1].Serial)
		require.Equal(t, gputest.UUID(0), gpus[1].UUID, "the card is found by its UUID, not by the driver's order")
		require.Empty(t, gpus[1].Why)
	})
}

func TestAChangedInventoryIsReportedAtOnce(t *testing.T) {
	run(t, func(f *fixture) {
		time.Sleep(time.Minute)
		f.chain.mu.Lock()
		f.chain.host.Generation++
		delete(f.chain.devices, 1) // the chain drops what was registered for a changed GPU
		f.chain.mu.Unlock()
		time.Sleep(3 * time.Minute)
		require.Len(t, f.chain.sent, 3)
		require.EqualValues(t, 1, f.chain.sent[2].Report.Ordinal)
	})
}

func TestWhatDoesNotVerifyIsNotSent(t *testing.T) {
	run(t, func(f *fixture) {
		f.gpus.SetAttest(func(_ int, nonce [32]byte) (gpu.Report, error) {
			return gpu.Report{SPDM: append([]byte("forged "), nonce[:]...)}, nil
		})
		time.Sleep(time.Hour)
		require.Empty(t, f.chain.sent)
		gpus, _, _ := f.flow.Status()
		require.Contains(t, gpus[0].Why, "signature is wrong")
	})
}

// TestTheNodesNonceIsNotSigned: a node that hands out the nonce of another
// operator's GPU gets no report over it.
func TestTheNodesNonceIsNotSigned(t *testing.T) {
	run(t, func(f *fixture) {
		other := nonceOf(chainID, nil, []byte("another operator's key"), 1, []byte("block"), 100)
		f.chain.nonceFor = func(uint32) []byte { return other[:] }
		asked := map[[32]byte]bool{}
		f.gpus.SetAttest(func(_ int, nonce [32]byte) (gpu.Report, error) {
			asked[nonce] = true
			return gpu.Report{SPDM: append([]byte("signed "), nonce[:]...)}, nil
		})
		time.Sleep(time.Minute)
		require.Len(t, f.chain.sent, 2)
		require.Len(t, asked, 2)
		require.NotContains(t, asked, other)
	})
}

func TestACardThatCantIsToldOnce(t *testing.T) {
	run(t, func(f *fixture) {
		calls := 0
		f.gpus.SetAttest(func(i int, nonce [32]byte) (gpu.Report, error) {
			calls++
			if i == 0 {
				return gpu.Report{}, gpu.ErrNotHopper
			}
			return gpu.Report{}, gpu.ErrBusy
		})
		time.Sleep(23 * time.Hour)
		require.Empty(t, f.chain.sent)
		require.Greater(t, calls, 100, "what may mend itself is tried again")
		require.Less(t, calls, 200, "a card that is too old is not")
		require.Equal(t, 2, strings.Count(f.log.String(), "GPU has no device attestation"), f.log.String())
		gpus, _, _ := f.flow.Status()
		require.Contains(t, gpus[1].Why, "older than NVIDIA Hopper")
		require.Positive(t, f.seen.all[device.OutcomeFailed])
	})
}
