//go:build linux && cgo

package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/manager"
	"github.com/opencontainers/runc/libcontainer"
	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/shim"
)

// runnerOptions is what the engine tells the shim's side.
type runnerOptions struct {
	Options
	Root   bool              `json:"root"`
	Cgroup engine.CgroupMode `json:"cgroup"`
	Limits []string          `json:"limits"`
}

// runner implements shim.Runner inside the shim.
type runner struct {
	options   runnerOptions
	job       shim.Job
	process   *libcontainer.Process
	container *libcontainer.Container
	cgroup    cgroups.Manager
	user      userIDs
	env       []string
}

var _ shim.Runner = (*runner)(nil)

// gatePatience bounds the one system call behind the gate.
const gatePatience = 10 * time.Second

// Start implements shim.Runner.
func (r *runner) Start(job shim.Job, log *os.File) (pid int, err error) {
	if err := json.Unmarshal(job.Options, &r.options); err != nil {
		return 0, err
	}
	r.job = job
	if r.user, err = lookupUser(job.Workload.Image.Rootfs, job.Workload.Image.User); err != nil {
		return 0, err
	}
	rootfs, err := mountRootfs(job, r.options)
	if err != nil {
		return 0, fmt.Errorf("root file system: %w", err)
	}
	config, env, err := containerConfig(job, r.options, rootfs, r.user)
	if err != nil {
		return 0, err
	}
	r.env = env
	id := containerID(job.Workload.RentalID)
	if r.container, err = libcontainer.Create(containerRoot(job.Dir), id, config); err != nil {
		return 0, fmt.Errorf("create container: %w", err)
	}
	if r.cgroup, err = manager.New(config.Cgroups); err != nil {
		return 0, err
	}
	if r.options.Root {
		// So that the workload may open /dev/stdout again.
		uid, gid := r.options.hostID(job.Workload.RentalID)+r.user.UID, r.options.hostID(job.Workload.RentalID)+r.user.GID
		if err := log.Chown(int(uid), int(gid)); err != nil {
			return 0, err
		}
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return 0, err
	}
	defer ours.Close()
	process := r.newProcess(nil)
	if process.Args, err = job.Workload.Argv(); err != nil {
		return 0, err
	}
	process.Init, process.Stdout, process.Stderr, process.ExtraFiles = true, log, log, []*os.File{theirs}
	err = r.container.Start(process)
	if err = errors.Join(err, theirs.Close()); err != nil {
		return 0, fmt.Errorf("start container: %w", err)
	}
	r.process = process
	if err := openGate(ours); err != nil {
		return 0, err
	}
	if err := r.container.Exec(); err != nil {
		return 0, fmt.Errorf("execute the workload: %w", err)
	}
	return process.Pid()
}

func socketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := unix.SetNonblock(fds[0], true); err != nil { // lets the deadline work
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "gate"), os.NewFile(uintptr(fds[1]), "gate"), nil
}

// openGate is the shim's end of seccompGate.
func openGate(gate *os.File) error {
	if err := gate.SetDeadline(time.Now().Add(gatePatience)); err != nil {
		return err
	}
	if _, err := gate.Write([]byte{1}); err != nil {
		return fmt.Errorf("seccomp gate: %w", err)
	}
	answer := make([]byte, 256)
	n, err := gate.Read(answer)
	if err != nil {
		return fmt.Errorf("seccomp gate: %w", err)
	}
	if string(answer[:n]) != gateDone {
		return fmt.Errorf("system call filter not in force: %s", answer[:n])
	}
	return nil
}

func (r *runner) newProcess(env []string) *libcontainer.Process {
	p := &libcontainer.Process{
		Env: slices.Concat(r.env, env),
		UID: int(r.user.UID), GID: int(r.user.GID), Cwd: r.job.Workload.WorkingDir(),
	}
	if r.options.Root { // without root the kernel forbids setgroups
		for _, gid := range r.user.Groups {
			p.AdditionalGroups = append(p.AdditionalGroups, int(gid))
		}
	}
	return p
}

// Wait implements shim.Runner.
func (r *runner) Wait() shim.Ended {
	code, err := waitCode(r.process)
	if err != nil {
		return shim.Ended{Err: err}
	}
	ended := shim.Ended{Code: code}
	if code == 128+int(unix.SIGKILL) && len(r.options.Limits) > 0 {
		if killed, err := r.cgroup.OOMKillCount(); err == nil && killed > 0 {
			ended.OutOfMemory = true
		}
	}
	return ended
}

func waitCode(p *libcontainer.Process) (int, error) {
	state, err := p.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		return 0, err
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok {
		return 0, fmt.Errorf("wait status of type %T", state.Sys())
	}
	return shim.ExitCode(unix.WaitStatus(status)), nil
}

// Signal implements shim.Runner. The first process is its PID namespace's, so
// the kernel kills all of them with it.
func (r *runner) Signal(sig unix.Signal) error { return r.process.Signal(sig) }

// Exec implements shim.Runner.
func (r *runner) Exec(args, env []string, stdio [3]*os.File, kill <-chan struct{}) (int, error) {
	process := r.newProcess(env)
	process.Args = args
	process.Stdin, process.Stdout, process.Stderr = stdio[0], stdio[1], stdio[2]
	if r.options.Root {
		id := r.options.hostID(r.job.Workload.RentalID)
		for _, f := range stdio {
			if info, err := f.Stat(); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
				if err := f.Chown(int(id+r.user.UID), int(id+r.user.GID)); err != nil {
					return 0, err
				}
			}
		}
	}
	if err := r.container.Run(process); err != nil {
		return 0, err
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-kill:
			_ = process.Signal(unix.SIGKILL) // it may have ended just now
		case <-done:
		}
	}()
	return waitCode(process)
}

// Stats implements shim.Runner.
func (r *runner) Stats() (engine.Stats, error) {
	stats := engine.Stats{At: time.Now(), CPUNanos: -1, MemoryBytes: -1, PIDs: -1, DiskBytes: -1}
	if len(r.options.Limits) == 0 {
		return stats, nil
	}
	s, err := r.cgroup.GetStats()
	if err != nil {
		return engine.Stats{}, err
	}
	stats.CPUNanos = int64(s.CpuStats.CpuUsage.TotalUsage)
	stats.MemoryBytes = int64(s.MemoryStats.Usage.Usage)
	stats.PIDs = int64(s.PidsStats.Current)
	return stats, nil
}

// Dial implements shim.Runner. The thread that entered the network namespace
// is not used for anything else: its goroutine ends locked to it.
func (r *runner) Dial(port uint16) (*net.TCPConn, error) {
	type result struct {
		conn *net.TCPConn
		err  error
	}
	results := make(chan result, 1)
	go func() {
		runtime.LockOSThread()
		conn, err := r.dialHere(port)
		results <- result{conn, err}
	}()
	got := <-results
	return got.conn, got.err
}

func (r *runner) dialHere(port uint16) (*net.TCPConn, error) {
	if r.options.Network == NetworkNone {
		pid, err := r.process.Pid()
		if err != nil {
			return nil, err
		}
		ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
		if err != nil {
			return nil, err
		}
		defer ns.Close()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return nil, fmt.Errorf("enter the network namespace: %w", err)
		}
	}
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.Dial("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil // what Dial returns for tcp4
}

// Close implements shim.Runner.
func (r *runner) Close() error {
	if r.container == nil {
		return nil
	}
	if r.process != nil {
		// After a failed start the first process still waits for its order.
		if err := r.process.Signal(unix.SIGKILL); err == nil {
			_, _ = r.process.Wait() // only to reap it
		}
	}
	return r.container.Destroy()
}
