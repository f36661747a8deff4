// Package attest is the agent's loop: it samples the GPUs, attests each closed
// slot once, and delivers what it signed. See agent/README.md for the rules.
package attest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cometbft/cometbft/crypto/merkle"

	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/internal/agentapi"
)

// Record is one raw sample as it is stored, and as the detail root commits to it.
type Record struct {
	// TakenAt is block time, as well as the agent knows it.
	TakenAt  time.Time     `json:"taken_at"`
	Kind     gpu.Kind      `json:"kind"`
	Readings []gpu.Reading `json:"readings,omitempty"`
	// DriverError is set when nothing could be read: no GPU is up then.
	DriverError string `json:"driver_error,omitempty"`
	// Executor is what was known of the executor at that moment.
	Executor ExecutorState `json:"executor"`
	// Workloads is its newest report, when Executor is ExecutorHeard.
	Workloads map[uint64]agentapi.WorkloadState `json:"workloads,omitempty"`
}

// ExecutorState tells what the workloads of a record are worth.
type ExecutorState string

// The states of the executor.
const (
	// ExecutorUnknown: the agent has just started and has not heard from it yet.
	ExecutorUnknown ExecutorState = "unknown"
	// ExecutorHeard: its report is at most SilentAfter old.
	ExecutorHeard ExecutorState = "heard"
	// ExecutorSilent: it should have reported, so nothing can be vouched for.
	ExecutorSilent ExecutorState = "silent"
)

// encode returns the canonical bytes: JSON with fields in the order above and map
// keys sorted, which encoding/json guarantees.
func (r Record) encode() ([]byte, error) { return json.Marshal(r) }

func decodeRecord(raw []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(raw, &r); err != nil {
		return Record{}, fmt.Errorf("stored sample: %w", err)
	}
	return r, nil
}

// DetailRoot returns the Merkle root over raw samples in the order of their time,
// by RFC 6962: leaves are SHA-256(0x00 ‖ sample), nodes SHA-256(0x01 ‖ left ‖ right).
// Without samples it is empty.
func DetailRoot(samples [][]byte) []byte {
	if len(samples) == 0 {
		return nil
	}
	return merkle.HashFromByteSlices(samples)
}

// ProveSample returns the root and the proof that sample i is under it.
func ProveSample(samples [][]byte, i int) ([]byte, *merkle.Proof) {
	root, proofs := merkle.ProofsFromByteSlices(samples)
	return root, proofs[i]
}
