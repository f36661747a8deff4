package process

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine/shim"
)

const (
	execCommand = "workload-exec"
	// failureFD is where execMain tells why it could not execute.
	failureFD = 3
)

// order is what execMain does.
type order struct {
	Program     string
	Argv        []string
	Env         []string
	UID, GID    uint32
	MemoryBytes int64
	DiskBytes   int64
}

// Reexec must be among the first things that main does. When this process was
// started by the engine to be something else, it is that and never returns.
func Reexec() {
	switch {
	case shim.Is(Kind):
		os.Exit(shim.Main(func() shim.Runner { return &runner{} }))
	case len(os.Args) == 3 && os.Args[1] == execCommand:
		unix.CloseOnExec(failureFD)
		err := execMain(os.Args[2])
		fmt.Fprint(os.NewFile(failureFD, "failure"), err)
		os.Exit(127)
	}
}

// execMain becomes the workload. It returns only an error.
func execMain(raw string) error {
	runtime.LockOSThread()
	var o order
	if err := json.Unmarshal([]byte(raw), &o); err != nil {
		return err
	}
	// Opened before the user changes, who need not be able to walk there.
	program, err := unix.Open(o.Program, unix.O_RDONLY, 0)
	if err != nil {
		return err
	}
	for resource, limit := range map[int]uint64{
		unix.RLIMIT_DATA: uint64(o.MemoryBytes), unix.RLIMIT_FSIZE: uint64(o.DiskBytes), unix.RLIMIT_CORE: 0,
	} {
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return fmt.Errorf("limit %d: %w", resource, err)
		}
	}
	if os.Geteuid() == 0 {
		if err := syscall.Setgroups(nil); err != nil {
			return fmt.Errorf("groups: %w", err)
		}
		if err := syscall.Setresgid(int(o.GID), int(o.GID), int(o.GID)); err != nil {
			return fmt.Errorf("group %d: %w", o.GID, err)
		}
		if err := syscall.Setresuid(int(o.UID), int(o.UID), int(o.UID)); err != nil {
			return fmt.Errorf("user %d: %w", o.UID, err)
		}
	}
	// After the change of user, which clears it.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Exec(fmt.Sprintf("/proc/self/fd/%d", program), o.Argv, o.Env)
}
