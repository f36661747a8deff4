// Package localnet runs the real programs of Grafilab on this machine: chain
// nodes, an agent, an executor. The demo and the system tests are written on it.
package localnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// stopGrace is how long a program may take to end after SIGTERM.
const stopGrace = 20 * time.Second

// Process is one program that can be killed and started again. Its output is
// appended to a log file, so that nothing of an earlier life is lost.
type Process struct {
	// Name is what people see, such as "agent".
	Name string
	path string
	args []string
	log  string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended
}

// NewProcess returns a Process that has not started. The log is dir/name.log.
func NewProcess(dir, name, path string, args ...string) *Process {
	return &Process{Name: name, path: path, args: args, log: filepath.Join(dir, name+".log")}
}

// Log returns the path of the log file.
func (p *Process) Log() string { return p.log }

// Start runs the program. It is an error to start one that runs.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		select {
		case <-p.done:
		default:
			return fmt.Errorf("%s runs already", p.Name)
		}
	}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(p.path, p.args...)
	cmd.Stdout, cmd.Stderr = out, out
	// A group of its own, so that Ctrl-C in the terminal reaches only the
	// parent, which then stops everything in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the exit code is read from ProcessState
		close(done)
	}()
	p.cmd, p.done = cmd, done
	return nil
}

// Running tells whether the program runs now.
func (p *Process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// PID returns the process id; 0 when it never started.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Kill sends SIGKILL and waits for the end.
func (p *Process) Kill() error { return p.end(syscall.SIGKILL, stopGrace) }

// Stop sends SIGTERM and waits; a program that doesn't end is killed, and that is an error.
func (p *Process) Stop() error {
	err := p.end(syscall.SIGTERM, stopGrace)
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(fmt.Errorf("%s ignored SIGTERM for %s", p.Name, stopGrace), p.Kill())
	}
	return err
}

func (p *Process) end(sig syscall.Signal, wait time.Duration) error {
	p.mu.Lock()
	cmd, done := p.cmd, p.done
	p.mu.Unlock()
	if cmd == nil {
		return nil
	}
	if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s to %s: %w", sig, p.Name, err)
	}
	select {
	case <-done:
		return nil
	case <-time.After(wait):
		return context.DeadlineExceeded
	}
}

// LogTail returns the last n bytes of the log, for an error message.
func (p *Process) LogTail(n int64) string {
	f, err := os.Open(p.log)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > n {
		if _, err := f.Seek(-n, 2); err != nil {
			return err.Error()
		}
	}
	buf := make([]byte, n)
	read, _ := f.Read(buf) // an empty log reads as io.EOF, which is nothing to tell
	return string(buf[:read])
}
