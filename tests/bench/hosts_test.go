package bench

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/app/apptest"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

const (
	hostsPerOperator = 1_000
	messagesPerBlock = 7  // of 1,024 attestations each: what the block's gas holds in the first slot of a day
	quietBlocks      = 40 // without attestations: draws, deadlines, pruning
)

// TestManyHosts runs a whole network of hosts on one chain, with one process that
// signs for all: every host attests every slot of ten minutes. GRAFI_HOSTS sets how
// many there are (100000 in the long form, 2000 otherwise), GRAFI_HOST_GPUS how
// many GPUs each has. It prints the longest block, bytes per GPU and memory, and
// asserts what doesn't depend on the machine's load: bytes, and that memory stays
// where it is after the first slots.
func TestManyHosts(t *testing.T) {
	count, gpus, slots := setting(t, "GRAFI_HOSTS", 2_000), setting(t, "GRAFI_HOST_GPUS", 1), 3
	if os.Getenv("GRAFI_LONG_TESTS") != "" {
		count, slots = setting(t, "GRAFI_HOSTS", 100_000), 8
	}
	db, err := dbm.NewDB("state", dbm.PebbleDBBackend, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	operators := (count + hostsPerOperator - 1) / hostsPerOperator
	c := apptest.New(t, apptest.Options{Accounts: operators + 1, Genesis: apptest.WithSimClass, DB: db})
	relayer := c.Accounts[0]
	all := register(t, c, c.Accounts[1:], count, gpus)
	t.Logf("%d hosts of %d GPUs and %d operators", count, gpus, operators)

	params, err := c.AttestationKeeper.Params(c.Context())
	require.NoError(t, err)
	slot := time.Duration(params.SlotSeconds) * time.Second
	// From 20 s before the end of a slot on, each round's first block closes one.
	end := params.SlotStart(params.SlotAt(c.Time) + 2)
	c.NextBlock(t, end.Sub(c.Time)-20*time.Second)
	var blocks []time.Duration
	var bytes int
	var early, late uint64
	for s := range slots {
		before := len(blocks)
		blocks = append(blocks, timed(func() { c.NextBlock(t, slot-time.Duration(quietBlocks)*time.Second) }))
		txs := signAll(t, c, relayer, all)
		for group := range slices.Chunk(txs, messagesPerBlock) {
			blocks = append(blocks, timed(func() {
				for _, r := range c.NextBlock(t, time.Second, group...).TxResults {
					require.Zero(t, r.Code, r.Log)
				}
			}))
			for _, tx := range group {
				bytes += len(tx)
			}
		}
		for range quietBlocks - len(txs)/messagesPerBlock {
			blocks = append(blocks, timed(func() { c.NextBlock(t, time.Second) }))
		}
		t.Logf("slot %d: longest block %s", s, slices.Max(blocks[before:]))
		switch s {
		case 1:
			early = heap()
		case slots - 1:
			late = heap()
		}
	}
	perGPU := float64(bytes) / float64(slots*count*gpus)
	slices.Sort(blocks)
	t.Logf("%.1f bytes per GPU and slot; blocks: median %s, 99 %% %s, longest %s; heap %d MiB after two slots, %d MiB at the end",
		perGPU, blocks[len(blocks)/2], blocks[len(blocks)*99/100], blocks[len(blocks)-1], early>>20, late>>20)
	require.Less(t, perGPU, 73.0/float64(gpus)+1)
	require.Less(t, late, early+early/4+64<<20, "memory grows with the slots")
}

// register makes the operators and their hosts, many in one transaction.
func register(t *testing.T, c *apptest.Chain, operators []*apptest.Account, count, gpus int) []*apptest.Host {
	t.Helper()
	all := make([]*apptest.Host, 0, count)
	for o, operator := range operators {
		c.AddOperator(t, operator)
		for first := o * hostsPerOperator; first < min((o+1)*hostsPerOperator, count); first += 50 {
			var msgs []sdk.Msg
			for i := first; i < min(first+50, count); i++ {
				msg, agent := apptest.NewHostMsg(t, operator, fmt.Sprintf("host %d", i), gpus)
				msgs = append(msgs, msg)
				all = append(all, &apptest.Host{ID: uint64(i + 1), Operator: operator, Agent: agent})
			}
			resp := c.NextBlock(t, time.Second, c.Tx(t, operator, msgs...))
			require.Zero(t, resp.TxResults[0].Code, resp.TxResults[0].Log)
		}
	}
	return all
}

// signAll attests the newest closed slot for every host, 1,024 in a transaction.
// It asks the chain for each host once: that is what an agent keeps.
func signAll(t *testing.T, c *apptest.Chain, relayer *apptest.Account, all []*apptest.Host) [][]byte {
	t.Helper()
	ctx := c.Context()
	params, err := c.AttestationKeeper.Params(ctx)
	require.NoError(t, err)
	slot := params.SlotAt(c.Time) - 1
	anchor, err := c.AttestationKeeper.Anchor(ctx, slot)
	require.NoError(t, err)
	var txs [][]byte
	for part := range slices.Chunk(all, hosts) {
		group := attestation.AttestationGroup{Slot: slot, AnchorHeight: anchor.Height, AnchorHash: anchor.Hash}
		for _, h := range part {
			host, err := c.AttestationKeeper.Host(ctx, h.ID)
			require.NoError(t, err)
			att := attestation.Attestation{HostId: h.ID}
			doc := attestation.NewAttestationDoc(apptest.ChainID, &host, slot, &anchor, &att)
			signBytes, err := doc.SignBytes()
			require.NoError(t, err)
			att.Signature = ed25519.Sign(h.Agent, signBytes)
			group.Attestations = append(group.Attestations, att)
		}
		txs = append(txs, c.Tx(t, relayer, &attestation.MsgSubmitAttestations{
			Submitter: relayer.Address.String(), Groups: []attestation.AttestationGroup{group},
		}))
	}
	return txs
}

func timed(f func()) time.Duration {
	begin := time.Now()
	f()
	return time.Since(begin)
}

// heap is what is live after a collection, in bytes.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func setting(t *testing.T, name string, usual int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return usual
	}
	n, err := strconv.Atoi(s)
	require.NoError(t, err, name)
	return n
}
