package app_test

import (
	"math/rand"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/app/apptest"
	"github.com/grafilab/grafi/internal/chaininfo"
	gpumarkettypes "github.com/grafilab/grafi/x/gpumarket/types"
	stakingexttypes "github.com/grafilab/grafi/x/staking-ext/types"
)

const pricePerHour = 3_600_000 // ugrafi: 1,000 a second

// TestExecutorsAgreeOnTheMarket is TestExecutorsAgree with what the market
// does: many renters on few listings, starts, settlements, extensions and
// closes in one block, with the losers of each race among them.
func TestExecutorsAgreeOnTheMarket(t *testing.T) {
	const blocks, perBlock = 6, 40
	run := func(o apptest.Options) (hashes [][]byte, results [][]*abci.ExecTxResult) {
		o.Accounts, o.Genesis = 16, apptest.WithSimClass
		c := apptest.New(t, o)
		m := newMarket(t, c, 3, 4)
		r := rand.New(rand.NewSource(2))
		for range blocks {
			txs := make([][]byte, perBlock)
			for i := range txs {
				txs[i] = m.randomTx(t, r)
			}
			resp := c.NextBlock(t, 30*time.Second, txs...)
			m.learn(t, resp.TxResults)
			hashes, results = append(hashes, resp.AppHash), append(results, resp.TxResults)
			require.NoError(t, c.CheckInvariants(c.Context()))
		}
		return hashes, results
	}

	wantHashes, wantResults := run(apptest.Options{Executor: serverconfig.BlockExecutorSequential})
	succeeded, failed := 0, 0
	for _, block := range wantResults {
		for _, res := range block {
			if res.Code == 0 {
				succeeded++
			} else {
				failed++
			}
		}
	}
	require.Greater(t, succeeded, blocks*perBlock/3)
	require.Positive(t, failed)

	for _, workers := range []int{2, 8} {
		hashes, results := run(apptest.Options{Executor: serverconfig.BlockExecutorBlockSTM, Workers: workers})
		require.Equal(t, wantResults, results, "%d workers", workers)
		require.Equal(t, wantHashes, hashes, "%d workers", workers)
	}
}

// market is a chain with listings and the rentals that the test knows of.
type market struct {
	chain    *apptest.Chain
	hosts    []*apptest.Host
	listings []uint64
	renters  []*apptest.Account
	rentals  []knownRental
}

type knownRental struct {
	id     uint64
	renter *apptest.Account
	host   *apptest.Host
}

// newMarket makes the first accounts operators with one listed host each; the
// others are renters.
func newMarket(t *testing.T, c *apptest.Chain, operators, gpus int) *market {
	t.Helper()
	m := &market{chain: c, renters: c.Accounts[operators:]}
	for _, operator := range c.Accounts[:operators] {
		c.AddOperator(t, operator)
		host := c.AddHost(t, operator, gpus)
		m.hosts = append(m.hosts, host)
		m.listings = append(m.listings, c.AddListing(t, host, pricePerHour))
	}
	return m
}

// learn adds the rentals that a block opened.
func (m *market) learn(t *testing.T, results []*abci.ExecTxResult) {
	t.Helper()
	for _, res := range results {
		if res.Code != 0 {
			continue
		}
		var data sdk.TxMsgData
		require.NoError(t, data.Unmarshal(res.Data))
		for _, r := range data.MsgResponses {
			var out gpumarkettypes.MsgRentResponse
			if r.TypeUrl != sdk.MsgTypeURL(&out) {
				continue
			}
			require.NoError(t, out.Unmarshal(r.Value))
			rental, err := m.chain.GPUMarketKeeper.Rental(m.chain.Context(), out.RentalId)
			require.NoError(t, err)
			for _, a := range m.renters {
				if a.Address.String() == rental.Renter {
					m.rentals = append(m.rentals, knownRental{id: out.RentalId, renter: a, host: m.hostOf(rental.HostId)})
				}
			}
		}
	}
}

func (m *market) hostOf(id uint64) *apptest.Host {
	for _, h := range m.hosts {
		if h.ID == id {
			return h
		}
	}
	return nil
}

func (m *market) randomTx(t *testing.T, r *rand.Rand) []byte {
	t.Helper()
	c, renter := m.chain, m.renters[r.Intn(len(m.renters))]
	if len(m.rentals) == 0 || r.Intn(3) == 0 {
		listing := m.listings[r.Intn(len(m.listings))]
		return c.Tx(t, renter, apptest.RentMsg(renter, listing, uint64(600+r.Intn(3600)), pricePerHour))
	}
	rental := m.rentals[r.Intn(len(m.rentals))]
	switch r.Intn(5) {
	case 0:
		return c.Tx(t, renter, &gpumarkettypes.MsgSettle{Sender: renter.Address.String(), RentalIds: []uint64{rental.id}})
	case 1:
		return c.Tx(t, rental.renter, &gpumarkettypes.MsgCloseRental{Sender: rental.renter.Address.String(), RentalId: rental.id})
	case 2:
		return c.Tx(t, rental.renter, &gpumarkettypes.MsgExtendRental{
			Renter: rental.renter.Address.String(), RentalId: rental.id, Seconds: 600,
		})
	case 3:
		operator := rental.host.Operator
		return c.Tx(t, operator, &stakingexttypes.MsgBond{
			Operator: operator.Address.String(), Amount: sdk.NewInt64Coin(chaininfo.BaseDenom, 1_000_000),
		})
	default:
		return c.Tx(t, renter, apptest.StartMsg(t, renter, rental.host, rental.id))
	}
}
