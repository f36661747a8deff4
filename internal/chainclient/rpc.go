package chainclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxResponse bounds one answer of a node, so that a hostile or broken endpoint
// can't fill the memory: a block of the default maximum (4 MiB) in base64 and JSON fits.
const maxResponse = 16 << 20

// endpoint is one node's CometBFT RPC.
type endpoint struct {
	url     string
	http    *http.Client
	checked bool // its chain id was seen to be right; guarded by Client.mu
}

type rpcRequest struct {
	JSONRPC string         `json:"jsonrpc"`
	ID      int            `json:"id"`
	Method  string         `json:"method"`
	Params  map[string]any `json:"params"`
}

type rpcResponse struct {
	Result json.RawMessage `json:"result"`
	Error  *nodeError      `json:"error"`
}

// call does one JSON-RPC call. A *nodeError means that the node answered with
// an error; every other error means that there was no usable answer.
func (e *endpoint) call(ctx context.Context, method string, params map[string]any, out any) error {
	if params == nil {
		params = map[string]any{}
	}
	body, err := json.Marshal(rpcRequest{JSONRPC: "2.0", ID: 1, Method: method, Params: params})
	if err != nil {
		return fmt.Errorf("encode %s: %w", method, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := e.http.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	defer func() { _ = resp.Body.Close() }() // only read
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err != nil {
		return fmt.Errorf("%s: read answer: %w", method, err)
	}
	if len(raw) > maxResponse {
		return fmt.Errorf("%s: answer is larger than %d bytes", method, maxResponse)
	}
	var rr rpcResponse
	if err := json.Unmarshal(raw, &rr); err != nil {
		return fmt.Errorf("%s: HTTP %s, answer is no JSON-RPC: %w", method, resp.Status, err)
	}
	if rr.Error != nil {
		return rr.Error
	}
	if len(rr.Result) == 0 {
		return fmt.Errorf("%s: HTTP %s, answer has neither result nor error", method, resp.Status)
	}
	if err := json.Unmarshal(rr.Result, out); err != nil {
		return fmt.Errorf("%s: decode answer: %w", method, err)
	}
	return nil
}

// httpURL maps tcp:// to http://, as CometBFT's own clients do.
func httpURL(s string) string {
	if rest, ok := strings.CutPrefix(s, "tcp://"); ok {
		return "http://" + rest
	}
	return s
}
