// Package agentapi is the local API between the executor and the agent: HTTP and
// JSON over a unix socket, on Windows a named pipe, that only their common user can open. The agent holds
// the key that the chain trusts; the executor says what it runs, and the agent
// signs and delivers it.
//
// Every call is idempotent: an executor that is not sure whether a call arrived
// repeats it.
package agentapi

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limits of one request.
const (
	MaxBody      = 256 << 10 // bytes
	MaxWorkloads = 4096
	DigestBytes  = 32
	maxPublicKey = 1024 // bytes of DER
)

// Errors that travel over the API; a Client returns them wrapped.
var (
	ErrInvalid  = errors.New("invalid request")
	ErrConflict = errors.New("contradicts an earlier report")
	ErrNotReady = errors.New("agent is not ready")
)

// WorkloadState is what the executor sees of a rental's workload.
type WorkloadState string

// The states of a workload.
const (
	// WorkloadRunning: it runs.
	WorkloadRunning WorkloadState = "running"
	// WorkloadExited: it ended by itself. The host did its part.
	WorkloadExited WorkloadState = "exited"
	// WorkloadDown: it should run and does not.
	WorkloadDown WorkloadState = "down"
)

// Workload is one rental and what became of it.
type Workload struct {
	RentalID uint64        `json:"rental_id"`
	State    WorkloadState `json:"state"`
}

// Workloads is the executor's whole report: a rental that it leaves out is down.
// The agent takes it as valid for 90 seconds, so it is sent at least every 30.
type Workloads struct {
	Workloads []Workload `json:"workloads"`
}

// Started says that a rental's workload runs from now on.
type Started struct {
	RentalID uint64 `json:"rental_id"`
	// ManifestDigest is the SHA-256 of the manifest that runs. The agent signs
	// only when it is the chain's.
	ManifestDigest []byte `json:"manifest_digest"`
}

// Result says how a workload ended.
type Result struct {
	RentalID     uint64 `json:"rental_id"`
	ExitCode     int32  `json:"exit_code"`
	UnknownExit  bool   `json:"unknown_exit,omitempty"` // it ended, but its exit code is lost
	OutputDigest []byte `json:"output_digest,omitempty"`
	Seconds      uint64 `json:"seconds"`
}

// CertificateRequest asks for a TLS certificate of the gateway.
type CertificateRequest struct {
	// PublicKey is the gateway's TLS key in PKIX DER.
	PublicKey []byte `json:"public_key"`
}

// Certificate is signed by the agent key itself; see GatewayTLS for its check.
type Certificate struct {
	DER      []byte    `json:"der"`
	NotAfter time.Time `json:"not_after"`
}

// ReportState is where a start or result report stands.
type ReportState string

// The states of a report.
const (
	ReportQueued    ReportState = "queued"    // written down, will be delivered
	ReportDelivered ReportState = "delivered" // in a block
	ReportRefused   ReportState = "refused"   // the chain said no for good; see Detail
)

// Report answers Started and Result.
type Report struct {
	RentalID uint64      `json:"rental_id"`
	State    ReportState `json:"state"`
	Detail   string      `json:"detail,omitempty"`
}

// Status is what the agent knows of itself.
type Status struct {
	Version   string `json:"version"`
	Simulated bool   `json:"simulated"` // the GPUs do not exist
	Notice    string `json:"notice,omitempty"`
	ChainID   string `json:"chain_id"`
	AgentKey  string `json:"agent_key"` // hex
	FeePayer  string `json:"fee_payer"` // address of the hot account that sends
	HostID    uint64 `json:"host_id"`   // 0 until the key is registered on chain
	Source    string `json:"source"`

	GPUs        []GPUStatus `json:"gpus"`
	DriverError string      `json:"driver_error,omitempty"`

	ChainError string `json:"chain_error,omitempty"`
	Endpoint   string `json:"endpoint,omitempty"`
	Height     int64  `json:"height"`
	// ClockSkewSeconds is the local clock minus block time.
	ClockSkewSeconds float64   `json:"clock_skew_seconds"`
	ExecutorSeen     time.Time `json:"executor_seen"` // zero before its first report
	LastSlot         uint64    `json:"last_slot"`     // newest slot attested on chain
	LastAttestedAt   time.Time `json:"last_attested_at"`
	Outbox           int       `json:"outbox"` // reports that wait for delivery
	OutboxError      string    `json:"outbox_error,omitempty"`
	StartedAt        time.Time `json:"started_at"`

	Proofs    *Proofs          `json:"proofs,omitempty"`
	Telemetry *TelemetryStatus `json:"telemetry,omitempty"` // nil when it is off
}

// TelemetryStatus is how far the samples are sent to the data service.
type TelemetryStatus struct {
	Address    string    `json:"address"`
	Waiting    int       `json:"waiting"` // batches
	LastSlot   uint64    `json:"last_slot"`
	LastSentAt time.Time `json:"last_sent_at"`
	Dropped    int       `json:"dropped"` // since the start: no space, or refused
	Error      string    `json:"error,omitempty"`
}

// GPUStatus is one GPU at the newest sample.
type GPUStatus struct {
	Ordinal     int      `json:"ordinal"` // on chain; -1 when it is not declared there
	Name        string   `json:"name"`
	UUID        string   `json:"uuid"`
	Class       string   `json:"class,omitempty"` // as the chain found it
	Up          bool     `json:"up"`
	Flags       []string `json:"flags,omitempty"`
	Unsupported []string `json:"unsupported,omitempty"`
	Utilization uint32   `json:"utilization_percent"`
	MemoryUsed  uint64   `json:"memory_used_mib"`
	MemoryTotal uint64   `json:"memory_total_mib"`
	Temperature uint32   `json:"temperature_c"`
	Power       uint32   `json:"power_mw"`
}

// Handler is what the agent does; Server puts it on the socket.
type Handler interface {
	SetWorkloads(ctx context.Context, w Workloads) error
	Started(ctx context.Context, s Started) (Report, error)
	Result(ctx context.Context, r Result) (Report, error)
	Certificate(ctx context.Context, r CertificateRequest) (Certificate, error)
	Status(ctx context.Context) (Status, error)
	// Simulated tells that the GPUs do not exist; every answer says so.
	Simulated() bool
}

// Validate reports the first thing wrong with the report.
func (w Workloads) Validate() error {
	if len(w.Workloads) > MaxWorkloads {
		return fmt.Errorf("%w: %d workloads, at most %d", ErrInvalid, len(w.Workloads), MaxWorkloads)
	}
	seen := make(map[uint64]bool, len(w.Workloads))
	for _, x := range w.Workloads {
		if x.RentalID == 0 || seen[x.RentalID] {
			return fmt.Errorf("%w: rental %d is zero or named twice", ErrInvalid, x.RentalID)
		}
		seen[x.RentalID] = true
		switch x.State {
		case WorkloadRunning, WorkloadExited, WorkloadDown:
		default:
			return fmt.Errorf("%w: rental %d: state %q, want running, exited or down", ErrInvalid, x.RentalID, x.State)
		}
	}
	return nil
}

// Validate reports the first thing wrong with the report.
func (s Started) Validate() error {
	if s.RentalID == 0 {
		return fmt.Errorf("%w: rental id is zero", ErrInvalid)
	}
	if len(s.ManifestDigest) != DigestBytes {
		return fmt.Errorf("%w: manifest digest has %d bytes, want %d", ErrInvalid, len(s.ManifestDigest), DigestBytes)
	}
	return nil
}

// Validate reports the first thing wrong with the report.
func (r Result) Validate() error {
	if r.RentalID == 0 {
		return fmt.Errorf("%w: rental id is zero", ErrInvalid)
	}
	if len(r.OutputDigest) != 0 && len(r.OutputDigest) != DigestBytes {
		return fmt.Errorf("%w: output digest has %d bytes, want 0 or %d", ErrInvalid, len(r.OutputDigest), DigestBytes)
	}
	if r.UnknownExit && r.ExitCode != 0 {
		return fmt.Errorf("%w: exit code %d is given and called unknown", ErrInvalid, r.ExitCode)
	}
	return nil
}

// Validate reports the first thing wrong with the request.
func (r CertificateRequest) Validate() error {
	if len(r.PublicKey) == 0 || len(r.PublicKey) > maxPublicKey {
		return fmt.Errorf("%w: public key has %d bytes, want 1 to %d", ErrInvalid, len(r.PublicKey), maxPublicKey)
	}
	return nil
}
