package honest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	coreaddress "cosmossdk.io/core/address"
	"cosmossdk.io/core/header"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/store/v2"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	moduletestutil "github.com/cosmos/cosmos-sdk/types/module/testutil"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cosmos/cosmos-sdk/codec/address"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/gpu/gputest"
	"github.com/grafilab/grafi/internal/chainclient"
	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
	market "github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

const (
	chainID    = "grafi-honest-1"
	blockEvery = time.Minute
	gpuCount   = 2
)

var operator = sdk.AccAddress("operator____________")

// staking takes no notice of stake and remembers every slash.
type staking struct{ slashes []stakingext.SlashRequest }

func (*staking) HasOperator(context.Context, sdk.AccAddress) (bool, error) { return true, nil }
func (*staking) Operator(context.Context, sdk.AccAddress) (stakingext.Operator, error) {
	return stakingext.Operator{CountedStake: math.NewInt(200), Requirement: math.NewInt(200)}, nil
}
func (*staking) SetGPU(context.Context, sdk.AccAddress, uint64, uint32, uint64) error { return nil }
func (*staking) RemoveGPU(context.Context, sdk.AccAddress, uint64, uint32) error      { return nil }

func (s *staking) SlashBySchedule(_ context.Context, fault stakingext.Fault, req stakingext.SlashRequest) (stakingext.SlashResult, error) {
	req.Fault = fault
	s.slashes = append(s.slashes, req)
	return stakingext.SlashResult{}, nil
}

// hooks say that a GPU earns something, so that a missed challenge would cost something.
type hooks struct{ types.MultiHooks }

func (hooks) ExpectedReward(context.Context, uint64, uint32) (math.Int, error) {
	return math.NewInt(1_000_000), nil
}

// node is a chain of x/attestation's keeper and nothing else, with the faults of a
// real one. It is attest.Chain and challenge.Chain.
type node struct {
	mu      sync.Mutex
	t       *testing.T
	rng     *rand.Rand
	ctx     sdk.Context
	k       *keeper.Keeper
	msg     types.MsgServer
	query   types.QueryServer
	staking *staking

	halted      bool          // no block is made
	unreachable bool          // no node answers
	flaky       float64       // of calls that fail, and of replies that are lost
	skew        time.Duration // block time is so far behind the agent's clock

	ended map[uint64][]uint32 // slot → GPUs that did not answer
	seen  map[string]int
}

// state is the store under the keeper: a map without a tree, for nobody asks for
// its hash.
type state struct {
	key *storetypes.KVStoreKey
	ctx sdk.Context
}

func newState(t *testing.T) state {
	t.Helper()
	key := storetypes.NewKVStoreKey(types.StoreKey)
	cms := store.NewCommitMultiStore(dbm.NewMemDB(), log.NewNopLogger())
	cms.MountStoreWithDB(key, storetypes.StoreTypeDB, nil)
	require.NoError(t, cms.LoadLatestVersion())
	return state{key: key, ctx: sdk.NewContext(cms, cmtproto.Header{}, false, log.NewNopLogger())}
}

func newNode(t *testing.T, s state, seed uint64, key ed25519.PrivateKey) *node {
	t.Helper()
	n := &node{
		t: t, rng: rand.New(rand.NewPCG(seed, 1)), ctx: s.ctx.WithChainID(chainID), staking: &staking{},
		ended: map[uint64][]uint32{}, seen: map[string]int{},
	}
	codec := address.NewBech32Codec(chaininfo.Bech32Prefix)
	n.k = keeper.NewKeeper(runtime.NewKVStoreService(s.key), moduletestutil.MakeTestEncodingConfig().Codec, codec,
		sdk.AccAddress("gov_________________"), n.staking).SetHooks(hooks{})
	n.msg, n.query = keeper.NewMsgServer(n.k), keeper.NewQueryServer(n.k)
	gs := *types.DefaultGenesis()
	gs.Classes = append(gs.Classes, types.SimClass())
	gs.Params.Challenge.MaxBlockMs = uint64(blockEvery.Milliseconds())
	require.NoError(t, n.k.InitGenesis(n.ctx, gs))
	n.block()
	n.register(codec, key)
	return n
}

func (n *node) register(codec coreaddress.Codec, key ed25519.PrivateKey) {
	n.t.Helper()
	owner, err := codec.BytesToString(operator)
	require.NoError(n.t, err)
	enc := sha256.Sum256([]byte("encryption"))
	public := key.Public().(ed25519.PublicKey)
	binding := types.NewAgentKeyBinding(chainID, owner, 0, public, enc[:])
	b, err := binding.SignBytes()
	require.NoError(n.t, err)
	m := &types.MsgRegisterHost{
		Operator: owner, Region: "DE", Endpoint: "https://gpu.example.com:8443", AgentKey: public, EncryptionKey: enc[:], AgentSignature: ed25519.Sign(key, b),
	}
	for i := range gpuCount {
		m.Gpus = append(m.Gpus, types.GpuInventory{Name: "Grafilab SIM GPU", Uuid: gputest.UUID(i), MemoryMib: 1024, PciBusId: fmt.Sprint("SIM:0", i), Driver: "SIM"})
	}
	_, err = n.msg.RegisterHost(n.ctx, m)
	require.NoError(n.t, err)
}

// block ends the block that is open and begins the next one.
func (n *node) block() {
	height := n.ctx.BlockHeight() + 1
	t := time.Now().Add(-n.skew).UTC()
	if height > 1 {
		require.NoError(n.t, n.k.EndBlock(n.ctx))
		if prev := n.ctx.BlockTime(); !t.After(prev) {
			t = prev.Add(time.Millisecond)
		}
	}
	hash := sha256.Sum256(fmt.Appendf(nil, "block %d", height))
	n.ctx = n.ctx.WithBlockTime(t).WithBlockHeight(height).WithEventManager(sdk.NewEventManager()).
		WithHeaderInfo(header.Info{ChainID: chainID, Height: height, Hash: hash[:], AppHash: hash[:], Time: t})
	require.NoError(n.t, n.k.BeginBlock(n.ctx))
	n.watch()
}

// watch counts what became of the challenges.
func (n *node) watch() {
	for _, e := range n.ctx.EventManager().Events() {
		n.seen[e.Type]++
	}
	r, err := n.query.Challenge(n.ctx, &types.QueryChallengeRequest{HostId: 1})
	if err == nil && r.Challenge.State == types.CHALLENGE_STATE_UNANSWERED {
		var missed []uint32
		for _, g := range r.Challenge.Gpus {
			if g.Outcome == types.CHALLENGE_OUTCOME_MISSED {
				missed = append(missed, g.Ordinal)
			}
		}
		n.ended[r.Challenge.EndedSlot] = missed
		return
	}
	for slot, gpus := range n.ended { // it is judged
		delete(n.ended, slot)
		r, err := n.query.HostSlot(n.ctx, &types.QueryHostSlotRequest{HostId: 1, Slot: slot})
		require.NoError(n.t, err)
		switch {
		case !r.Attested:
			n.seen["unanswered, slot not attested"]++
		default:
			for _, g := range gpus {
				require.False(n.t, r.Up[g], "GPU %d is attested as up in slot %d, in which it did not answer", g, slot)
			}
			n.seen["unanswered, attested as down"]++
		}
	}
}

// run makes blocks until ctx ends.
func (n *node) run(ctx context.Context) {
	for ctx.Err() == nil {
		n.mu.Lock()
		if !n.halted {
			n.block()
		}
		n.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(blockEvery):
		}
	}
}

func (n *node) set(fn func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fn()
}

// ask runs a query at the latest block, unless the way to the node fails.
func ask[Req, Resp any](n *node, fn func(context.Context, Req) (*Resp, error), req Req) (out Resp, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.unreachable || n.rng.Float64() < n.flaky {
		return out, chainclient.ErrUnreachable
	}
	r, err := fn(n.ctx, req)
	if status.Code(err) == codes.NotFound {
		return out, &chainclient.RejectedError{Stage: chainclient.StageQuery, Code: 22, Codespace: "sdk", Log: err.Error()}
	}
	if err != nil {
		return out, &chainclient.RejectedError{Stage: chainclient.StageQuery, Code: 18, Codespace: "sdk", Log: err.Error()}
	}
	return *r, nil
}

func (n *node) ChainID() string { return chainID }
func (n *node) Sender() string  { return "grafi1xn3xxga8hx8r3m8pd970xrgljxap95v8xnn5ps" }

func (n *node) Params(context.Context) (types.Params, error) {
	r, err := ask(n, n.query.Params, &types.QueryParamsRequest{})
	return r.Params, err
}

func (n *node) Clock(context.Context) (types.QueryClockResponse, error) {
	return ask(n, n.query.Clock, &types.QueryClockRequest{})
}

func (n *node) HostByKey(_ context.Context, key []byte) (types.QueryHostResponse, error) {
	found, err := ask(n, n.query.HostByAgentKey, &types.QueryHostByAgentKeyRequest{AgentKey: key})
	if chainclient.IsNotFound(err) {
		return types.QueryHostResponse{}, attest.ErrNotRegistered
	}
	if err != nil {
		return types.QueryHostResponse{}, err
	}
	return ask(n, n.query.Host, &types.QueryHostRequest{HostId: found.Host.Id})
}

func (n *node) Anchor(_ context.Context, slot uint64) (types.Anchor, error) {
	r, err := ask(n, n.query.Anchor, &types.QueryAnchorRequest{Slot: slot})
	return r.Anchor, err
}

func (n *node) Attested(_ context.Context, hostID, slot uint64) (bool, error) {
	r, err := ask(n, n.query.HostSlot, &types.QueryHostSlotRequest{HostId: hostID, Slot: slot})
	return r.Attested, err
}

func (n *node) OpenRentals(context.Context, uint64) ([]market.Rental, error) { return nil, nil }

func (n *node) Rental(context.Context, uint64) (market.Rental, error) {
	return market.Rental{}, errors.New("there are no rentals")
}

func (n *node) Challenge(_ context.Context, hostID uint64, _ int64) (types.QueryChallengeResponse, error) {
	return ask(n, n.query.Challenge, &types.QueryChallengeRequest{HostId: hostID})
}

func (n *node) Proofs(_ context.Context, hostID uint64) (types.QueryProofsResponse, error) {
	return ask(n, n.query.Proofs, &types.QueryProofsRequest{HostId: hostID})
}

// Submit runs the message in the block that is open. No block is made in a halt, so
// nothing is taken then.
func (n *node) Submit(_ context.Context, msg sdk.Msg) (chainclient.Result, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.unreachable || n.halted || n.rng.Float64() < n.flaky {
		return chainclient.Result{}, chainclient.ErrUnreachable
	}
	ctx, write := n.ctx.CacheContext()
	var resp proto.Message
	var err error
	switch m := msg.(type) {
	case *types.MsgSubmitAttestations:
		resp, err = n.msg.SubmitAttestations(ctx, m)
	case *types.MsgCommitChallenge:
		resp, err = n.msg.CommitChallenge(ctx, m)
	case *types.MsgOpenChallenge:
		resp, err = n.msg.OpenChallenge(ctx, m)
	default:
		err = fmt.Errorf("unknown message %T", msg)
	}
	if err != nil {
		codespace, code, text := errorsmod.ABCIInfo(err, true)
		return chainclient.Result{}, &chainclient.RejectedError{Stage: chainclient.StageDeliver, Code: code, Codespace: codespace, Log: text}
	}
	write()
	n.seen[fmt.Sprintf("%T", msg)]++
	if m, ok := resp.(*types.MsgOpenChallengeResponse); ok {
		n.seen[m.Outcome.String()]++
	}
	if n.rng.Float64() < n.flaky {
		return chainclient.Result{}, chainclient.ErrNotIncluded
	}
	packed, err := codectypes.NewAnyWithValue(resp)
	if err != nil {
		return chainclient.Result{}, err
	}
	data, err := proto.Marshal(&sdk.TxMsgData{MsgResponses: []*codectypes.Any{packed}})
	return chainclient.Result{Data: data}, err
}
