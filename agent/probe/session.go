package probe

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"time"

	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// session is one connection between the two sides of a pair.
type session struct {
	*Flow
	conn     *tls.Conn
	r        *bufio.Reader
	unwatch  func() bool
	exporter []byte
	pair     pair
	peer     *peer
	signer   Signer
	heard    *hello // the other side's
	maxBytes uint64
}

// rw is the connection with its one read buffer.
type readWriter struct {
	io.Reader
	io.Writer
}

func (f *Flow) newSession(ctx context.Context, conn *tls.Conn, p pair, other *peer, signer Signer) (*session, error) {
	cs := conn.ConnectionState()
	exporter, err := cs.ExportKeyingMaterial(exporterLabel, nil, exporterSize)
	if err != nil {
		return nil, err
	}
	if at, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(at); err != nil {
			return nil, err
		}
	}
	return &session{
		Flow: f, conn: conn, r: bufio.NewReaderSize(conn, 64<<10), exporter: exporter, pair: p, peer: other, signer: signer,
		unwatch: context.AfterFunc(ctx, func() { _ = conn.Close() }),
	}, nil
}

func (s *session) rw() io.ReadWriter { return readWriter{s.r, s.conn} }

// hear reads the other side's hello.
func (s *session) hear() (pair, error) {
	var h hello
	if err := receive(s.rw(), frameHello, &h); err != nil {
		return pair{}, err
	}
	if h.ChainID != s.chain.ChainID() {
		return pair{}, s.refuse(fmt.Errorf("%w: chain %q, this is %q", ErrRefused, h.ChainID, s.chain.ChainID()))
	}
	s.heard = &h
	return pair{slot: h.Slot, prober: h.Prober, target: h.Target}, nil
}

// greet sends the own hello, and reads the other side's when that is not there yet.
func (s *session) greet() error {
	own := hello{
		ChainID: s.chain.ChainID(), Slot: s.pair.slot, Prober: s.pair.prober, Target: s.pair.target, MaxBytes: s.cfg.MaxBytes,
	}
	if s.isProber() {
		doc, err := s.docs.Get(s.key())
		if err != nil {
			return &storeError{err}
		}
		if doc != nil {
			own.Signed = &signed{Doc: doc, Signature: s.signer.SignDoc(attestation.DomainProbe, doc)}
		}
	}
	if err := send(s.conn, frameHello, own); err != nil {
		return err
	}
	if s.heard == nil {
		p, err := s.hear()
		if err != nil {
			return err
		}
		if p != s.pair {
			return fmt.Errorf("%w: hello of slot %d, prober %d, target %d", errProtocol, p.slot, p.prober, p.target)
		}
	}
	s.maxBytes = min(s.cfg.MaxBytes, s.heard.MaxBytes)
	if s.isProber() && own.Signed != nil {
		s.heard.Signed = own.Signed
	} else if s.isProber() {
		s.heard.Signed = nil
	}
	return nil
}

func (s *session) own() uint64 {
	if s.pair.prober == s.peer.id {
		return s.pair.target
	}
	return s.pair.prober
}

func (s *session) isProber() bool { return s.own() == s.pair.prober }

// refuse tells why the session ends.
func (s *session) refuse(why error) error {
	return errors.Join(why, send(s.conn, frameRefuse, refusal{Why: why.Error(), Busy: errors.Is(why, errBusy)}))
}

// run measures and signs.
func (s *session) run() error {
	if s.heard.Signed != nil {
		return s.resume()
	}
	if s.isProber() {
		return s.probe()
	}
	return s.beProbed()
}

// probe is the prober's side.
func (s *session) probe() error {
	rtt, err := ping(s.rw())
	if err != nil {
		return err
	}
	if err := pong(s.rw()); err != nil {
		return err
	}
	up, err := download(s.conn, s.r, s.maxBytes, s.cfg.MaxTime)
	if err != nil {
		return err
	}
	down, err := upload(s.rw(), s.maxBytes, s.cfg.MaxTime, rtt)
	if errors.Is(err, errDisagree) {
		return s.refuse(err)
	}
	if err != nil {
		return err
	}
	if _, _, _, params, _ := s.host.Host(); min(up.Bytes, down.Bytes) < params.Probe.MinBytes {
		return s.refuse(fmt.Errorf("%w: %d bytes up and %d down, at least %d count", ErrRefused, up.Bytes, down.Bytes, params.Probe.MinBytes))
	}
	doc := attestation.ProbeDoc{
		ChainId: s.chain.ChainID(), Slot: s.pair.slot, Prober: s.pair.prober, Target: s.pair.target,
		UpBytes: up.Bytes, UpUs: up.Micros, DownBytes: down.Bytes, DownUs: down.Micros,
		RttUs: uint64(rtt.Microseconds()), Exporter: s.exporter,
	}
	raw, err := doc.Marshal()
	if err != nil {
		return err
	}
	stored, same, err := s.docs.Once(s.key(), raw)
	if err != nil {
		return &storeError{err}
	}
	if !same {
		return fmt.Errorf("%w: slot %d has another document already: %x", errProtocol, s.pair.slot, stored)
	}
	sig := s.signer.SignDoc(attestation.DomainProbe, raw)
	if err := send(s.conn, frameDoc, signed{Doc: raw, Signature: sig}); err != nil {
		return err
	}
	return s.complete(raw, sig)
}

// complete waits for the target's signature and keeps the receipt.
func (s *session) complete(doc, own []byte) error {
	var theirs signed
	if err := receive(s.rw(), frameSignature, &theirs); err != nil {
		return err
	}
	if !s.signedByPeer(doc, theirs.Signature) {
		return fmt.Errorf("%w: signature of host %d is wrong", errProtocol, s.peer.id)
	}
	r := attestation.ProbeReceipt{ProberSignature: own, TargetSignature: theirs.Signature}
	if err := r.Doc.Unmarshal(doc); err != nil {
		return err
	}
	return s.keepReceipt(s.key(), r)
}

// beProbed is the target's side. It signs what it saw and nothing else.
func (s *session) beProbed() error {
	if err := pong(s.rw()); err != nil {
		return err
	}
	rtt, err := ping(s.rw())
	if err != nil {
		return err
	}
	up, err := upload(s.rw(), s.maxBytes, s.cfg.MaxTime, rtt)
	if errors.Is(err, errDisagree) {
		return s.refuse(err)
	}
	if err != nil {
		return err
	}
	down, err := download(s.conn, s.r, s.maxBytes, s.cfg.MaxTime)
	if err != nil {
		return err
	}
	var theirs signed
	if err := receive(s.rw(), frameDoc, &theirs); err != nil {
		return err
	}
	want := attestation.ProbeDoc{
		ChainId: s.chain.ChainID(), Slot: s.pair.slot, Prober: s.pair.prober, Target: s.pair.target,
		UpBytes: up.Bytes, UpUs: up.Micros, DownBytes: down.Bytes, DownUs: down.Micros, Exporter: s.exporter,
	}
	if err := checkDoc(theirs.Doc, want, rtt); err != nil {
		return s.refuse(err)
	}
	if !s.signedByPeer(theirs.Doc, theirs.Signature) {
		return s.refuse(fmt.Errorf("%w: signature of host %d is wrong", errProtocol, s.peer.id))
	}
	return s.countersign(theirs.Doc)
}

// checkDoc compares the prober's document with what the target saw. Both know the
// figures of both transfers exactly, each as its receiver measured it and its
// sender took it; only the round trip is the prober's own.
func checkDoc(raw []byte, want attestation.ProbeDoc, rtt time.Duration) error {
	var doc attestation.ProbeDoc
	if err := doc.Unmarshal(raw); err != nil {
		return fmt.Errorf("%w: document: %w", errProtocol, err)
	}
	claimed := time.Duration(min(doc.RttUs, uint64(sessionTime.Microseconds()))) * time.Microsecond
	if d := (claimed - rtt).Abs(); d > rtt/2+agreeSlack {
		return fmt.Errorf("%w: round trip %s, seen %s", errDisagree, claimed, rtt)
	}
	want.RttUs = doc.RttUs
	canonical, err := want.Marshal()
	if err != nil {
		return err
	}
	if !bytes.Equal(canonical, raw) {
		return fmt.Errorf("%w: document %+v, seen %+v", errDisagree, doc, want)
	}
	return nil
}

// countersign writes the document down and then signs it: a probe has one document
// for ever.
func (s *session) countersign(doc []byte) error {
	stored, same, err := s.docs.Once(s.key(), doc)
	if err != nil {
		return &storeError{err}
	}
	if !same {
		return s.refuse(fmt.Errorf("%w: another document of this probe is signed: %x", ErrRefused, stored))
	}
	if err := send(s.conn, frameSignature, signed{Signature: s.signer.SignDoc(attestation.DomainProbe, doc)}); err != nil {
		return err
	}
	return s.wasProbed(doc)
}

// resume finishes a probe whose last answer was lost: the target signs again only
// what it has written down.
func (s *session) resume() error {
	doc := s.heard.Signed
	if s.isProber() {
		return s.complete(doc.Doc, doc.Signature)
	}
	stored, err := s.docs.Get(s.key())
	if err != nil {
		return &storeError{err}
	}
	if stored == nil || !bytes.Equal(stored, doc.Doc) || !s.signedByPeer(doc.Doc, doc.Signature) {
		return s.refuse(fmt.Errorf("%w: this document was not seen here", ErrRefused))
	}
	return s.countersign(doc.Doc)
}

func (s *session) signedByPeer(doc, sig []byte) bool {
	for _, k := range s.peer.keys {
		if attestation.Verify(k, attestation.SignBytesOf(attestation.DomainProbe, doc), sig) {
			return true
		}
	}
	return false
}
