package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// silence is how long a subscription may say nothing, not even an answer to a
// ping, before it counts as dead.
const silence = 30 * time.Second

// Wakeup calls wake when the chain tells of a rental on the host. It is a hint
// and nothing more: what it misses, the next regular pass sees. It returns when
// ctx ends.
func Wakeup(ctx context.Context, endpoints []string, hostID uint64, wake func(), log *slog.Logger) error {
	log = log.With("part", "wakeup")
	wait := time.Second
	for i := 0; ; i++ {
		began := time.Now()
		err := subscribe(ctx, endpoints[i%len(endpoints)], hostID, wake)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) > time.Minute {
			wait = time.Second
		}
		log.DebugContext(ctx, "subscription ended", "endpoint", endpoints[i%len(endpoints)], "err", err, "again_in", wait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, 30*time.Second)
	}
}

// queries are CometBFT subscriptions. A typed event's attribute is JSON, in
// which a uint64 is a string. A node takes five of one client.
func queries(hostID uint64) []string {
	var qs []string
	for _, event := range []string{
		"EventRentalOpened", "EventStartDue", "EventRentalStarted", "EventRentalPreempted", "EventRentalClosed",
	} {
		qs = append(qs, fmt.Sprintf(`grafi.gpumarket.v1.%s.host_id='"%d"'`, event, hostID))
	}
	return qs
}

func subscribe(ctx context.Context, endpoint string, hostID uint64, wake func()) error {
	dialer := websocket.Dialer{HandshakeTimeout: 5 * time.Second, Proxy: http.ProxyFromEnvironment}
	conn, resp, err := dialer.DialContext(ctx, websocketURL(endpoint), nil)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()

	for i, q := range queries(hostID) {
		err := conn.WriteJSON(map[string]any{
			"jsonrpc": "2.0", "id": i + 1, "method": "subscribe", "params": map[string]string{"query": q},
		})
		if err != nil {
			return err
		}
	}
	wake() // whatever happened while there was no subscription
	conn.SetReadLimit(16 << 20)
	extend := func() error { return conn.SetReadDeadline(time.Now().Add(silence)) }
	conn.SetPongHandler(func(string) error { return extend() })
	if err := extend(); err != nil {
		return err
	}
	done := make(chan struct{})
	pinging := make(chan struct{})
	go func() {
		defer close(pinging)
		ping(conn, done)
	}()
	defer func() { close(done); <-pinging }()
	for {
		var msg struct {
			Result struct {
				Query string `json:"query"`
			} `json:"result"`
			Error json.RawMessage `json:"error"`
		}
		if err := conn.ReadJSON(&msg); err != nil {
			return err
		}
		if len(msg.Error) > 0 {
			return fmt.Errorf("node refused: %s", msg.Error)
		}
		if err := extend(); err != nil {
			return err
		}
		if msg.Result.Query != "" {
			wake()
		}
	}
}

func ping(conn *websocket.Conn, done <-chan struct{}) {
	tick := time.NewTicker(silence / 3)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			if conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(5*time.Second)) != nil {
				return // the reader sees the broken connection
			}
		}
	}
}

// websocketURL maps a CometBFT RPC URL to its websocket.
func websocketURL(endpoint string) string {
	u := strings.TrimSuffix(endpoint, "/")
	for from, to := range map[string]string{"tcp://": "ws://", "http://": "ws://", "https://": "wss://"} {
		if rest, ok := strings.CutPrefix(u, from); ok {
			return to + rest + "/websocket"
		}
	}
	return u + "/websocket"
}
