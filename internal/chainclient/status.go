package chainclient

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Status is what a node knows about the chain's newest block.
type Status struct {
	ChainID        string
	Height         int64
	BlockTime      time.Time
	EarliestHeight int64 // older blocks are pruned
	CatchingUp     bool  // the node itself is behind
	Endpoint       string
}

// Header is the part of a block header that off-chain programs use.
type Header struct {
	Height int64
	Time   time.Time
	Hash   []byte // the block's id, 32 bytes
}

type statusResult struct {
	NodeInfo struct {
		Network string `json:"network"`
	} `json:"node_info"`
	SyncInfo struct {
		LatestBlockHeight   int64     `json:"latest_block_height,string"`
		LatestBlockTime     time.Time `json:"latest_block_time"`
		EarliestBlockHeight int64     `json:"earliest_block_height,string"`
		CatchingUp          bool      `json:"catching_up"`
	} `json:"sync_info"`
}

type blockchainResult struct {
	BlockMetas []struct {
		BlockID struct {
			Hash string `json:"hash"`
		} `json:"block_id"`
		Header struct {
			Height int64     `json:"height,string"`
			Time   time.Time `json:"time"`
		} `json:"header"`
	} `json:"block_metas"`
}

func (e *endpoint) status(ctx context.Context) (Status, error) {
	var r statusResult
	if err := e.call(ctx, "status", nil, &r); err != nil {
		return Status{}, err
	}
	return Status{
		ChainID: r.NodeInfo.Network, Height: r.SyncInfo.LatestBlockHeight, BlockTime: r.SyncInfo.LatestBlockTime,
		EarliestHeight: r.SyncInfo.EarliestBlockHeight, CatchingUp: r.SyncInfo.CatchingUp, Endpoint: e.url,
	}, nil
}

// Status returns the newest block's height and time. When the preferred
// endpoint is catching up or its newest block is older than Config.StaleAfter,
// the endpoint with the highest block takes its place.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var st Status
	err := c.do(ctx, func(ctx context.Context, e *endpoint) (err error) {
		st, err = e.status(ctx)
		return err
	})
	if err != nil {
		return Status{}, err
	}
	if len(c.endpoints) == 1 || (!st.CatchingUp && time.Since(st.BlockTime) < c.cfg.StaleAfter) {
		return st, nil
	}
	return c.freshest(ctx, st), nil
}

// freshest asks every endpoint and prefers the one with the highest block.
func (c *Client) freshest(ctx context.Context, best Status) Status {
	c.mu.Lock()
	from := c.current
	c.mu.Unlock()
	at := from
	for i, e := range c.endpoints {
		if i == from || c.verify(ctx, e) != nil {
			continue
		}
		st, err := e.status(ctx)
		if err == nil && st.Height > best.Height {
			best, at = st, i
		}
	}
	c.prefer(from, at)
	return best
}

// Header returns the header of one block.
//
// Errors: ErrHeightNotAvailable when no endpoint has it, ErrUnreachable.
func (c *Client) Header(ctx context.Context, height int64) (Header, error) {
	var h Header
	missing := 0
	err := c.do(ctx, func(ctx context.Context, e *endpoint) error {
		var r blockchainResult
		arg := fmt.Sprint(height)
		err := e.call(ctx, "blockchain", map[string]any{"minHeight": arg, "maxHeight": arg}, &r)
		var ne *nodeError
		if errors.As(err, &ne) || (err == nil && (len(r.BlockMetas) != 1 || r.BlockMetas[0].Header.Height != height)) {
			missing++
			return fmt.Errorf("%w: %d", ErrHeightNotAvailable, height)
		}
		if err != nil {
			return err
		}
		hash, err := hex.DecodeString(r.BlockMetas[0].BlockID.Hash)
		if err != nil || len(hash) != 32 {
			return fmt.Errorf("block %d: hash %q is not 32 bytes of hex", height, r.BlockMetas[0].BlockID.Hash)
		}
		h = Header{Height: height, Time: r.BlockMetas[0].Header.Time, Hash: hash}
		return nil
	})
	if missing == len(c.endpoints) {
		return Header{}, fmt.Errorf("%w: %d", ErrHeightNotAvailable, height)
	}
	return h, err
}

// isNotIndexed reports the node's answer that it keeps no transaction index.
func isNotIndexed(err error) bool {
	var ne *nodeError
	return errors.As(err, &ne) && strings.Contains(ne.Data+ne.Message, "indexing is disabled")
}

// isTxNotFound reports the node's answer that it knows no such transaction (yet).
func isTxNotFound(err error) bool {
	var ne *nodeError
	return errors.As(err, &ne) && strings.Contains(ne.Data+ne.Message, "not found")
}
