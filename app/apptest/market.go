package apptest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/app"
	"github.com/grafilab/grafi/internal/chaininfo"
	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	gpumarkettypes "github.com/grafilab/grafi/x/gpumarket/types"
	rewardstypes "github.com/grafilab/grafi/x/rewards/types"
	stakingexttypes "github.com/grafilab/grafi/x/staking-ext/types"
)

const (
	// SimGPUName is what a machine without a GPU declares.
	SimGPUName = "Grafilab SIM GPU"
	// SimGPUMemoryMiB is the memory that it declares.
	SimGPUMemoryMiB = 1024
)

// OperatorBond is what AddHost bonds for a new operator: enough for any host.
const OperatorBond = 1_000_000 * chaininfo.BasePerDisplay

// Host is a registered machine with its agent key.
type Host struct {
	ID       uint64
	Operator *Account
	Agent    ed25519.PrivateKey
}

// WithSimClass adds the class of machines without a GPU to genesis, as local
// networks do; use it as Options.Genesis.
func WithSimClass(a *app.App, state app.GenesisState) {
	var gs attestationtypes.GenesisState
	a.AppCodec().MustUnmarshalJSON(state[attestationtypes.ModuleName], &gs)
	gs.Classes = append(gs.Classes, attestationtypes.SimClass())
	state[attestationtypes.ModuleName] = a.AppCodec().MustMarshalJSON(&gs)
	WithoutProofs(a, state)
}

// WithoutProofs lets GPUs earn that were never challenged nor probed, for tests that
// are not about proofs.
func WithoutProofs(a *app.App, state app.GenesisState) {
	var gs rewardstypes.GenesisState
	a.AppCodec().MustUnmarshalJSON(state[rewardstypes.ModuleName], &gs)
	rules := &gs.Params.Rules
	rules.MinTrustTier, rules.UnchallengedPerformancePpm, rules.UnprobedConnectionPpm = 0, rewardstypes.PPM, rewardstypes.PPM
	state[rewardstypes.ModuleName] = a.AppCodec().MustMarshalJSON(&gs)
}

// AddOperator makes the account an operator with a bond, in a block of its own.
func (c *Chain) AddOperator(tb testing.TB, account *Account) {
	tb.Helper()
	resp := c.NextBlock(tb, time.Second, c.Tx(tb, account, &stakingexttypes.MsgRegisterOperator{
		Operator: account.Address.String(), Moniker: "operator", Kind: stakingexttypes.OPERATOR_KIND_CONTRIBUTOR,
		Bond: sdk.NewInt64Coin(chaininfo.BaseDenom, OperatorBond),
	}))
	require.Zero(tb, resp.TxResults[0].Code, resp.TxResults[0].Log)
}

// AddHost registers a host with GPUs of the sim class, in a block of its own.
func (c *Chain) AddHost(tb testing.TB, operator *Account, gpus int) *Host {
	tb.Helper()
	msg, agent := NewHostMsg(tb, operator, fmt.Sprintf("host of %s at %d", operator.Address, c.Height), gpus)
	resp := c.NextBlock(tb, time.Second, c.Tx(tb, operator, msg))
	var out attestationtypes.MsgRegisterHostResponse
	c.Response(tb, resp.TxResults[0], &out)
	return &Host{ID: out.HostId, Operator: operator, Agent: agent}
}

// NewHostMsg returns a registration signed by an agent key that is derived from
// the name.
func NewHostMsg(tb testing.TB, operator *Account, name string, gpus int) (*attestationtypes.MsgRegisterHost, ed25519.PrivateKey) {
	tb.Helper()
	seed := sha256.Sum256([]byte(name))
	agent := ed25519.NewKeyFromSeed(seed[:])
	public, ok := agent.Public().(ed25519.PublicKey)
	require.True(tb, ok)
	encryption := sha256.Sum256(append([]byte("encryption"), seed[:]...))
	binding := attestationtypes.NewAgentKeyBinding(ChainID, operator.Address.String(), 0, public, encryption[:])
	signBytes, err := attestationtypes.SignBytes(attestationtypes.DomainAgentKey, &binding)
	require.NoError(tb, err)
	msg := &attestationtypes.MsgRegisterHost{
		Operator: operator.Address.String(), Region: "DE", Endpoint: "https://gpu.example.com:8443",
		AgentKey: public, EncryptionKey: encryption[:], AgentSignature: ed25519.Sign(agent, signBytes),
	}
	for i := range gpus {
		msg.Gpus = append(msg.Gpus, attestationtypes.GpuInventory{
			Name: SimGPUName, Uuid: fmt.Sprintf("GPU-%x-%d", seed[:8], i), MemoryMib: SimGPUMemoryMiB,
			PciBusId: fmt.Sprintf("0000:%02x:00.0", i), Driver: "sim",
		})
	}
	return msg, agent
}

// AddListing offers all GPUs of the host, in a block of its own.
func (c *Chain) AddListing(tb testing.TB, h *Host, pricePerHour int64) (listingID uint64) {
	tb.Helper()
	resp := c.NextBlock(tb, time.Second, c.Tx(tb, h.Operator, &gpumarkettypes.MsgCreateListing{
		Operator: h.Operator.Address.String(), HostId: h.ID, Tier: gpumarkettypes.TIER_GENERAL,
		Price: sdk.NewInt64Coin(chaininfo.BaseDenom, pricePerHour), NoticeSeconds: 3600,
	}))
	var out gpumarkettypes.MsgCreateListingResponse
	c.Response(tb, resp.TxResults[0], &out)
	return out.ListingId
}

// RentMsg rents one GPU of the listing.
func RentMsg(renter *Account, listingID uint64, seconds uint64, maxPrice int64) *gpumarkettypes.MsgRent {
	digest := sha256.Sum256([]byte("manifest"))
	return &gpumarkettypes.MsgRent{
		Renter: renter.Address.String(), ListingId: listingID, GpuCount: 1, DurationSeconds: seconds,
		MaxPrice: sdk.NewInt64Coin(chaininfo.BaseDenom, maxPrice), ManifestDigest: digest[:],
	}
}

// StartMsg confirms the start of a rental with the host's agent key.
func StartMsg(tb testing.TB, sender *Account, h *Host, rentalID uint64) *gpumarkettypes.MsgConfirmStart {
	tb.Helper()
	digest := sha256.Sum256([]byte("manifest"))
	report := gpumarkettypes.StartReport{ChainId: ChainID, HostId: h.ID, RentalId: rentalID, ManifestDigest: digest[:]}
	signBytes, err := attestationtypes.SignBytes(gpumarkettypes.DomainStart, &report)
	require.NoError(tb, err)
	return &gpumarkettypes.MsgConfirmStart{
		Sender: sender.Address.String(), RentalId: rentalID, AgentSignature: ed25519.Sign(h.Agent, signBytes),
	}
}

// Response decodes what the first message of a transaction returned; a failed
// transaction fails the test.
func (c *Chain) Response(tb testing.TB, result *abci.ExecTxResult, out proto.Message) {
	tb.Helper()
	require.Zero(tb, result.Code, result.Log)
	var data sdk.TxMsgData
	require.NoError(tb, data.Unmarshal(result.Data))
	require.Len(tb, data.MsgResponses, 1)
	require.NoError(tb, proto.Unmarshal(data.MsgResponses[0].Value, out))
}
