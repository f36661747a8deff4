// Package telemetrytest has a data service for tests: it takes batches as one of the
// network would, and checks them.
package telemetrytest

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/telemetry"
)

// Receiver is a data service. It lets in the agent keys of Known.
type Receiver struct {
	Key     ed25519.PublicKey
	Address string

	mu      sync.Mutex
	known   []ed25519.PublicKey
	batches []telemetry.Batch
	answer  int // instead of taking, when not 0
	calls   int
	server  *httptest.Server
}

// NewReceiver starts a data service that knows these agent keys.
func NewReceiver(t testing.TB, known ...ed25519.PublicKey) *Receiver {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	cert, err := telemetry.Certificate(key, time.Now())
	require.NoError(t, err)
	r := &Receiver{Key: pub, known: known}
	r.server = httptest.NewUnstartedServer(http.HandlerFunc(r.take))
	r.server.TLS = &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert}
	r.server.StartTLS()
	t.Cleanup(r.server.Close)
	r.Address = r.server.Listener.Addr().String()
	return r
}

// Answer makes the receiver refuse everything with a status, until it is 0.
func (r *Receiver) Answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = status
}

// Calls is how many requests came in.
func (r *Receiver) Calls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls
}

// Batches returns what was taken, in its order.
func (r *Receiver) Batches() []telemetry.Batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]telemetry.Batch(nil), r.batches...)
}

func (r *Receiver) take(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	key, err := telemetry.PeerKey(*req.TLS)
	if err != nil || !r.knows(key) {
		http.Error(w, "no host has this agent key", http.StatusForbidden)
		return
	}
	if r.answer != 0 {
		http.Error(w, "told to", r.answer)
		return
	}
	var b telemetry.Batch
	raw, err := io.ReadAll(http.MaxBytesReader(w, req.Body, telemetry.MaxWire))
	if err == nil {
		err = json.Unmarshal(raw, &b)
	}
	if err == nil {
		err = b.Check()
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	r.batches = append(r.batches, b)
	w.WriteHeader(http.StatusNoContent)
}

func (r *Receiver) knows(key ed25519.PublicKey) bool {
	for _, k := range r.known {
		if key.Equal(k) {
			return true
		}
	}
	return false
}
