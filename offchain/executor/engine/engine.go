// Package engine says how the executor runs a renter's workload, whatever runs
// it. There is one package per engine; oci is the default and process is the
// one without isolation, for machines that forbid namespaces.
//
// Every engine keeps what it knows in a state directory and none of it in
// memory. A new Engine on the same directory therefore continues where a
// killed one stopped: workloads survive the executor.
package engine

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/grafilab/grafi/offchain/executor/manifest"
)

// "Not there" is ErrNotFound. Every other error of a method that asks means
// "could not look", and nothing may be concluded from it.
var (
	// ErrNotFound says that this engine has no workload of that rental.
	ErrNotFound = errors.New("no such workload")
	// ErrConflict says that the rental already has a workload from another manifest.
	ErrConflict = errors.New("rental already has another workload")
	// ErrRunning says that what was asked needs a workload that has ended.
	ErrRunning = errors.New("workload is running")
	// ErrNotRunning says that what was asked needs a workload that runs.
	ErrNotRunning = errors.New("workload is not running")
	// ErrStartFailed says that the workload could not be started because of
	// what it is (no such command, for example). Starting it again can't help.
	ErrStartFailed = errors.New("workload could not be started")
	// ErrUnsupported says that this engine can't do what was asked, ever.
	ErrUnsupported = errors.New("not supported by this engine")
)

// Engine runs workloads, one per rental. Methods may be called concurrently.
type Engine interface {
	// Name is what people see, such as "oci (root, cgroup v2)".
	Name() string

	// Start runs a workload and returns when its first process runs. It is
	// idempotent: a rental's workload is started at most once, also when two
	// executors try, and a second Start of the same manifest returns nil
	// without doing anything, whether the first still runs or has ended.
	// Remove forgets the workload, after which Start begins anew.
	Start(ctx context.Context, w Workload) error

	// Stop sends SIGTERM, waits for grace, sends SIGKILL, and returns when the
	// workload has ended. An ended workload is not an error. When ctx ends
	// first, the stop goes on without the caller.
	Stop(ctx context.Context, rentalID uint64, grace time.Duration) error

	// SetDeadline changes the time at which the workload is stopped even when
	// no executor runs.
	SetDeadline(ctx context.Context, rentalID uint64, deadline time.Time) error

	// Status returns what is known now. It never waits for the workload.
	Status(ctx context.Context, rentalID uint64) (Status, error)

	// List returns the status of every workload of this engine, by rental.
	// One that can't be read is in its place with StateUnknown.
	List(ctx context.Context) ([]Status, error)

	// Logs returns stdout and stderr, interleaved as written. The oldest part
	// is dropped when the log's limit is reached, the newest never.
	Logs(ctx context.Context, rentalID uint64, opts LogOptions) (io.ReadCloser, error)

	// Exec runs one more process inside a running workload and waits for it.
	Exec(ctx context.Context, rentalID uint64, p ExecProcess) (exitCode int, err error)

	// Stats returns what the workload uses now.
	Stats(ctx context.Context, rentalID uint64) (Stats, error)

	// Dial connects to a TCP port on the workload's loopback.
	Dial(ctx context.Context, rentalID uint64, port uint16) (net.Conn, error)

	// Results returns the manifest's result files, in its order. A file that
	// is missing or not a regular file is an error that names it.
	Results(ctx context.Context, rentalID uint64) ([]Result, error)

	// OpenResult opens one result file for reading.
	OpenResult(ctx context.Context, rentalID uint64, path string) (io.ReadCloser, error)

	// Remove wipes an ended workload: its volumes, its log, what is known of
	// it. ErrRunning when it runs; nil when there is nothing.
	Remove(ctx context.Context, rentalID uint64) error
}

// Workload is all that an engine needs to run a rental.
type Workload struct {
	RentalID uint64            `json:"rental_id"`
	Manifest manifest.Manifest `json:"manifest"`
	Image    Image             `json:"image"`
	// GPUs are the rental's devices: CDI names ("nvidia.com/gpu=0") or paths of
	// device nodes ("/dev/nvidia0").
	GPUs []string `json:"gpus,omitempty"`
	// Deadline is when the workload is stopped, with its grace inside it. The
	// zero time means none.
	Deadline time.Time `json:"deadline,omitzero"`
}

// Image is an unpacked image. Package image makes it.
type Image struct {
	// Digest is the manifest's digest, "sha256:…".
	Digest string `json:"digest"`
	// Rootfs is the absolute path of the unpacked tree. Engines only read it.
	Rootfs string `json:"rootfs"`

	Entrypoint []string `json:"entrypoint,omitempty"`
	Cmd        []string `json:"cmd,omitempty"`
	Env        []string `json:"env,omitempty"`
	WorkingDir string   `json:"working_dir,omitempty"`
	// User is "uid[:gid]", "name[:group]" or empty for 0:0.
	User string `json:"user,omitempty"`
}

// State is where a workload is in its life.
type State string

// The states, in their order.
const (
	// StateCreated is between the decision to start and the first instruction.
	StateCreated State = "created"
	StateRunning State = "running"
	StateExited  State = "exited"
	// StateUnknown only appears in List, with the reason in Message.
	StateUnknown State = "unknown"
)

// Reason is why a workload ended.
type Reason string

// The reasons.
const (
	// ReasonCompleted: it ended by itself, with whatever code.
	ReasonCompleted Reason = "completed"
	// ReasonStopped: Stop was called.
	ReasonStopped Reason = "stopped"
	// ReasonDeadline: its deadline was reached.
	ReasonDeadline Reason = "deadline"
	// ReasonOutOfMemory: the kernel killed it at its memory limit.
	ReasonOutOfMemory Reason = "out_of_memory"
	// ReasonDiskLimit: its volumes grew over their limit.
	ReasonDiskLimit Reason = "disk_limit"
	// ReasonStartFailed: it never ran; Message says why.
	ReasonStartFailed Reason = "start_failed"
	// ReasonInterrupted: its supervisor was told to end, as when the machine shuts down.
	ReasonInterrupted Reason = "interrupted"
	// ReasonLost: it ended while nobody watched (a reboot, a killed
	// supervisor), so that its exit code is not known.
	ReasonLost Reason = "lost"
)

// Status is what is known of a workload. What is zero is not known.
type Status struct {
	RentalID       uint64
	ManifestDigest string // 64 hex digits
	State          State
	// PID is the first process in the host's numbering, while running.
	PID       int
	StartedAt time.Time
	Deadline  time.Time

	// The following are set when State is StateExited.
	ExitedAt time.Time
	// ExitCode is 128 plus the signal's number after a signal. It says nothing
	// unless ExitKnown.
	ExitCode  int
	ExitKnown bool
	Reason    Reason

	// Message is for people.
	Message string
}

// LogOptions say which part of a log to read.
type LogOptions struct {
	// Follow keeps the reader open until the workload has ended and all of its
	// log was read. Close or the context ends it earlier.
	Follow bool
	// TailBytes starts that many bytes before the end; 0 is the whole log.
	TailBytes int64
}

// ExecProcess is a process to run inside a workload. Nil streams are /dev/null.
type ExecProcess struct {
	Args   []string
	Env    []string // added to the workload's own
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// Stats is what a workload uses. What the engine can't measure is -1.
type Stats struct {
	At          time.Time
	CPUNanos    int64 // CPU time used so far
	MemoryBytes int64
	PIDs        int64
	DiskBytes   int64 // of all volumes
}

// Result is one result file.
type Result struct {
	Path   string // as in the manifest
	SHA256 [32]byte
	Bytes  int64
}
