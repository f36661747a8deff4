package probe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// mbit is a speed in bits per second.
const mbit = 1e6

// measured has host 1 probe host 2 in one slot after another until the rates are what
// the line is shaped to, and returns the last of n receipts. On a busy machine the line
// is slower than its shape for once, so there are five slots; none may show it faster.
func (w *world) measured(t *testing.T, up, down float64) (r attestation.ProbeReceipt, n int) {
	t.Helper()
	for n = 1; ; n++ {
		slot := uint64(10 + n)
		w.draw(slot, pair{slot: slot, prober: 1, target: 2})
		require.Eventually(t, func() bool { return len(w.received()) == n }, 15*time.Second, 20*time.Millisecond)
		time.Sleep(100 * time.Millisecond) // a second one would have come
		require.Len(t, w.received(), n)
		r = w.received()[n-1]
		gotUp, gotDown := rate(r.Doc.UpBytes, r.Doc.UpUs), rate(r.Doc.DownBytes, r.Doc.DownUs)
		require.Less(t, gotUp, up*1.15)
		require.Less(t, gotDown, down*1.15)
		if n == 5 || gotUp > up*0.85 && gotDown > down*0.85 {
			return r, n
		}
	}
}

func rate(bytes, us uint64) float64 { return float64(bytes) * 8 / float64(us) * 1e6 }

// within15 requires a rate to be what the line is shaped to.
func within15(t *testing.T, want float64, bytes, us uint64) {
	t.Helper()
	require.InDelta(t, want, rate(bytes, us), want*0.15)
}

func TestAShapedLineIsMeasured(t *testing.T) {
	for name, tc := range map[string]struct{ proberInbound, targetInbound bool }{
		"both have a port":      {true, true},
		"target without a port": {true, false},
		"prober without a port": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(1, 2)
			prober := w.start(t, 1, tc.proberInbound, shape{}, "")
			target := w.start(t, 2, tc.targetInbound, shape{up: 40 * mbit, down: 120 * mbit}, "")
			began(t, prober, target)
			r, n := w.measured(t, 40*mbit, 120*mbit)
			within15(t, 40*mbit, r.Doc.UpBytes, r.Doc.UpUs)
			within15(t, 120*mbit, r.Doc.DownBytes, r.Doc.DownUs)
			require.Len(t, r.Doc.Exporter, 32)
			require.Len(t, w.keys[1].signed, n)
			require.Len(t, w.keys[2].signed, n)
			prober.stop()
			target.stop()
			require.Equal(t, map[string]int{OutcomeSigned: n}, prober.seen.all)
			require.Equal(t, map[string]int{OutcomeSigned: n}, target.seen.all)
			require.EqualValues(t, n, prober.status.Made)
			require.EqualValues(t, n, target.status.Taken)
			require.EqualValues(t, 40, (target.status.LastUpMbps+5)/10*10)
		})
	}
}

func TestHostsThatCantBeMeasuredAreLeftAlone(t *testing.T) {
	w := newWorld(1, 2, 3)
	h := w.hosts[3]
	h.Operator = w.hosts[1].Operator
	w.hosts[3] = h
	one := w.start(t, 1, false, shape{}, "")
	two := w.start(t, 2, false, shape{}, "")
	three := w.start(t, 3, true, shape{}, "")
	began(t, one, two, three)
	w.draw(11, pair{slot: 11, prober: 1, target: 2}, pair{slot: 11, prober: 1, target: 3})
	time.Sleep(500 * time.Millisecond)
	require.Empty(t, w.received(), "neither has a port; the other two are of one operator")
}

func TestASlotInWhichTheStateWasMadeIsNotProbed(t *testing.T) {
	w := newWorld(1, 2)
	w.draw(10, pair{slot: 10, prober: 1, target: 2})
	prober, target := w.start(t, 1, true, shape{}, ""), w.start(t, 2, true, shape{}, "")
	began(t, prober, target)
	time.Sleep(300 * time.Millisecond)
	require.Empty(t, w.received())
	require.Empty(t, w.keys[1].signed)
}

func TestAReceiptWhoseReplyIsLostIsSentAgainAndNotSignedAgain(t *testing.T) {
	w := newWorld(1, 2)
	w.loseReply = 1
	prober, target := w.start(t, 1, false, shape{}, ""), w.start(t, 2, true, shape{}, "")
	began(t, prober, target)
	slot := w.probed(t)
	require.Eventually(t, func() bool { return len(w.received()) == 2 }, 15*time.Second, 20*time.Millisecond)
	require.Equal(t, w.received()[0], w.received()[1])
	require.Len(t, w.keys[1].signedOf(t, slot), 1)
}

func TestManyPairsOfOneHost(t *testing.T) {
	w := newWorld(1, 2, 3)
	var agents []*agent
	for id := range uint64(3) {
		agents = append(agents, w.start(t, id+1, id != 2, shape{up: 80 * mbit, down: 80 * mbit}, ""))
	}
	began(t, agents...)
	for n := 1; ; n++ { // a busy machine gets five slots
		slot := uint64(10 + n)
		var pairs []pair
		for _, other := range []uint64{2, 3} {
			pairs = append(pairs, pair{slot: slot, prober: 1, target: other}, pair{slot: slot, prober: other, target: 1})
		}
		w.draw(slot, pairs...)
		require.Eventually(t, func() bool { return len(w.received()) == n*len(pairs) }, 60*time.Second, 50*time.Millisecond)
		receipts, slow := w.received()[(n-1)*len(pairs):], 0
		for _, r := range receipts {
			if rate(r.Doc.UpBytes, r.Doc.UpUs) < 0.85*80*mbit {
				slow++
			}
		}
		if slow > 0 && n < 5 {
			continue
		}
		for _, r := range receipts { // two transfers beside each other would share the line
			within15(t, 80*mbit, r.Doc.UpBytes, r.Doc.UpUs)
		}
		return
	}
}
