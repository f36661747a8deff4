package probe

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/internal/agentapi"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// liar is a host that speaks the protocol by hand, and says what the test wants.
type liar struct {
	*session
	change func(*attestation.ProbeDoc)
	ack    func(figures) figures
}

// connect dials the honest agent as the host's other side, without an agent of its own.
func (w *world) connect(t *testing.T, id uint64, p pair, honest uint64) (*liar, error) {
	t.Helper()
	cert, err := agentapi.ProbeCertificate(w.keys[id], time.Now())
	require.NoError(t, err)
	raw, err := net.Dial("tcp", w.hosts[honest].ProbeEndpoint)
	require.NoError(t, err)
	t.Cleanup(func() { _ = raw.Close() })
	honestKey := w.keys[honest].PublicKey()
	conn := tls.Client(raw, agentapi.ProbeTLS(cert, time.Now, func() []ed25519.PublicKey { return []ed25519.PublicKey{honestKey} }))
	if err := conn.Handshake(); err != nil {
		return nil, err
	}
	f, err := New(Config{MaxBytes: 8 << 20, MaxTime: 400 * time.Millisecond}, seat{w, id}, seat{w, id}, nil, none{}, none{}, nil, nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	s, err := f.newSession(context.Background(), conn, p, &peer{id: honest, keys: []ed25519.PublicKey{honestKey}}, w.keys[id])
	require.NoError(t, err)
	if err := s.greet(); err != nil {
		return nil, err
	}
	return &liar{session: s}, nil
}

// none is a ledger that remembers nothing, as a liar's.
type none struct{}

func (none) Once(_, v []byte) ([]byte, bool, error)    { return v, true, nil }
func (none) Get([]byte) ([]byte, error)                { return nil, nil }
func (none) Delete([]byte) error                       { return nil }
func (none) Each([]byte, func(_, _ []byte) bool) error { return nil }
func (none) PutJSON([]byte, any) error                 { return nil }
func (none) GetJSON([]byte, any) (bool, error)         { return false, nil }
func (none) PruneBelow(_, _ []byte) error              { return nil }

// probe is the prober's side with a document that is changed before it is signed.
func (l *liar) probe() error {
	rtt, err := ping(l.rw())
	if err != nil {
		return err
	}
	if err := pong(l.rw()); err != nil {
		return err
	}
	up, err := l.download()
	if err != nil {
		return err
	}
	down, err := upload(l.rw(), l.maxBytes, l.cfg.MaxTime, rtt)
	if err != nil {
		return err
	}
	doc := attestation.ProbeDoc{
		ChainId: chainID, Slot: l.pair.slot, Prober: l.pair.prober, Target: l.pair.target, UpBytes: up.Bytes, UpUs: up.Micros,
		DownBytes: down.Bytes, DownUs: down.Micros, RttUs: uint64(rtt.Microseconds()), Exporter: l.exporter,
	}
	if l.change != nil {
		l.change(&doc)
	}
	raw, err := doc.Marshal()
	if err != nil {
		return err
	}
	if err := send(l.conn, frameDoc, signed{Doc: raw, Signature: l.signer.SignDoc(attestation.DomainProbe, raw)}); err != nil {
		return err
	}
	var theirs signed
	return receive(l.rw(), frameSignature, &theirs)
}

// download acknowledges what the test wants.
func (l *liar) download() (figures, error) {
	var said figures
	_, err := download(acker{l, &said}, l.r, l.maxBytes, l.cfg.MaxTime)
	return said, err
}

// acker replaces the acknowledgement on its way out.
type acker struct {
	l   *liar
	out *figures
}

func (a acker) Read(p []byte) (int, error) { return a.l.r.Read(p) }

func (a acker) Write(p []byte) (int, error) {
	if err := receive(bytes.NewReader(p), frameAck, a.out); err != nil {
		return 0, err
	}
	if a.l.ack != nil {
		*a.out = a.l.ack(*a.out)
	}
	return len(p), send(a.l.conn, frameAck, *a.out)
}

func TestALyingProbersFiguresAreNotSigned(t *testing.T) {
	for name, lie := range map[string]func(l *liar){
		"twice the upload in the acknowledgement": func(l *liar) { l.ack = func(f figures) figures { f.Micros /= 2; return f } },
		"half the upload in the acknowledgement":  func(l *liar) { l.ack = func(f figures) figures { f.Micros *= 2; return f } },
		"more bytes than were sent":               func(l *liar) { l.ack = func(f figures) figures { f.Bytes *= 2; return f } },
		"no time at all":                          func(l *liar) { l.ack = func(f figures) figures { f.Micros = 0; return f } },
		"time beyond all reason":                  func(l *liar) { l.ack = func(f figures) figures { f.Micros = 1 << 63; return f } },
		"another upload in the document":          func(l *liar) { l.change = func(d *attestation.ProbeDoc) { d.UpUs-- } },
		"another download in the document":        func(l *liar) { l.change = func(d *attestation.ProbeDoc) { d.DownUs++ } },
		"a round trip of a second":                func(l *liar) { l.change = func(d *attestation.ProbeDoc) { d.RttUs = 1e6 } },
		"another exporter":                        func(l *liar) { l.change = func(d *attestation.ProbeDoc) { d.Exporter[0]++ } },
		"another slot":                            func(l *liar) { l.change = func(d *attestation.ProbeDoc) { d.Slot++ } },
		"another target":                          func(l *liar) { l.change = func(d *attestation.ProbeDoc) { d.Target = 3 } },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(1, 2)
			honest := w.start(t, 2, true, shape{up: 80 * mbit, down: 80 * mbit}, "")
			began(t, honest)
			p := pair{slot: 11, prober: 1, target: 2}
			w.draw(11, p)
			l := w.meet(t, honest, p)
			lie(l)
			require.Error(t, l.probe())
			honest.stop()
			require.Empty(t, w.keys[2].signed)
			require.Equal(t, 1, honest.seen.all[OutcomeRefused])
		})
	}
}

// meet connects once the honest agent knows the pair.
func (w *world) meet(t *testing.T, honest *agent, p pair) *liar {
	t.Helper()
	require.Eventually(t, func() bool { return len(honest.allowed()) > 0 }, 5*time.Second, 5*time.Millisecond)
	l, err := w.connect(t, 1, p, 2)
	require.NoError(t, err)
	return l
}

func TestTheHandMadeProberIsSignedWhenItIsHonest(t *testing.T) {
	w := newWorld(1, 2)
	honest := w.start(t, 2, true, shape{up: 80 * mbit, down: 80 * mbit}, "")
	began(t, honest)
	p := pair{slot: 11, prober: 1, target: 2}
	w.draw(11, p)
	require.NoError(t, w.meet(t, honest, p).probe())
	require.Len(t, w.keys[2].signed, 1)

	var err error
	require.Eventually(t, func() bool { // busy until it has closed the first one on its side
		var again *liar
		if again, err = w.connect(t, 1, p, 2); err == nil {
			err = again.probe()
		}
		return !errors.Is(err, errBusy)
	}, 10*time.Second, 10*time.Millisecond)
	require.ErrorIs(t, err, ErrRefused, "one session for each pair and slot")
	require.Len(t, w.keys[2].signed, 1)
}

func TestStrangersAreRefused(t *testing.T) {
	w := newWorld(1, 2, 3)
	honest := w.start(t, 2, true, shape{}, "")
	began(t, honest)
	p := pair{slot: 11, prober: 1, target: 2}
	w.draw(11, p)
	w.meet(t, honest, p)

	_, err := w.connect(t, 3, pair{slot: 11, prober: 3, target: 2}, 2)
	require.Error(t, err, "host 3 is not drawn")
	require.NotErrorIs(t, err, ErrRefused, "it must not get beyond the handshake")
	for _, wrong := range []pair{{slot: 12, prober: 1, target: 2}, {slot: 11, prober: 2, target: 1}, {slot: 10, prober: 1, target: 2}} {
		l, err := w.connect(t, 1, wrong, 2)
		if err == nil {
			err = l.probe()
		}
		require.ErrorIs(t, err, ErrRefused, "%+v", wrong)
	}
	require.Empty(t, w.keys[2].signed)
}

// TestAKilledProberResumes kills the prober when it is about to sign, and when
// its document is signed and the answer has not come: the document on disk is the
// only one that is ever signed.
func TestAKilledProberResumes(t *testing.T) {
	w := newWorld(1, 2)
	path := filepath.Join(t.TempDir(), "state.db")
	first := w.start(t, 1, false, shape{}, path)
	target := w.start(t, 2, true, shape{}, "")
	began(t, first, target)
	left := path + ".left"
	cut := uint64(0)
	w.keys[1].before = func() {
		if slot := w.drawnSlot(); cut < slot { // the document is on disk, nothing was sent
			cut = slot
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(left, raw, 0o600))
		}
	}
	slot := w.probed(t)
	first.stop()

	w.mu.Lock()
	w.receipts = nil
	w.mu.Unlock()
	second := w.start(t, 1, false, shape{}, left) // as the kill left the disk
	require.Eventually(t, func() bool { return len(w.received()) == 1 }, 15*time.Second, 20*time.Millisecond)
	second.stop()
	target.stop()
	for _, id := range []uint64{1, 2} {
		signed := w.keys[id].signedOf(t, slot)
		require.Len(t, signed, 2)
		require.Equal(t, signed[0], signed[1], "two documents of one probe")
	}
}
