package keeper_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/core/header"
	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	moduletestutil "github.com/cosmos/cosmos-sdk/types/module/testutil"

	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

const chainID = "grafi-test"

var (
	// start is the first second of a slot and of a day: slot 2,880,000 of day 20,000.
	start    = time.Unix(2_880_000*600, 0).UTC()
	operator = sdk.AccAddress("operator____________")
	other    = sdk.AccAddress("other_______________")
	gov      = sdk.AccAddress("gov_________________")
	codec    = address.NewBech32Codec(sdk.GetConfig().GetBech32AccountAddrPrefix())
)

const startSlot = 2_880_000

// fakeStaking remembers what each GPU asks for and what was slashed.
type fakeStaking struct {
	operators map[string]bool
	uncovered map[string]bool
	weights   map[string]uint64 // "host/ordinal"
	slashes   []stakingext.SlashRequest
	err       error // of SetGPU and SlashBySchedule
	failHost  uint64
}

func (s *fakeStaking) HasOperator(_ context.Context, operator sdk.AccAddress) (bool, error) {
	return s.operators[string(operator)], nil
}

// Operator has all the stake that it needs, unless it is in uncovered.
func (s *fakeStaking) Operator(_ context.Context, operator sdk.AccAddress) (stakingext.Operator, error) {
	stake := math.NewInt(200)
	if s.uncovered[string(operator)] {
		stake = math.NewInt(199)
	}
	return stakingext.Operator{Address: text(operator), CountedStake: stake, Requirement: math.NewInt(200)}, nil
}

func (s *fakeStaking) SetGPU(_ context.Context, _ sdk.AccAddress, hostID uint64, ordinal uint32, weight uint64) error {
	if s.err != nil && (s.failHost == 0 || s.failHost == hostID) {
		return s.err
	}
	s.weights[fmt.Sprintf("%d/%d", hostID, ordinal)] = weight
	return nil
}

func (s *fakeStaking) RemoveGPU(_ context.Context, _ sdk.AccAddress, hostID uint64, ordinal uint32) error {
	delete(s.weights, fmt.Sprintf("%d/%d", hostID, ordinal))
	return nil
}

func (s *fakeStaking) SlashBySchedule(_ context.Context, fault stakingext.Fault, req stakingext.SlashRequest) (stakingext.SlashResult, error) {
	req.Fault = fault
	s.slashes = append(s.slashes, req)
	return stakingext.SlashResult{}, s.err
}

// fixture is one network whose first block was at start.
type fixture struct {
	t       testing.TB
	ctx     sdk.Context
	k       *keeper.Keeper
	msg     types.MsgServer
	staking *fakeStaking
	hooks   *fakeHooks
	commit  func() // writes the state to the tree, as the end of a block does
}

// genesis is a network in which nothing is challenged: classes have no profile. The
// tests of challenges give them one, see challengeGenesis.
func genesis() types.GenesisState {
	gs := *types.DefaultGenesis()
	for i := range gs.Classes {
		gs.Classes[i].Profile = types.ChallengeProfile{}
	}
	gs.Classes = append(gs.Classes, types.SimClass())
	return gs
}

func newFixture(t testing.TB) *fixture { return newFixtureWith(t, genesis()) }

func newFixtureWith(t testing.TB, gs types.GenesisState) *fixture {
	t.Helper()
	f := emptyFixture(t)
	require.NoError(t, f.k.InitGenesis(f.ctx, gs))
	f.at(start)
	return f
}

func emptyFixture(t testing.TB) *fixture {
	t.Helper()
	key := storetypes.NewKVStoreKey(types.StoreKey)
	store := testutil.DefaultContextWithDB(t, key, storetypes.NewTransientStoreKey("transient"))
	f := &fixture{
		t:       t,
		ctx:     store.Ctx.WithChainID(chainID),
		commit:  func() { store.CMS.Commit() },
		staking: &fakeStaking{operators: map[string]bool{string(operator): true, string(other): true}, weights: map[string]uint64{}},
		hooks:   &fakeHooks{},
	}
	enc := moduletestutil.MakeTestEncodingConfig()
	f.k = keeper.NewKeeper(runtime.NewKVStoreService(key), enc.Codec, codec, gov, f.staking,
		keeper.WithDeviceRoot(issuer.Root())).SetHooks(f.hooks)
	f.msg = keeper.NewMsgServer(f.k)
	return f
}

// at begins a block at this time; its hash and height follow from the time.
func (f *fixture) at(t time.Time) {
	f.t.Helper()
	height := t.Unix() - start.Unix() + 1
	hash := sha256.Sum256(fmt.Appendf(nil, "block %d", height))
	f.ctx = f.ctx.WithBlockTime(t).WithBlockHeight(height).WithEventManager(sdk.NewEventManager()).
		WithHeaderInfo(header.Info{ChainID: chainID, Height: height, Hash: hash[:], Time: t})
	require.NoError(f.t, f.k.BeginBlock(f.ctx))
}

// slot begins a block in the first second of the slot.
func (f *fixture) slot(slot uint64) { f.at(time.Unix(int64(slot)*600, 0).UTC()) }

func (f *fixture) endBlock() {
	f.t.Helper()
	require.NoError(f.t, f.k.EndBlock(f.ctx))
}

func (f *fixture) state() types.GenesisState {
	f.t.Helper()
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(f.t, err)
	return *gs
}

func (f *fixture) sound() {
	f.t.Helper()
	broken, err := f.k.CheckInvariants(f.ctx)
	require.NoError(f.t, err)
	require.Empty(f.t, broken)
}

// agentKey is the n-th test key.
func agentKey(n uint64) ed25519.PrivateKey {
	seed := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("agent"), n))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(key ed25519.PrivateKey) []byte { return key.Public().(ed25519.PublicKey) }

func text(addr sdk.AccAddress) string {
	s, err := codec.BytesToString(addr)
	if err != nil {
		panic(err)
	}
	return s
}

func h100s(host uint64, n int) []types.GpuInventory {
	gpus := make([]types.GpuInventory, n)
	for i := range gpus {
		gpus[i] = types.GpuInventory{
			Name: "NVIDIA H100 80GB HBM3", Uuid: fmt.Sprintf("GPU-%d-%d", host, i), MemoryMib: 81_559,
			PciBusId: fmt.Sprintf("0000:%02x:00.0", i), Driver: "570.86.15",
		}
	}
	return gpus
}

func encryptionKey(n byte) []byte {
	key := sha256.Sum256([]byte{n})
	return key[:]
}

func bindingSignature(t testing.TB, key ed25519.PrivateKey, owner sdk.AccAddress, hostID uint64, enc []byte) []byte {
	t.Helper()
	doc := types.NewAgentKeyBinding(chainID, text(owner), hostID, public(key), enc)
	signBytes, err := doc.SignBytes()
	require.NoError(t, err)
	return ed25519.Sign(key, signBytes)
}

func registration(t testing.TB, owner sdk.AccAddress, key ed25519.PrivateKey, gpus []types.GpuInventory) *types.MsgRegisterHost {
	t.Helper()
	return &types.MsgRegisterHost{
		Operator: text(owner), Region: "DE", Endpoint: "https://gpu1.example.com:8443",
		AgentKey: public(key), EncryptionKey: encryptionKey(1), Gpus: gpus,
		AgentSignature: bindingSignature(t, key, owner, 0, encryptionKey(1)),
	}
}

// register adds a host of the operator with n H100s and the test key of its id.
func (f *fixture) register(n int) uint64 {
	f.t.Helper()
	id := f.state().NextHostId
	return f.registerKey(n, agentKey(id))
}

func (f *fixture) registerKey(n int, key ed25519.PrivateKey) uint64 {
	f.t.Helper()
	resp, err := f.msg.RegisterHost(f.ctx, registration(f.t, operator, key, h100s(f.state().NextHostId, n)))
	require.NoError(f.t, err)
	return resp.HostId
}

// attest signs an attestation of the slot with the key.
func (f *fixture) attest(key ed25519.PrivateKey, hostID, slot uint64, att types.Attestation) types.Attestation {
	f.t.Helper()
	host, err := f.k.Host(f.ctx, hostID)
	require.NoError(f.t, err)
	anchor, err := f.k.Anchor(f.ctx, slot)
	require.NoError(f.t, err)
	att.HostId = hostID
	doc := types.NewAttestationDoc(chainID, &host, slot, &anchor, &att)
	signBytes, err := doc.SignBytes()
	require.NoError(f.t, err)
	att.Signature = ed25519.Sign(key, signBytes)
	return att
}

// good is the attestation of a host with everything up.
func (f *fixture) good(hostID, slot uint64) types.Attestation {
	return f.attest(agentKey(hostID), hostID, slot, types.Attestation{})
}

// group holds attestations of a slot under its anchor.
func (f *fixture) group(slot uint64, atts ...types.Attestation) types.AttestationGroup {
	f.t.Helper()
	anchor, err := f.k.Anchor(f.ctx, slot)
	require.NoError(f.t, err)
	return types.AttestationGroup{Slot: slot, AnchorHeight: anchor.Height, AnchorHash: anchor.Hash, Attestations: atts}
}

// submit sends the groups as a transaction would: a failure leaves no trace.
func (f *fixture) submit(groups ...types.AttestationGroup) (*types.MsgSubmitAttestationsResponse, error) {
	cached, write := f.ctx.CacheContext()
	resp, err := f.msg.SubmitAttestations(cached, &types.MsgSubmitAttestations{Submitter: text(other), Groups: groups})
	if err == nil {
		write()
	}
	return resp, err
}

func (f *fixture) mustSubmit(groups ...types.AttestationGroup) *types.MsgSubmitAttestationsResponse {
	f.t.Helper()
	resp, err := f.submit(groups...)
	require.NoError(f.t, err)
	return resp
}

var errRefused = errors.New("refused")

// failsWithoutTrace asserts that run fails with the error, wrote nothing and told
// nothing.
func (f *fixture) failsWithoutTrace(want error, run func() error) {
	f.t.Helper()
	before := f.state()
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
	weights := fmt.Sprint(f.staking.weights)
	require.ErrorIs(f.t, run(), want)
	require.Equal(f.t, before, f.state(), "a failed message leaves no trace")
	require.Empty(f.t, f.ctx.EventManager().Events())
	require.Equal(f.t, weights, fmt.Sprint(f.staking.weights))
}

// told asserts that exactly these events were emitted since the block began.
func (f *fixture) told(want ...sdk.Event) {
	f.t.Helper()
	require.Equal(f.t, sdk.Events(want), f.ctx.EventManager().Events())
}
