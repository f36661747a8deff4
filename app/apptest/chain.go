// Package apptest runs the whole application in memory, one block at a time,
// with deterministic keys and a clock that the test moves. What it can't show
// (consensus, restarts, the network) is in tests/system.
package apptest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"testing"
	"time"

	"cosmossdk.io/log/v2"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	"github.com/cosmos/cosmos-sdk/server"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/app"
	"github.com/grafilab/grafi/internal/chaininfo"
)

const (
	// ChainID is the chain id of every test chain.
	ChainID = "grafi-test-1"
	// Balance is what each account has at genesis: 10 million GRAFI.
	Balance = 10_000_000 * chaininfo.BasePerDisplay
	// ValidatorStake is what the one validator has bonded.
	ValidatorStake = 1_000_000 * chaininfo.BasePerDisplay
)

// GenesisTime is the time of the first block's parent.
var GenesisTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Options change a test chain. The zero value is a sequential chain with four
// accounts.
type Options struct {
	// Accounts is the number of funded accounts; 0 means 4.
	Accounts int
	// Executor is config.BlockExecutorSequential (default) or BlockExecutorBlockSTM.
	Executor string
	// Workers is the number of Block-STM workers; 0 means one per CPU.
	Workers int
	// Genesis may change the state before the chain starts.
	Genesis func(*app.App, app.GenesisState)
	// DB is where the state lives; nil means memory.
	DB dbm.DB
}

// Chain is an application with one validator.
type Chain struct {
	*app.App
	// Height and Time are those of the last block.
	Height int64
	Time   time.Time
	// Accounts are funded and sign for themselves.
	Accounts []*Account

	validator cryptotypes.PrivKey
}

// Account is a key with its next sequence.
type Account struct {
	Priv     cryptotypes.PrivKey
	Address  sdk.AccAddress
	number   uint64
	sequence uint64
}

// Number is the account's number on the chain.
func (a *Account) Number() uint64 { return a.number }

// NewAccount derives an account from a name.
func NewAccount(name string) *Account {
	priv := secp256k1.GenPrivKeyFromSecret([]byte(name))
	return &Account{Priv: priv, Address: sdk.AccAddress(priv.PubKey().Address())}
}

// New starts a chain and runs its first block.
func New(tb testing.TB, o Options) *Chain {
	tb.Helper()
	c := NewAtGenesis(tb, o)
	c.NextBlock(tb, time.Second)
	for _, a := range c.Accounts {
		a.number = c.AccountKeeper.GetAccount(c.Context(), a.Address).GetAccountNumber()
	}
	return c
}

// NewAtGenesis starts a chain that has run InitChain and no block.
func NewAtGenesis(tb testing.TB, o Options) *Chain {
	tb.Helper()
	if o.Accounts == 0 {
		o.Accounts = 4
	}
	c := Load(tb, o)
	c.validator = ed25519.GenPrivKeyFromSecret([]byte("validator"))
	for i := range o.Accounts {
		c.Accounts = append(c.Accounts, NewAccount(string(binary.BigEndian.AppendUint32(nil, uint32(i)))))
	}
	state := c.genesis(tb)
	if o.Genesis != nil {
		o.Genesis(c.App, state)
	}
	appState, err := json.Marshal(state)
	require.NoError(tb, err)
	params := app.DefaultConsensusParams().ToProto()
	_, err = c.InitChain(&abci.RequestInitChain{
		Time: GenesisTime, ChainId: ChainID, ConsensusParams: &params, AppStateBytes: appState, InitialHeight: 1,
	})
	require.NoError(tb, err)
	c.Time = GenesisTime
	return c
}

// Load builds the application on the options' database and runs nothing.
func Load(tb testing.TB, o Options) *Chain {
	tb.Helper()
	if o.DB == nil {
		o.DB = dbm.NewMemDB()
	}
	appOpts := simtestutil.AppOptionsMap{
		flags.FlagHome:             tb.TempDir(),
		server.FlagBlockExecutor:   o.Executor,
		server.FlagBlockSTMWorkers: o.Workers,
	}
	a := app.New(log.NewNopLogger(), o.DB, true, appOpts, baseapp.SetChainID(ChainID))
	return &Chain{App: a}
}

// NextBlock runs and commits one block, dt after the last one.
func (c *Chain) NextBlock(tb testing.TB, dt time.Duration, txs ...[]byte) *abci.ResponseFinalizeBlock {
	tb.Helper()
	resp, err := c.FinalizeBlock(c.Request(dt, txs...))
	require.NoError(tb, err)
	_, err = c.Commit()
	require.NoError(tb, err)
	c.Height++
	c.Time = c.Time.Add(dt)
	return resp
}

// Reload builds the application anew on the options' database, as a restart or a
// new binary does, and goes on at the same height.
func (c *Chain) Reload(tb testing.TB, o Options) *Chain {
	tb.Helper()
	next := Load(tb, o)
	next.Height, next.Time, next.Accounts, next.validator = c.Height, c.Time, c.Accounts, c.validator
	return next
}

// Request is the next block as CometBFT would hand it over: signed by the validator,
// with a hash that depends on the height alone.
func (c *Chain) Request(dt time.Duration, txs ...[]byte) *abci.RequestFinalizeBlock {
	height := c.Height + 1
	hash := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(ChainID), uint64(height)))
	proposer := c.validator.PubKey().Address()
	return &abci.RequestFinalizeBlock{
		Txs: txs, Height: height, Time: c.Time.Add(dt), Hash: hash[:], ProposerAddress: proposer,
		DecidedLastCommit: abci.CommitInfo{Votes: []abci.VoteInfo{{
			Validator:   abci.Validator{Address: proposer, Power: ValidatorStake / chaininfo.BasePerDisplay},
			BlockIdFlag: cmtproto.BlockIDFlagCommit,
		}}},
	}
}

// Context reads the last committed state. Writes to it are lost.
func (c *Chain) Context() sdk.Context {
	return c.NewUncachedContext(false, cmtproto.Header{ChainID: ChainID, Height: c.Height, Time: c.Time}).
		WithMultiStore(c.CommitMultiStore().CacheMultiStore())
}
