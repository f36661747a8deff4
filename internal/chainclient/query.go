package chainclient

import (
	"context"
	"encoding/hex"
	"fmt"

	gogogrpc "github.com/cosmos/gogoproto/grpc"
	"github.com/cosmos/gogoproto/proto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var _ gogogrpc.ClientConn = (*Client)(nil)

type abciQueryResult struct {
	Response struct {
		Code      uint32 `json:"code"`
		Codespace string `json:"codespace"`
		Log       string `json:"log"`
		Value     []byte `json:"value"` // base64
		Height    int64  `json:"height,string"`
	} `json:"response"`
}

// Invoke implements the client connection that every generated NewQueryClient
// takes, so a query reads types.NewQueryClient(client).Host(ctx, req). It runs
// over ABCI query at the newest block.
//
// Errors: *RejectedError when the chain answered no (see IsNotFound), ErrUnreachable.
func (c *Client) Invoke(ctx context.Context, method string, args, reply any, _ ...grpc.CallOption) error {
	in, ok := args.(proto.Message)
	if !ok {
		return fmt.Errorf("query %s: request %T is no proto message", method, args)
	}
	out, ok := reply.(proto.Message)
	if !ok {
		return fmt.Errorf("query %s: response %T is no proto message", method, reply)
	}
	data, err := proto.Marshal(in)
	if err != nil {
		return fmt.Errorf("query %s: %w", method, err)
	}
	value, err := c.abciQuery(ctx, StageQuery, method, data)
	if err != nil {
		return fmt.Errorf("query %s: %w", method, err)
	}
	if err := proto.Unmarshal(value, out); err != nil {
		return fmt.Errorf("query %s: decode answer: %w", method, err)
	}
	return nil
}

// NewStream implements gogogrpc.ClientConn. ABCI queries can't stream.
func (c *Client) NewStream(_ context.Context, _ *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Errorf(codes.Unimplemented, "%s: streams are not available over ABCI query", method)
}

// abciQuery runs one ABCI query and returns its value.
func (c *Client) abciQuery(ctx context.Context, stage Stage, path string, data []byte) ([]byte, error) {
	var value []byte
	err := c.do(ctx, func(ctx context.Context, e *endpoint) error {
		var r abciQueryResult
		// CometBFT wants data as hex here, and as base64 in a broadcast.
		params := map[string]any{"path": path, "data": hex.EncodeToString(data), "height": "0", "prove": false}
		if err := e.call(ctx, "abci_query", params, &r); err != nil {
			return err
		}
		if r.Response.Code == codeInvalidHeight && r.Response.Codespace == sdkCodespace {
			return fmt.Errorf("node has no block yet: %s", r.Response.Log)
		}
		if least := leastHeight(ctx); r.Response.Height < least {
			return fmt.Errorf("node answers from height %d, want at least %d", r.Response.Height, least)
		}
		if r.Response.Code != 0 {
			return &RejectedError{Stage: stage, Code: r.Response.Code, Codespace: r.Response.Codespace, Log: r.Response.Log}
		}
		value = r.Response.Value
		return nil
	})
	return value, err
}
