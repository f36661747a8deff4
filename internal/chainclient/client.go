package chainclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Client talks to one chain. It is safe for concurrent use. Construct it with New.
type Client struct {
	cfg       Config
	gasPrices sdk.DecCoins
	endpoints []*endpoint
	log       *slog.Logger

	mu      sync.Mutex
	current int // index of the endpoint tried first

	sendersMu sync.Mutex
	senders   map[string]*sender // by bech32 address
}

// New returns a Client. It does no network traffic, so that a program can start
// while the chain is away.
func New(cfg Config, log *slog.Logger) (*Client, error) {
	cfg, prices, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("chain client: %w", err)
	}
	c := &Client{
		cfg: cfg, gasPrices: prices,
		log:     log.With("part", "chainclient"),
		senders: make(map[string]*sender),
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 2, Proxy: http.ProxyFromEnvironment}
	for _, e := range cfg.Endpoints {
		c.endpoints = append(c.endpoints, &endpoint{
			url: httpURL(e), http: &http.Client{Transport: transport, Timeout: cfg.RequestTimeout},
		})
	}
	return c, nil
}

// ChainID returns the chain that this client is for.
func (c *Client) ChainID() string { return c.cfg.ChainID }

// Endpoint returns the URL that is tried first now.
func (c *Client) Endpoint() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.endpoints[c.current].url
}

// do runs fn on the endpoints in turn, from the one that answered last, until
// one gives an answer. A refusal by the chain (*RejectedError) is an answer.
func (c *Client) do(ctx context.Context, fn func(context.Context, *endpoint) error) error {
	c.mu.Lock()
	first := c.current
	c.mu.Unlock()

	var failures []error
	for i := range c.endpoints {
		at := (first + i) % len(c.endpoints)
		e := c.endpoints[at]
		err := c.verify(ctx, e)
		if err == nil {
			err = fn(ctx, e)
		}
		if answered(err) {
			c.prefer(first, at)
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		failures = append(failures, fmt.Errorf("%s: %w", e.url, err))
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, errors.Join(failures...))
}

// answered reports whether err (or its absence) is the chain's own answer, so
// that asking another endpoint would only repeat it.
func answered(err error) bool {
	if err == nil {
		return true
	}
	_, rejected := AsRejected(err)
	return rejected
}

// prefer makes endpoint at the first one, if nobody else moved it meanwhile.
func (c *Client) prefer(from, at int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if from == at || c.current != from {
		return
	}
	c.log.Warn("endpoint changed", "from", c.endpoints[from].url, "to", c.endpoints[at].url)
	c.current = at
}

// verify checks once per endpoint that it serves the right chain.
func (c *Client) verify(ctx context.Context, e *endpoint) error {
	c.mu.Lock()
	checked := e.checked
	c.mu.Unlock()
	if checked {
		return nil
	}
	st, err := e.status(ctx)
	if err != nil {
		return err
	}
	if st.ChainID != c.cfg.ChainID {
		return fmt.Errorf("%w: got %q, want %q", ErrWrongChain, st.ChainID, c.cfg.ChainID)
	}
	c.mu.Lock()
	e.checked = true
	c.mu.Unlock()
	return nil
}
