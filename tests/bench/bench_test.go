// Package bench compares, in one run and on whole blocks, what our messages cost
// beside a bank send. The figures are ratios of processor time, because machines
// differ and are noisy.
package bench

import (
	"crypto/ed25519"
	"slices"
	"syscall"
	"testing"
	"time"

	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/app/apptest"
	"github.com/grafilab/grafi/internal/chaininfo"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
)

const (
	hosts       = 1024 // attestations in one message
	gpusPerHost = 8
	pairs       = 250 // rentals opened and closed per round, and sends beside them
)

// BenchmarkAttestationAgainstSend runs blocks with one message of 1,024
// attestations and blocks of as many bank sends in turn.
// Goal: an attestation is at least 30 times cheaper.
func BenchmarkAttestationAgainstSend(b *testing.B) {
	c := apptest.New(b, apptest.Options{Accounts: 8, Genesis: apptest.WithSimClass})
	relayer, operator := c.Accounts[0], c.Accounts[1]
	c.AddOperator(b, operator)
	all := make([]*apptest.Host, hosts)
	for i := range all {
		all[i] = c.AddHost(b, operator, gpusPerHost)
	}
	params, err := c.AttestationKeeper.Params(c.Context())
	require.NoError(b, err)
	slot := time.Duration(params.SlotSeconds) * time.Second

	var attest, send times
	for b.Loop() {
		c.NextBlock(b, slot) // closes the slot before it
		msg := attestations(b, c, relayer, all)
		attest.add(cost(b, c, c.Tx(b, relayer, msg)) / hosts)
		send.add(cost(b, c, sends(b, c, hosts)...) / hosts)
	}
	b.ReportMetric(send.median()/attest.median(), "x_cheaper_than_a_send")
	b.ReportMetric(attest.median()/1e3, "µs/attestation")
	b.ReportMetric(send.median()/1e3, "µs/send")
}

// BenchmarkRentAndCloseAgainstSend runs blocks that open rentals, blocks that close
// them, and blocks of bank sends in turn.
// Goal: rent and close reach at least half the rate of sends.
func BenchmarkRentAndCloseAgainstSend(b *testing.B) {
	c := apptest.New(b, apptest.Options{Accounts: 8, Genesis: apptest.WithSimClass})
	operator, renter := c.Accounts[1], c.Accounts[2]
	c.AddOperator(b, operator)
	const price = 2_500_000
	listings := make([]uint64, (pairs+gpusPerHost-1)/gpusPerHost)
	for i := range listings {
		listings[i] = c.AddListing(b, c.AddHost(b, operator, gpusPerHost), price)
	}

	var rent, closing, send times
	for b.Loop() {
		var opening, closings [][]byte
		for i := range pairs {
			opening = append(opening, c.Tx(b, renter, apptest.RentMsg(renter, listings[i/gpusPerHost], 3_600, price)))
		}
		ids := make([]uint64, pairs)
		rent.add(costOf(b, func() {
			resp := c.NextBlock(b, time.Second, opening...)
			for i, result := range resp.TxResults {
				var out gpumarket.MsgRentResponse
				c.Response(b, result, &out)
				ids[i] = out.RentalId
			}
		}) / pairs)
		for _, id := range ids {
			closings = append(closings, c.Tx(b, renter, &gpumarket.MsgCloseRental{Sender: renter.Address.String(), RentalId: id}))
		}
		closing.add(cost(b, c, closings...) / pairs)
		send.add(cost(b, c, sends(b, c, pairs)...) / pairs)
	}
	b.ReportMetric(2*send.median()/(rent.median()+closing.median()), "rate_of_sends")
	b.ReportMetric(rent.median()/1e3, "µs/rent")
	b.ReportMetric(closing.median()/1e3, "µs/close")
	b.ReportMetric(send.median()/1e3, "µs/send")
}

// attestations signs the newest closed slot for every host.
func attestations(b *testing.B, c *apptest.Chain, relayer *apptest.Account, all []*apptest.Host) *attestation.MsgSubmitAttestations {
	b.Helper()
	ctx := c.Context()
	params, err := c.AttestationKeeper.Params(ctx)
	require.NoError(b, err)
	slot := params.SlotAt(c.Time) - 1
	anchor, err := c.AttestationKeeper.Anchor(ctx, slot)
	require.NoError(b, err)
	group := attestation.AttestationGroup{Slot: slot, AnchorHeight: anchor.Height, AnchorHash: anchor.Hash}
	for _, h := range all {
		host, err := c.AttestationKeeper.Host(ctx, h.ID)
		require.NoError(b, err)
		att := attestation.Attestation{HostId: h.ID}
		doc := attestation.NewAttestationDoc(apptest.ChainID, &host, slot, &anchor, &att)
		signBytes, err := doc.SignBytes()
		require.NoError(b, err)
		att.Signature = ed25519.Sign(h.Agent, signBytes)
		group.Attestations = append(group.Attestations, att)
	}
	return &attestation.MsgSubmitAttestations{Submitter: relayer.Address.String(), Groups: []attestation.AttestationGroup{group}}
}

// sends returns n bank sends from one account to another.
func sends(b *testing.B, c *apptest.Chain, n int) [][]byte {
	b.Helper()
	from, to := c.Accounts[6], c.Accounts[7]
	txs := make([][]byte, n)
	for i := range txs {
		txs[i] = c.Tx(b, from, &banktypes.MsgSend{
			FromAddress: from.Address.String(), ToAddress: to.Address.String(),
			Amount: sdk.NewCoins(sdk.NewInt64Coin(chaininfo.BaseDenom, 1)),
		})
	}
	return txs
}

// cost is what a block of these transactions costs in ns; each must succeed.
func cost(b *testing.B, c *apptest.Chain, txs ...[]byte) float64 {
	b.Helper()
	return costOf(b, func() {
		for _, result := range c.NextBlock(b, time.Second, txs...).TxResults {
			require.Zero(b, result.Code, result.Log)
		}
	})
}

// costOf is the processor time of f in ns, garbage collection included.
func costOf(b *testing.B, f func()) float64 {
	b.Helper()
	begin := processorTime(b)
	f()
	return float64(processorTime(b) - begin)
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// times are the costs of all rounds; the middle one is compared.
type times []float64

func (t *times) add(ns float64) { *t = append(*t, ns) }

func (t times) median() float64 {
	sorted := slices.Sorted(slices.Values(t))
	return sorted[len(sorted)/2]
}
