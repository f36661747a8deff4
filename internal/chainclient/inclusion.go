package chainclient

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
)

// execResult is a transaction's result as JSON-RPC shows it.
type execResult struct {
	Code      uint32       `json:"code"`
	Codespace string       `json:"codespace"`
	Log       string       `json:"log"`
	Data      []byte       `json:"data"`
	GasUsed   int64        `json:"gas_used,string"`
	Events    []abci.Event `json:"events"`
}

type txResult struct {
	Height   int64      `json:"height,string"`
	TxResult execResult `json:"tx_result"`
}

type blockResult struct {
	Block struct {
		Data struct {
			Txs [][]byte `json:"txs"`
		} `json:"data"`
	} `json:"block"`
}

type blockResultsResult struct {
	TxsResults []execResult `json:"txs_results"`
}

// lookup asks once for the transaction: by the node's index or, where a node
// keeps none, in the blocks made since *scan.
func (c *Client) lookup(ctx context.Context, tx []byte, scan *int64) (Result, bool, error) {
	var res Result
	found := false
	err := c.do(ctx, func(ctx context.Context, e *endpoint) error {
		var r txResult
		hash := sha256.Sum256(tx)
		err := e.call(ctx, "tx", map[string]any{"hash": hash[:], "prove": false}, &r)
		switch {
		case err == nil:
			res, err = r.TxResult.result(tx, r.Height)
			found = err == nil
			return err
		case isNotIndexed(err):
			res, found, err = e.scanBlocks(ctx, tx, scan)
			return err
		case isTxNotFound(err):
			return nil
		}
		return err
	})
	return res, found, err
}

// scanBlocks looks for the transaction in the blocks after *scan and moves it on.
func (e *endpoint) scanBlocks(ctx context.Context, tx []byte, scan *int64) (Result, bool, error) {
	st, err := e.status(ctx)
	if err != nil {
		return Result{}, false, err
	}
	for h := *scan + 1; h <= st.Height; h++ {
		var b blockResult
		if err := e.call(ctx, "block", map[string]any{"height": fmt.Sprint(h)}, &b); err != nil {
			return Result{}, false, err
		}
		for i, t := range b.Block.Data.Txs {
			if !bytes.Equal(t, tx) {
				continue
			}
			var br blockResultsResult
			if err := e.call(ctx, "block_results", map[string]any{"height": fmt.Sprint(h)}, &br); err != nil {
				return Result{}, false, err
			}
			if i >= len(br.TxsResults) {
				return Result{}, false, fmt.Errorf("block %d: %d results for transaction %d", h, len(br.TxsResults), i)
			}
			res, err := br.TxsResults[i].result(tx, h)
			return res, err == nil, err
		}
		*scan = h
	}
	return Result{}, false, nil
}

// result turns what is in the block into a Result, or into the chain's refusal.
func (r execResult) result(tx []byte, height int64) (Result, error) {
	if r.Code != 0 {
		return Result{TxHash: hashOf(tx), Height: height}, &RejectedError{
			Stage: StageDeliver, Code: r.Code, Codespace: r.Codespace, Log: r.Log, TxHash: hashOf(tx), Height: height,
		}
	}
	return Result{TxHash: hashOf(tx), Height: height, GasUsed: r.GasUsed, Data: r.Data, Events: r.Events}, nil
}
