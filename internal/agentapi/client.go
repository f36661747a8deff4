package agentapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// ErrUnreachable means that no agent answers on the socket.
var ErrUnreachable = errors.New("agent could not be reached")

// Client calls an agent over its socket. It is safe for concurrent use.
type Client struct {
	http *http.Client
	path string
}

// NewClient returns a client of the agent whose socket is at path.
func NewClient(path string) *Client {
	connect := func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, path) }
	return &Client{path: path, http: &http.Client{
		Transport: &http.Transport{DialContext: connect, MaxIdleConns: 2, IdleConnTimeout: time.Minute},
		Timeout:   15 * time.Second,
	}}
}

// SetWorkloads tells what runs. Send it at least every 30 seconds.
func (c *Client) SetWorkloads(ctx context.Context, w Workloads) error {
	return c.call(ctx, http.MethodPut, "/v1/workloads", w, &struct{}{})
}

// Started reports that a workload runs. Repeat it to learn its state.
func (c *Client) Started(ctx context.Context, s Started) (Report, error) {
	var out Report
	return out, c.call(ctx, http.MethodPost, "/v1/started", s, &out)
}

// Result reports how a workload ended. Another result for the same rental is ErrConflict.
func (c *Client) Result(ctx context.Context, r Result) (Report, error) {
	var out Report
	return out, c.call(ctx, http.MethodPost, "/v1/result", r, &out)
}

// Certificate returns a TLS certificate for the gateway's public key (PKIX DER).
func (c *Client) Certificate(ctx context.Context, publicKey []byte) (Certificate, error) {
	var out Certificate
	return out, c.call(ctx, http.MethodPost, "/v1/certificate", CertificateRequest{PublicKey: publicKey}, &out)
}

// Status returns what the agent knows of itself.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var out Status
	return out, c.call(ctx, http.MethodGet, "/v1/status", nil, &out)
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("agent %s: %w", path, err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://agent"+path, body)
	if err != nil {
		return fmt.Errorf("agent %s: %w", path, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: socket %s: %w", ErrUnreachable, c.path, err)
	}
	defer func() { _ = resp.Body.Close() }() // only read
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("%w: read answer: %w", ErrUnreachable, err)
	}
	if resp.StatusCode != http.StatusOK {
		return remoteError(path, resp.Status, raw)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("agent %s: decode answer: %w", path, err)
	}
	return nil
}

func remoteError(path, status string, raw []byte) error {
	var e errorBody
	if json.Unmarshal(raw, &e) != nil || e.Error == "" {
		return fmt.Errorf("agent %s: HTTP %s", path, status)
	}
	for _, k := range kinds {
		if k.kind == e.Kind {
			return fmt.Errorf("agent %s: %w (%s)", path, k.err, e.Error)
		}
	}
	return fmt.Errorf("agent %s: %s", path, e.Error)
}
