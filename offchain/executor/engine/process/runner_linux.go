package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/shim"
)

// runner implements shim.Runner inside the shim.
type runner struct {
	job     shim.Job
	options Options
	cmd     *exec.Cmd
}

var _ shim.Runner = (*runner)(nil)

// Start implements shim.Runner.
func (r *runner) Start(job shim.Job, log *os.File) (int, error) {
	r.job = job
	if err := json.Unmarshal(job.Options, &r.options); err != nil {
		return 0, err
	}
	// What the workload leaves behind becomes this process's child, to be killed.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	argv, err := job.Workload.Argv()
	if err != nil {
		return 0, err
	}
	cmd, err := r.launch(argv, nil, [3]*os.File{nil, log, log}, 0)
	if err != nil {
		return 0, err
	}
	r.cmd = cmd
	return cmd.Process.Pid, nil
}

// launch runs a program of the image by way of execMain. group 0 makes a new
// process group.
func (r *runner) launch(argv, env []string, stdio [3]*os.File, group int) (*exec.Cmd, error) {
	program, err := findProgram(r.job.Workload.Image.Rootfs, argv[0])
	if err != nil {
		return nil, err
	}
	w := r.job.Workload
	order, err := json.Marshal(order{
		Program: program, Argv: append([]string{program}, argv[1:]...),
		Env: slices.Concat(w.Environ(func(name, _ string) string { return r.job.Dir.Volume(name) }), env),
		UID: r.options.UID, GID: r.options.GID,
		MemoryBytes: w.Manifest.Resources.MemoryBytes(), DiskBytes: w.Manifest.Resources.DiskBytes(),
	})
	if err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{os.Args[0], execCommand, string(order)}, Env: []string{},
		Dir: r.job.Dir.Path("volumes"), ExtraFiles: []*os.File{write},
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pgid: group},
	}
	if stdio[0] != nil { // a nil *os.File in the interface would not be nil
		cmd.Stdin = stdio[0]
	}
	cmd.Stdout, cmd.Stderr = stdio[1], stdio[2]
	err = cmd.Start()
	if err = errors.Join(err, write.Close()); err != nil {
		return nil, err
	}
	failure, err := io.ReadAll(read) // ends when the program was executed
	if err != nil || len(failure) > 0 {
		return nil, errors.Join(fmt.Errorf("%s: %s", argv[0], failure), err, ignoreExit(cmd.Wait()))
	}
	return cmd, nil
}

func ignoreExit(err error) error {
	if _, exited := errors.AsType[*exec.ExitError](err); exited {
		return nil
	}
	return err
}

// findProgram returns the host's path of a program of the image, which must
// not be a link out of it.
func findProgram(rootfs, program string) (string, error) {
	root, err := os.OpenRoot(rootfs)
	if err != nil {
		return "", err
	}
	defer root.Close()
	candidates := []string{strings.TrimPrefix(filepath.Clean("/"+program), "/")}
	if !strings.Contains(program, "/") {
		candidates = nil
		for _, dir := range []string{"usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"} {
			candidates = append(candidates, filepath.Join(dir, program))
		}
	}
	for _, candidate := range candidates {
		if info, err := root.Stat(candidate); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return filepath.Join(rootfs, candidate), nil
		}
	}
	return "", fmt.Errorf("%s: no such program in the image", program)
}

// Wait implements shim.Runner.
func (r *runner) Wait() shim.Ended {
	code, err := waitCode(r.cmd)
	return shim.Ended{Code: code, Err: err}
}

func waitCode(cmd *exec.Cmd) (int, error) {
	if err := ignoreExit(cmd.Wait()); err != nil {
		return 0, err
	}
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		return 0, fmt.Errorf("wait status of type %T", cmd.ProcessState.Sys())
	}
	return shim.ExitCode(unix.WaitStatus(status)), nil
}

// Signal implements shim.Runner.
func (r *runner) Signal(sig unix.Signal) error {
	if sig == unix.SIGKILL {
		return unix.Kill(-r.cmd.Process.Pid, sig)
	}
	return r.cmd.Process.Signal(sig)
}

// Exec implements shim.Runner. The process joins the workload's group, and
// ends with it.
func (r *runner) Exec(args, env []string, stdio [3]*os.File, kill <-chan struct{}) (int, error) {
	cmd, err := r.launch(args, env, stdio, r.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-kill:
			_ = cmd.Process.Kill() // it may have ended just now
		case <-done:
		}
	}()
	return waitCode(cmd)
}

const (
	clockTick = 100 // USER_HZ, the same on every Linux that Go runs on
	statUTime = 11  // fields of /proc/PID/stat after the name (proc(5) 14, 15, 24)
	statSTime = 12
	statRSS   = 21
)

// Stats implements shim.Runner: of the first process alone.
func (r *runner) Stats() (engine.Stats, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.cmd.Process.Pid))
	if err != nil {
		return engine.Stats{}, err
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	number := func(field int) (n int64) {
		if err == nil && field < len(fields) {
			n, err = strconv.ParseInt(fields[field], 10, 64)
		}
		return n
	}
	ticks, pages := number(statUTime)+number(statSTime), number(statRSS)
	return engine.Stats{
		At: time.Now(), CPUNanos: ticks * int64(time.Second) / clockTick,
		MemoryBytes: pages * int64(os.Getpagesize()), PIDs: -1, DiskBytes: -1,
	}, err
}

// Dial implements shim.Runner.
func (r *runner) Dial(port uint16) (*net.TCPConn, error) {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.Dial("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil // what Dial returns for tcp4
}

// Close implements shim.Runner: it kills what the workload left behind, first
// its group and then whatever became this process's child.
func (r *runner) Close() error {
	if r.cmd == nil {
		return nil
	}
	if err := unix.Kill(-r.cmd.Process.Pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	for range 100 { // a process killed here may hand over children of its own
		children, err := ownChildren()
		if err != nil || len(children) == 0 {
			return err
		}
		for _, pid := range children {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
			_, _ = unix.Wait4(pid, nil, 0, nil) // ECHILD: reaped elsewhere
		}
	}
	return errors.New("the workload left processes that can't be killed")
}

// ownChildren reads the children of all threads of this process.
func ownChildren() ([]int, error) {
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, list := range lists {
		raw, err := os.ReadFile(list)
		if err != nil {
			continue // the thread ended
		}
		for _, field := range strings.Fields(string(raw)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				return nil, err
			}
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
