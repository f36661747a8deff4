package chainclient

import (
	"errors"
	"fmt"
)

// ErrUnreachable means that no endpoint gave an answer: nothing is known about
// the chain's opinion, and the same call may be tried again later.
var ErrUnreachable = errors.New("chain could not be reached")

// ErrWrongChain means that an endpoint answered for another chain id. Such an
// endpoint is never used.
var ErrWrongChain = errors.New("endpoint serves another chain")

// ErrHeightNotAvailable means that the block is not there: not made yet, or
// pruned by every endpoint.
var ErrHeightNotAvailable = errors.New("block height is not available")

// ErrNotIncluded means that a transaction was accepted by a node but was in no
// block before the timeout. Its outcome is unknown: it may still be included.
var ErrNotIncluded = errors.New("transaction not seen in a block before the timeout")

// Stage says where the chain said no.
type Stage string

// The stages of a refusal, in the order in which a transaction meets them.
const (
	StageQuery    Stage = "query"
	StageSimulate Stage = "simulate"
	StageCheck    Stage = "check"   // the node's mempool check; nothing was charged
	StageDeliver  Stage = "deliver" // in a block; the fee was charged
)

// RejectedError is the chain's own "no": it was reached, it understood, and it
// refused for a reason. The same call gives the same answer until the state changes.
type RejectedError struct {
	Stage     Stage
	Code      uint32
	Codespace string
	Log       string
	TxHash    string // upper-case hex; empty before a broadcast
	Height    int64  // block of the transaction; 0 unless Stage is StageDeliver
}

// Error implements error.
func (e *RejectedError) Error() string {
	return fmt.Sprintf("chain refused (%s, code %d of %s): %s", e.Stage, e.Code, e.Codespace, e.Log)
}

// Is reports equality by codespace and code, so that a caller can compare with
// the zero-log error of the code it knows.
func (e *RejectedError) Is(target error) bool {
	t, ok := target.(*RejectedError)
	return ok && t.Code == e.Code && t.Codespace == e.Codespace
}

// Codes of the SDK's root codespace that callers act upon (types/errors of cosmos-sdk).
const (
	sdkCodespace         = "sdk"
	codeUnauthorized     = 4 // also a signature over another account number
	codeTxInMempoolCache = 19
	codeMempoolIsFull    = 20
	codeKeyNotFound      = 22
	codeInvalidHeight    = 26
	codeWrongSequence    = 32
	codeNotFound         = 38
)

// AsRejected returns the chain's refusal inside err, if there is one.
func AsRejected(err error) (*RejectedError, bool) {
	var r *RejectedError
	ok := errors.As(err, &r)
	return r, ok
}

// IsNotFound reports whether the chain answered that the thing does not exist,
// which is another answer than not having been reached.
func IsNotFound(err error) bool {
	r, ok := AsRejected(err)
	return ok && r.Codespace == sdkCodespace && (r.Code == codeKeyNotFound || r.Code == codeNotFound)
}

// isSDK reports whether err is the SDK's refusal with this code.
func isSDK(err error, code uint32) bool {
	r, ok := AsRejected(err)
	return ok && r.Codespace == sdkCodespace && r.Code == code
}

// nodeError is a JSON-RPC error: the node answered, but not the chain.
type nodeError struct {
	Code    int
	Message string
	Data    string
}

func (e *nodeError) Error() string {
	return fmt.Sprintf("node error %d: %s: %s", e.Code, e.Message, e.Data)
}
