package shim

import (
	"encoding/json"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

// Runner is the part of an engine that works inside the shim. One Runner runs
// one workload, and Start, Signal and Close are called by one goroutine.
type Runner interface {
	// Start runs the workload with its output going to log. When it returns,
	// the first process runs the workload's own program.
	Start(job Job, log *os.File) (pid int, err error)
	// Wait returns when the first process has ended.
	Wait() Ended
	// Signal sends to the first process; SIGKILL to all of them.
	Signal(sig unix.Signal) error
	// Exec runs another process and waits for it. kill ends it early.
	Exec(args, env []string, stdio [3]*os.File, kill <-chan struct{}) (exitCode int, err error)
	// Stats measures all but the disk.
	Stats() (engine.Stats, error)
	// Dial connects to the workload's loopback.
	Dial(port uint16) (*net.TCPConn, error)
	// Close frees what the workload held, after Wait has returned.
	Close() error
}

// Job is what a Runner starts.
type Job struct {
	Dir      Dir
	Workload engine.Workload
	// Options are the engine's own, as it gave them to Supervisor.
	Options json.RawMessage
}

// Ended is how the first process ended.
type Ended struct {
	Code        int // 128 plus the signal's number after a signal
	OutOfMemory bool
	Err         error // when the code could not be learnt
}

// ExitCode converts a wait status to a code as shells do.
func ExitCode(ws unix.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// The shim's own timing.
const (
	controlEvery  = time.Second            // how often control.json is read without being told to
	diskEvery     = 2 * time.Second        // how often volumes are measured
	drainPatience = 2 * time.Second        // for output after the end, when a stray process keeps it open
	pollEvery     = 20 * time.Millisecond  // while Start or Stop waits for the shim
	startPatience = 90 * time.Second       // for a shim to say that its workload runs
	askPatience   = 500 * time.Millisecond // for a nudge
)
