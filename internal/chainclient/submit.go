package chainclient

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"cosmossdk.io/math"
	abci "github.com/cometbft/cometbft/abci/types"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
)

// simulationGas is the gas limit that the simulated transaction claims. Its fee
// is paid in the simulation, because the cost of paying a fee is part of the gas.
const simulationGas = 200_000

// attempts bounds how often a transaction is signed anew after a sequence mismatch.
const attempts = 4

// Options changes one Submit. The zero value is the usual one.
type Options struct {
	Memo       string
	GasLimit   uint64 // 0 simulates
	FeeGranter string // instead of Config.FeeGranter
}

// Result is a transaction that is in a block and succeeded.
type Result struct {
	TxHash  string // upper-case hex
	Height  int64
	GasUsed int64
	Fee     sdk.Coins
	Data    []byte // encoded sdk.TxMsgData
	Events  []abci.Event
}

// Response decodes the response of message i into out.
func (r Result) Response(i int, out proto.Message) error {
	var data sdk.TxMsgData
	if err := proto.Unmarshal(r.Data, &data); err != nil {
		return fmt.Errorf("transaction data: %w", err)
	}
	if i < 0 || i >= len(data.MsgResponses) {
		return fmt.Errorf("response %d: transaction has %d", i, len(data.MsgResponses))
	}
	return proto.Unmarshal(data.MsgResponses[i].Value, out)
}

func sdkInt(v uint64) math.Int { return math.NewIntFromUint64(v) }

// Submit sends the messages in one transaction signed by key and waits until it
// is in a block.
//
// Errors: ErrUnreachable (nothing was sent, or nobody knows), *RejectedError
// (the chain said no), ErrNotIncluded (sent, outcome unknown).
func (c *Client) Submit(ctx context.Context, key cryptotypes.PrivKey, msgs ...sdk.Msg) (Result, error) {
	return c.SubmitWith(ctx, key, Options{}, msgs...)
}

// SubmitWith is Submit with options.
func (c *Client) SubmitWith(ctx context.Context, key cryptotypes.PrivKey, opt Options, msgs ...sdk.Msg) (Result, error) {
	if len(msgs) == 0 {
		return Result{}, errors.New("submit: no messages")
	}
	pub := key.PubKey()
	address, err := Address(pub)
	if err != nil {
		return Result{}, fmt.Errorf("submit: address of the key: %w", err)
	}
	s := c.sender(address)
	s.mu.Lock()
	defer s.mu.Unlock()

	d := draft{msgs: msgs, memo: opt.Memo, gas: opt.GasLimit, feeGranter: c.cfg.FeeGranter}
	if opt.FeeGranter != "" {
		d.feeGranter = opt.FeeGranter
	}
	for try := 1; ; try++ {
		res, err := c.attempt(ctx, d, pub, key, address, s)
		r, rejected := AsRejected(err)
		// Unauthorized is also a signature over another account number.
		stale := isSDK(err, codeWrongSequence) || (isSDK(err, codeUnauthorized) && try == 1)
		if !rejected || r.Stage == StageDeliver || try == attempts || !stale {
			return res, err
		}
		c.log.Debug("sequence corrected", "address", address, "log", r.Log)
		s.correct(r)
	}
}

// attempt simulates, signs, sends and awaits once.
func (c *Client) attempt(ctx context.Context, d draft, pub cryptotypes.PubKey, key cryptotypes.PrivKey, address string, s *sender) (Result, error) {
	if !s.known {
		if err := s.load(ctx, c, address); err != nil {
			return Result{}, err
		}
	}
	if d.gas == 0 {
		gas, err := c.simulate(ctx, d, pub, s.sequence)
		if err != nil {
			return Result{}, err
		}
		d.gas = gas * uint64(c.cfg.GasAdjustment) / 100
	}
	d.fee = feeFor(c.gasPrices, d.gas)
	tx, err := d.sign(c.cfg.ChainID, pub, key, s.number, s.sequence)
	if err != nil {
		return Result{}, err
	}
	from, err := c.Status(ctx)
	if err != nil {
		return Result{}, err
	}
	if err := c.broadcast(ctx, tx); err != nil {
		return Result{}, err
	}
	s.sequence++
	res, err := c.await(ctx, tx, from.Height)
	if err != nil {
		s.known = false
		return res, err
	}
	res.Fee = d.fee
	return res, nil
}

// simulate returns the gas that the draft used in a simulation.
func (c *Client) simulate(ctx context.Context, d draft, pub cryptotypes.PubKey, sequence uint64) (uint64, error) {
	d.gas, d.fee = simulationGas, feeFor(c.gasPrices, simulationGas)
	tx, err := d.sign(c.cfg.ChainID, pub, nil, 0, sequence)
	if err != nil {
		return 0, err
	}
	// This path, unlike the gRPC one, keeps the module's error code.
	value, err := c.abciQuery(ctx, StageSimulate, "/app/simulate", tx)
	if err != nil {
		return 0, err
	}
	var sim struct {
		GasInfo struct {
			GasUsed uint64 `json:"gas_used,string"`
		} `json:"gas_info"`
	}
	if err := json.Unmarshal(value, &sim); err != nil {
		return 0, fmt.Errorf("simulation: decode answer: %w", err)
	}
	return sim.GasInfo.GasUsed, nil
}

type broadcastResult struct {
	Code      uint32 `json:"code"`
	Codespace string `json:"codespace"`
	Log       string `json:"log"`
}

// broadcast hands the transaction to the first endpoint that takes it. The same
// bytes go to the next one after a failure, so they can't be executed twice. When
// an endpoint may have taken them without our hearing of it, then neither a later
// silence nor another node's "wrong sequence" is a refusal: the caller waits for
// the transaction as if it had been accepted.
func (c *Client) broadcast(ctx context.Context, tx []byte) error {
	maybeSent := false
	err := c.do(ctx, func(ctx context.Context, e *endpoint) error {
		var r broadcastResult
		err := e.call(ctx, "broadcast_tx_sync", map[string]any{"tx": tx}, &r)
		var ne *nodeError
		switch {
		case errors.As(err, &ne) && strings.Contains(ne.Data+ne.Message, "already exists in cache"):
			return nil // it is there already: wait for it
		case errors.As(err, &ne) || isDialError(err):
			return err
		case err != nil:
			maybeSent = true
			return err
		case r.Code == 0, r.Codespace == sdkCodespace && r.Code == codeTxInMempoolCache:
			return nil
		case r.Codespace == sdkCodespace && r.Code == codeMempoolIsFull:
			return fmt.Errorf("mempool is full: %s", r.Log)
		}
		return &RejectedError{Stage: StageCheck, Code: r.Code, Codespace: r.Codespace, Log: r.Log, TxHash: hashOf(tx)}
	})
	if maybeSent && (errors.Is(err, ErrUnreachable) || isSDK(err, codeWrongSequence)) {
		return nil
	}
	return err
}

// isDialError reports that no connection was made, so that nothing was sent.
func isDialError(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func hashOf(tx []byte) string { return fmt.Sprintf("%X", sha256.Sum256(tx)) }

// await polls until the transaction is in a block.
func (c *Client) await(ctx context.Context, tx []byte, from int64) (Result, error) {
	deadline := time.Now().Add(c.cfg.InclusionTimeout)
	scan := from // the last height looked through, on nodes without a transaction index
	for {
		res, found, err := c.lookup(ctx, tx, &scan)
		if err != nil && !errors.Is(err, ErrUnreachable) {
			return res, err
		}
		if found {
			return res, nil
		}
		if time.Now().After(deadline) {
			return Result{TxHash: hashOf(tx)}, fmt.Errorf("%w: %s after %s", ErrNotIncluded, hashOf(tx), c.cfg.InclusionTimeout)
		}
		select {
		case <-ctx.Done():
			return Result{TxHash: hashOf(tx)}, fmt.Errorf("%w: %s: %w", ErrNotIncluded, hashOf(tx), ctx.Err())
		case <-time.After(c.cfg.PollInterval):
		}
	}
}
