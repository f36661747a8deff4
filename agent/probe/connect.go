package probe

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/grafilab/grafi/internal/agentapi"
)

const (
	handshakeTime = 5 * time.Second
	// sessionTime bounds a session: two transfers, their rests in buffers, and the talk.
	sessionTime = 45 * time.Second
	// maxConnections bounds the connections that are served at once.
	maxConnections = 8
	exporterLabel  = "EXPORTER-grafi-probe-v1"
	exporterSize   = 32
)

// errBusy means that a transfer runs on one of the two hosts.
var errBusy = errors.New("a transfer runs already")

// ErrRefused means that the other side does not take the session, or the figures.
var ErrRefused = errors.New("probe refused")

func asStore(err error) (*storeError, bool) {
	var s *storeError
	return s, errors.As(err, &s)
}

// take holds the host's line for one transfer, if it is free.
func (f *Flow) take() bool {
	select {
	case f.busy <- struct{}{}:
		return true
	default:
		return false
	}
}

func (f *Flow) release() { <-f.busy }

// dialOne connects to the pair's other side and runs one session.
func (f *Flow) dialOne(ctx context.Context, p pair, other *peer) error {
	if !f.take() {
		return errBusy
	}
	defer f.release()
	_, host, _, _, known := f.host.Host()
	if !known {
		return errors.New("own host is not known")
	}
	signer := f.signer(&host, p.slot)
	if signer == nil {
		return fmt.Errorf("no key of this agent signs for slot %d", p.slot)
	}
	cert, err := f.certificate(signer, f.host.Now())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sessionTime)
	defer cancel()
	timeout, stop := context.WithTimeout(ctx, handshakeTime)
	defer stop()
	raw, err := f.cfg.Dial(timeout, other.dial)
	if err != nil {
		return err
	}
	conn := tls.Client(raw, agentapi.ProbeTLS(cert, f.host.Now, func() []ed25519.PublicKey { return other.keys }))
	defer func() { _ = conn.Close() }() // an error here loses nothing
	if err := conn.HandshakeContext(timeout); err != nil {
		return err
	}
	s, err := f.newSession(ctx, conn, p, other, signer)
	if err != nil {
		return err
	}
	defer s.unwatch()
	if err := s.greet(); err != nil {
		return err
	}
	return f.finish(p, other, s.run())
}

// serve accepts connections until ctx ends.
func (f *Flow) serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = f.listener.Close() })
	defer stop()
	slots := make(chan struct{}, maxConnections)
	var sessions sync.WaitGroup
	defer sessions.Wait() // their connections close with ctx
	fatal := make(chan error, 1)
	for {
		raw, err := f.listener.Accept()
		if err != nil {
			select {
			case err := <-fatal:
				return err
			default:
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			f.log.Warn("probe listener", "err", err)
			select { // out of descriptors, for example: it mends itself
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second):
			}
			if errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("probe listener: %w", err)
			}
			continue
		}
		select {
		case slots <- struct{}{}:
		default: // too many: this one has to come again
			_ = raw.Close()
			continue
		}
		sessions.Go(func() {
			defer func() { <-slots }()
			if err := f.serveOne(ctx, raw); err != nil {
				f.log.Debug("probe from outside did not succeed", "from", raw.RemoteAddr().String(), "err", err)
				if s, ok := asStore(err); ok {
					fatal <- s
					_ = f.listener.Close()
				}
			}
		})
	}
}

// serveOne answers one connection. Only peers of a drawn pair get beyond the handshake.
func (f *Flow) serveOne(ctx context.Context, raw net.Conn) error {
	defer func() { _ = raw.Close() }() // an error here loses nothing
	_, host, _, params, known := f.host.Host()
	if !known {
		return errors.New("own host is not known")
	}
	now := f.host.Now()
	signer := f.signer(&host, params.SlotAt(now))
	if signer == nil {
		return errors.New("no key of this agent is live")
	}
	cert, err := f.certificate(signer, now)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sessionTime)
	defer cancel()
	timeout, stop := context.WithTimeout(ctx, handshakeTime)
	defer stop()
	conn := tls.Server(raw, agentapi.ProbeTLS(cert, f.host.Now, f.allowed))
	if err := conn.HandshakeContext(timeout); err != nil {
		return err
	}
	key, err := agentapi.ProbePeer(conn.ConnectionState(), now, f.allowed())
	if err != nil {
		return err
	}
	s, err := f.newSession(ctx, conn, pair{}, nil, nil)
	if err != nil {
		return err
	}
	defer s.unwatch()
	p, err := s.hear()
	if err != nil {
		return err
	}
	other, err := f.find(p, key, s.heard.Signed != nil)
	if err != nil {
		return s.refuse(err)
	}
	if s.signer = f.signer(&host, p.slot); s.signer == nil {
		return s.refuse(fmt.Errorf("%w: no key signs for slot %d", ErrRefused, p.slot))
	}
	if !f.take() {
		f.mu.Lock()
		other.sessions-- // it cost nothing
		f.mu.Unlock()
		return s.refuse(errBusy)
	}
	defer f.release()
	s.pair, s.peer = p, other
	if err := s.greet(); err != nil {
		return err
	}
	return f.finish(p, other, s.run())
}

// finish notes how a session ended.
func (f *Flow) finish(p pair, other *peer, err error) error {
	f.mu.Lock()
	other.done = other.done || err == nil || errors.Is(err, errDisagree)
	f.mu.Unlock()
	switch {
	case err == nil:
		f.observer.Probed(OutcomeSigned)
	case errors.Is(err, errDisagree):
		f.observer.Probed(OutcomeRefused)
		f.log.Warn("probe is not signed: its figures are not what was seen", "slot", p.slot, "prober", p.prober, "target", p.target, "err", err)
	}
	return err
}
