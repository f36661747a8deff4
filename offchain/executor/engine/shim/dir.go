// Package shim supervises one workload per process. The shim is the executor's
// own binary, executed again in a session of its own: it starts the workload,
// keeps its log, enforces its deadline and records its end, so that the
// executor may be killed and replaced while workloads run.
//
// All that is known of a workload is in one directory:
//
//	workload.json  what to run; written once, before anything runs
//	engine.json    how the engine was configured then
//	control.json   deadline and stop request; written by the executor
//	state.json     that the shim began, and then the first process
//	exit.json      how it ended; written once, last
//	lock           held by the shim for as long as it lives
//	ctl.sock       where a live shim is asked
//	log.NNNNNNNN   segments of the log, the newest has the highest number
//	volumes/NAME   scratch
//
// A record is replaced by rename after fsync. A lock is released by the kernel,
// so "held" means a live shim, with no pid that could be another process's.
package shim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

// Dir is the directory of one workload.
type Dir string

// Path returns the path of a file in the directory.
func (d Dir) Path(name string) string { return filepath.Join(string(d), name) }

// Volume returns the host's path of a named volume.
func (d Dir) Volume(name string) string { return filepath.Join(string(d), "volumes", name) }

const (
	workloadFile = "workload.json"
	engineFile   = "engine.json"
	controlFile  = "control.json"
	stateFile    = "state.json"
	exitFile     = "exit.json"
	lockFile     = "lock"
	socketFile   = "ctl.sock"
	shimLogFile  = "shim.log"
)

// stateRecord says that a shim took the workload on. Its presence alone means
// that the workload must never be started again from this directory.
type stateRecord struct {
	State     engine.State `json:"state"`
	PID       int          `json:"pid,omitempty"`
	PIDStart  uint64       `json:"pid_start,omitempty"` // clock ticks since boot; with BootID names the process
	BootID    string       `json:"boot_id"`
	StartedAt time.Time    `json:"started_at,omitzero"`
}

// exitRecord is the end of a workload.
type exitRecord struct {
	StartedAt time.Time     `json:"started_at,omitzero"`
	ExitedAt  time.Time     `json:"exited_at"`
	Code      int           `json:"code"`
	Known     bool          `json:"known"`
	Reason    engine.Reason `json:"reason"`
	Message   string        `json:"message,omitempty"`
}

// controlRecord is what the executor wants of the shim.
type controlRecord struct {
	Deadline time.Time     `json:"deadline,omitzero"`
	Stop     bool          `json:"stop,omitempty"`
	Grace    time.Duration `json:"grace_ns,omitempty"`
}

// readRecord returns fs.ErrNotExist when the record is not there, and another
// error when it could not be read.
func readRecord[T any](d Dir, name string) (T, error) {
	var record T
	raw, err := os.ReadFile(d.Path(name))
	if err != nil {
		return record, err
	}
	if err := json.Unmarshal(raw, &record); err != nil {
		return record, fmt.Errorf("%s: %w", d.Path(name), err)
	}
	return record, nil
}

// writeRecord replaces a record so that a crash leaves the old or the new one.
func writeRecord(d Dir, name string, record any) error {
	tmp, err := writeTemp(d, name, record)
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, d.Path(name)); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return syncDir(string(d))
}

// createRecord writes a record unless there is one: fs.ErrExist.
func createRecord(d Dir, name string, record any) error {
	tmp, err := writeTemp(d, name, record)
	if err != nil {
		return err
	}
	if err := os.Link(tmp, d.Path(name)); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	if err := os.Remove(tmp); err != nil {
		return err
	}
	return syncDir(string(d))
}

func writeTemp(d Dir, name string, record any) (string, error) {
	raw, err := json.Marshal(record)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(string(d), "."+name+".*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// lockShim takes the lock that a shim holds for its life. It waits a moment,
// because whoever looks whether a shim lives holds a shared lock for an instant.
func (d Dir) lockShim() (*os.File, error) {
	f, err := os.OpenFile(d.Path(lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for range 200 {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
	}
	return f, nil
}

// shimLives says whether a shim holds the lock.
func (d Dir) shimLives() (bool, error) {
	f, err := os.Open(d.Path(lockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer f.Close()
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}
