// Package gateway is the door of a host: HTTPS on which a renter sends the
// manifest, reads logs and results, and runs commands. The chain says who the
// renter is and the agent key says which host this is, so that neither needs an
// account, a password or a certificate authority.
package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/store"
	"github.com/grafilab/grafi/offchain/executor/token"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// Bounds of one gateway.
const (
	maxHeader        = 16 << 10 // bytes
	maxExecBody      = 64 << 10 // bytes
	maxSeen          = 200_000  // tokens remembered for their 15 minutes at most
	streamsPerRental = 8
	// ioTimeout bounds a request's body, an answer, and each write of a stream.
	ioTimeout = 30 * time.Second
)

// Chain is what the gateway asks the chain.
type Chain interface {
	Rental(ctx context.Context, rentalID uint64) (r markettypes.Rental, found bool, err error)
	PubKey(ctx context.Context, address string) (cryptotypes.PubKey, error)
}

// Executor is what the gateway asks the reconciling loop.
type Executor interface {
	// Wake asks for a pass: a manifest has arrived.
	Wake()
	// Obstacle is why a workload could not be started yet.
	Obstacle(rentalID uint64) error
}

// Config is what a Server is made of.
type Config struct {
	ChainID string
	HostID  uint64
	Chain   Chain
	Engine  engine.Engine
	// Isolated is whether the engine keeps workloads from the host and from others.
	Isolated bool
	Store    *store.Store
	Executor Executor
	// Share is what comes with one GPU of this host.
	Share func(ctx context.Context) (Share, error)
	// Certificate answers TLS handshakes.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	Now         func() time.Time
	Log         *slog.Logger
}

// Server is one host's gateway. Construct it with New.
type Server struct {
	Config
	started time.Time
	seen    *token.Seen
	lookup  *lookup
	peers   *limiter
	rentals *limiter

	mu      sync.Mutex
	streams map[uint64]int
}

// New returns a Server that has not started.
func New(c Config) *Server {
	c.Log = c.Log.With("part", "gateway")
	return &Server{
		Config: c, started: c.Now(), seen: token.NewSeen(maxSeen), lookup: newLookup(c.Chain, c.Now),
		peers: newLimiter(20, 60, c.Now), rentals: newLimiter(10, 40, c.Now), streams: make(map[uint64]int),
	}
}

// Handler returns the gateway's routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"chain_id": s.ChainID, "host_id": s.HostID})
	})
	const rental = "/v1/rentals/{id}"
	mux.Handle("PUT "+rental+"/manifest", s.verb(token.ScopeManifest, s.putManifest))
	mux.Handle("GET "+rental, s.verb(token.ScopeStatus, s.getStatus))
	mux.Handle("GET "+rental+"/logs", s.verb(token.ScopeLogs, s.getLogs))
	mux.Handle("GET "+rental+"/stats", s.verb(token.ScopeStats, s.getStats))
	mux.Handle("GET "+rental+"/results", s.verb(token.ScopeResults, s.getResults))
	mux.Handle("GET "+rental+"/results/file", s.verb(token.ScopeResults, s.getResultFile))
	mux.Handle("POST "+rental+"/exec", s.verb(token.ScopeExec, s.postExec))
	return mux
}

// verb is a handler of an authorized request.
type verb func(w http.ResponseWriter, r *http.Request, rental markettypes.Rental) error

func (s *Server) verb(scope token.Scope, fn verb) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.Now()
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(ioTimeout))
		rental, err := s.authorize(r, scope)
		if err == nil {
			err = fn(w, r, rental)
		}
		log := s.Log.With("scope", string(scope), "rental", r.PathValue("id"), "peer", peer(r), "took", s.Now().Sub(began))
		if err == nil {
			log.DebugContext(r.Context(), "served")
			return
		}
		log.InfoContext(r.Context(), "refused", "err", err)
		writeError(w, err)
	})
}

// Serve answers on l until ctx ends, which is a clean stop. Streams end with it.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s.Handler(),
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: s.Certificate},
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: ioTimeout, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		timeout, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if srv.Shutdown(timeout) != nil {
			_ = srv.Close()
		}
	})
	err := srv.ServeTLS(l, "", "")
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("gateway: %w", err)
}

// stream counts a long answer of a rental and returns its end.
func (s *Server) stream(rentalID uint64) (func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[rentalID] >= streamsPerRental {
		return nil, fail(http.StatusTooManyRequests, "too_many_streams", "%d streams of rental %d are open, at most %d are allowed",
			s.streams[rentalID], rentalID, streamsPerRental)
	}
	s.streams[rentalID]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.streams[rentalID]--; s.streams[rentalID] == 0 {
			delete(s.streams, rentalID)
		}
	}, nil
}
