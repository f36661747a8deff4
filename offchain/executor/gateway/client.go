package gateway

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/token"
)

// ErrUnreachable says that the gateway gave no answer.
var ErrUnreachable = errors.New("gateway could not be reached")

// Issue returns a new token with one scope.
type Issue func(scope token.Scope) (string, error)

// Client is the renter's side of one rental. It is safe for concurrent use.
type Client struct {
	root  string
	base  string
	http  *http.Client
	issue Issue
}

// NewClient returns a client of the gateway at endpoint (a host's, on chain).
// agentKeys are the host's live keys on chain: only a gateway with a certificate
// of one of them is spoken to.
func NewClient(endpoint string, rentalID uint64, issue Issue, agentKeys ...ed25519.PublicKey) (*Client, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("gateway endpoint: got %q, want https://host:port", endpoint)
	}
	root := strings.TrimSuffix(u.String(), "/") + "/v1"
	return &Client{root: root, base: root + "/rentals/" + strconv.FormatUint(rentalID, 10), issue: issue, http: &http.Client{Transport: &http.Transport{
		TLSClientConfig: agentapi.GatewayTLS(agentKeys...), ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute,
		Proxy: http.ProxyFromEnvironment,
	}}}, nil
}

// Health says whether the gateway answers and has the agent key's certificate.
func (c *Client) Health(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.root+"/health", nil)
	if err != nil {
		return err
	}
	body, err := c.send(req)
	if err != nil {
		return err
	}
	return body.Close()
}

// PutManifest sends the document, JSON or YAML.
func (c *Client) PutManifest(ctx context.Context, doc []byte) (Accepted, error) {
	var out Accepted
	return out, c.json(ctx, http.MethodPut, "/manifest", token.ScopeManifest, bytes.NewReader(doc), &out)
}

// Status returns what the host knows of the rental.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var out Status
	return out, c.json(ctx, http.MethodGet, "", token.ScopeStatus, nil, &out)
}

// Stats returns what the workload uses now.
func (c *Client) Stats(ctx context.Context) (engine.Stats, error) {
	var out engine.Stats
	return out, c.json(ctx, http.MethodGet, "/stats", token.ScopeStats, nil, &out)
}

// Logs returns the log. The caller closes it.
func (c *Client) Logs(ctx context.Context, opts engine.LogOptions) (io.ReadCloser, error) {
	q := url.Values{"follow": {strconv.FormatBool(opts.Follow)}, "tail_bytes": {strconv.FormatInt(opts.TailBytes, 10)}}
	return c.do(ctx, http.MethodGet, "/logs?"+q.Encode(), token.ScopeLogs, nil)
}

// Results lists the result files.
func (c *Client) Results(ctx context.Context) (Results, error) {
	var out Results
	return out, c.json(ctx, http.MethodGet, "/results", token.ScopeResults, nil, &out)
}

// OpenResult returns one result file. The caller closes it.
func (c *Client) OpenResult(ctx context.Context, path string) (io.ReadCloser, error) {
	q := url.Values{"path": {path}}
	return c.do(ctx, http.MethodGet, "/results/file?"+q.Encode(), token.ScopeResults, nil)
}

// Exec runs a command inside the workload and returns its exit code.
func (c *Client) Exec(ctx context.Context, req ExecRequest, stdout, stderr io.Writer) (int, error) {
	raw, err := json.Marshal(req)
	if err != nil {
		return 0, err
	}
	body, err := c.do(ctx, http.MethodPost, "/exec", token.ScopeExec, bytes.NewReader(raw))
	if err != nil {
		return 0, err
	}
	defer body.Close()
	return readFrames(body, stdout, stderr)
}

func (c *Client) json(ctx context.Context, method, path string, scope token.Scope, in io.Reader, out any) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	body, err := c.do(ctx, method, path, scope, in)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(io.LimitReader(body, 1<<20)).Decode(out); err != nil {
		return fmt.Errorf("gateway: decode answer: %w", err)
	}
	return nil
}

func (c *Client) do(ctx context.Context, method, path string, scope token.Scope, in io.Reader) (io.ReadCloser, error) {
	raw, err := c.issue(scope)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, in)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+raw)
	return c.send(req)
}

func (c *Client) send(req *http.Request) (io.ReadCloser, error) {
	resp, err := c.http.Do(req)
	if errors.Is(err, agentapi.ErrWrongGateway) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var e struct {
		Error *Error `json:"error"`
	}
	if json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&e) != nil || e.Error == nil {
		return nil, fmt.Errorf("gateway: HTTP %s", resp.Status)
	}
	e.Error.Status = resp.StatusCode
	return nil, e.Error
}
