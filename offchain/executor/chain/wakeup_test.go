package chain_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/offchain/executor/chain"
)

// node answers subscriptions and then sends what comes on events.
func node(t *testing.T, queries chan<- string, events <-chan string) string {
	t.Helper()
	up := websocket.Upgrader{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/websocket" {
			http.NotFound(w, r)
			return
		}
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		for range 5 {
			var req struct {
				Method string            `json:"method"`
				Params map[string]string `json:"params"`
			}
			if conn.ReadJSON(&req) != nil {
				return
			}
			queries <- req.Method + " " + req.Params["query"]
			if conn.WriteMessage(websocket.TextMessage, []byte(`{"jsonrpc":"2.0","id":1,"result":{}}`)) != nil {
				return
			}
		}
		for e := range events {
			if e == "break" || conn.WriteMessage(websocket.TextMessage, []byte(e)) != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestWakeup(t *testing.T) {
	queries, events := make(chan string, 16), make(chan string)
	url := strings.Replace(node(t, queries, events), "http://", "tcp://", 1)
	ctx, cancel := context.WithCancel(t.Context())
	var wakes atomic.Int32
	done := make(chan error, 1)
	go func() {
		done <- chain.Wakeup(ctx, []string{url}, 4, func() { wakes.Add(1) }, slog.New(slog.DiscardHandler))
	}()
	at := func(n int32) {
		t.Helper()
		require.Eventually(t, func() bool { return wakes.Load() == n }, 5*time.Second, time.Millisecond)
	}
	at(1) // subscribed: look at what was missed
	require.Equal(t, `subscribe grafi.gpumarket.v1.EventRentalOpened.host_id='"4"'`, <-queries)
	events <- `{"jsonrpc":"2.0","id":1,"result":{"query":"q","data":{}}}`
	at(2)
	events <- "break"
	at(3) // connected anew
	cancel()
	close(events)
	require.NoError(t, <-done)
}
