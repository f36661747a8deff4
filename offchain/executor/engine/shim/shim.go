package shim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

// Command is the first argument of a shim's command line: Command, the
// engine's kind, the directory.
const Command = "workload-shim"

// readyFD is where the shim tells its parent how the start went.
const readyFD = 3

// Is says whether this process was started as a shim of the kind.
func Is(kind string) bool {
	return len(os.Args) == 4 && os.Args[1] == Command && os.Args[2] == kind
}

// Main is the life of a shim. It returns the process's exit code.
func Main(newRunner func() Runner) int {
	// The workload dies with the thread that started it (PR_SET_PDEATHSIG), so
	// that thread must live as long as the shim.
	runtime.LockOSThread()
	ready := os.NewFile(readyFD, "ready")
	unix.CloseOnExec(readyFD)
	s := &shim{dir: Dir(os.Args[3]), runner: newRunner()}
	err := s.run(func(answer string) {
		_, _ = ready.WriteString(answer) // a killed parent reads the records instead
		_ = ready.Close()
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s\n", time.Now().UTC().Format(time.RFC3339), err)
		return 1
	}
	return 0
}

type shim struct {
	dir     Dir
	runner  Runner
	job     Job
	control controlRecord
	state   stateRecord
	nudge   chan struct{}

	// set once the workload is being stopped
	stopping engine.Reason
	killAt   time.Time
	killed   bool
}

func (s *shim) run(answer func(string)) error {
	lock, err := s.dir.lockShim()
	if err != nil {
		answer(answerDuplicate)
		return err
	}
	defer lock.Close()
	for _, name := range []string{exitFile, stateFile} {
		if _, err := os.Stat(s.dir.Path(name)); err == nil {
			answer(answerDuplicate)
			return nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if s.job, err = readJob(s.dir); err != nil {
		return err
	}
	if s.control, err = readRecord[controlRecord](s.dir, controlFile); err != nil {
		return err
	}
	boot, err := bootID()
	if err != nil {
		return err
	}
	s.state = stateRecord{State: engine.StateCreated, BootID: boot}
	if err := writeRecord(s.dir, stateFile, s.state); err != nil {
		return err
	}
	return s.supervise(answer)
}

func (s *shim) supervise(answer func(string)) error {
	logger, err := newLogWriter(s.dir, LogBytes)
	if err != nil {
		return err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM)
	// Caught and dropped, not ignored: a workload would inherit "ignored".
	signal.Notify(make(chan os.Signal, 1), unix.SIGINT, unix.SIGHUP)
	s.nudge = make(chan struct{}, 1)
	server, err := listen(s)
	if err != nil {
		return err
	}
	defer server.Close()

	pid, startErr := s.runner.Start(s.job, write)
	if err := write.Close(); err != nil {
		startErr = errors.Join(startErr, err)
	}
	if startErr != nil {
		closeErr := errors.Join(s.runner.Close(), read.Close(), logger.Close())
		err := createRecord(s.dir, exitFile, exitRecord{
			ExitedAt: time.Now(), Reason: engine.ReasonStartFailed, Message: startErr.Error(),
		})
		answer(answerFailed)
		return errors.Join(startErr, closeErr, err)
	}
	s.state.State, s.state.PID, s.state.StartedAt = engine.StateRunning, pid, time.Now()
	s.state.PIDStart, _ = processStart(pid) // 0 when it has ended already
	recordErr := writeRecord(s.dir, stateFile, s.state)
	answer(answerRunning)

	pumped := make(chan error, 1)
	go func() { pumped <- pump(read, logger) }()
	ended := make(chan Ended, 1)
	go func() { ended <- s.runner.Wait() }()
	end := s.watch(ended, signals)

	closeErr := s.runner.Close()
	var logErr error
	select {
	case logErr = <-pumped:
	case <-time.After(drainPatience):
		_ = read.SetReadDeadline(time.Now())
		logErr = <-pumped
	}
	logErr = errors.Join(logErr, logger.Close())
	record := exitRecord{
		StartedAt: s.state.StartedAt, ExitedAt: time.Now(),
		Code: end.Code, Known: end.Err == nil, Reason: s.reason(end),
	}
	if end.Err != nil {
		record.Message = end.Err.Error()
	}
	return errors.Join(createRecord(s.dir, exitFile, record), recordErr, closeErr, logErr)
}

func (s *shim) reason(end Ended) engine.Reason {
	switch {
	case s.stopping != "":
		return s.stopping
	case end.OutOfMemory:
		return engine.ReasonOutOfMemory
	case end.Err != nil:
		return engine.ReasonLost
	default:
		return engine.ReasonCompleted
	}
}

// watch waits for the end and brings it about when the executor, the deadline,
// the disk limit or the machine's shutdown asks for it.
func (s *shim) watch(ended <-chan Ended, signals <-chan os.Signal) Ended {
	grace := s.job.Workload.Manifest.StopGrace()
	limit := s.job.Workload.Manifest.Resources.DiskBytes()
	disk := time.NewTicker(diskEvery)
	defer disk.Stop()
	for {
		wake := time.NewTimer(s.untilNext(grace))
		select {
		case end := <-ended:
			wake.Stop()
			return end
		case <-signals:
			s.stop(engine.ReasonInterrupted, grace)
		case <-disk.C:
			if used, err := diskUse(s.dir.Path("volumes")); err == nil && used > limit {
				s.stop(engine.ReasonDiskLimit, 0)
			}
		case <-s.nudge:
		case <-wake.C:
		}
		wake.Stop()
		// A record that can't be read now is read again in a second; the last
		// known deadline stands.
		if control, err := readRecord[controlRecord](s.dir, controlFile); err == nil {
			s.control = control
		}
		now := time.Now()
		if s.control.Stop {
			s.stop(engine.ReasonStopped, s.control.Grace)
		}
		if d := s.control.Deadline; !d.IsZero() && !now.Before(d.Add(-grace)) {
			s.stop(engine.ReasonDeadline, max(0, d.Sub(now)))
		}
		if s.stopping != "" && !s.killed && !now.Before(s.killAt) {
			s.killed = true
			s.signal(unix.SIGKILL)
		}
	}
}

// untilNext returns the time until something is due, at most controlEvery.
func (s *shim) untilNext(grace time.Duration) time.Duration {
	wait := controlEvery
	if d := s.control.Deadline; !d.IsZero() && s.stopping == "" {
		wait = min(wait, time.Until(d.Add(-grace)))
	}
	if s.stopping != "" && !s.killed {
		wait = min(wait, time.Until(s.killAt))
	}
	return max(wait, time.Millisecond)
}

// stop begins a stop, or shortens the grace of one that has begun. The first
// reason stands.
func (s *shim) stop(reason engine.Reason, grace time.Duration) {
	killAt := time.Now().Add(grace)
	if s.stopping != "" {
		if killAt.Before(s.killAt) {
			s.killAt = killAt
		}
		return
	}
	s.stopping, s.killAt = reason, killAt
	if grace > 0 {
		s.signal(unix.SIGTERM)
	}
}

func (s *shim) signal(sig unix.Signal) {
	if err := s.runner.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, unix.ESRCH) {
		fmt.Fprintf(os.Stderr, "send %s: %s\n", unix.SignalName(sig), err)
	}
}

func readJob(d Dir) (Job, error) {
	workload, err := readRecord[engine.Workload](d, workloadFile)
	if err != nil {
		return Job{}, err
	}
	options, err := os.ReadFile(d.Path(engineFile))
	if err != nil {
		return Job{}, err
	}
	return Job{Dir: d, Workload: workload, Options: options}, nil
}

// startCommand is the command line of a shim.
func startCommand(kind string, d Dir) []string {
	return []string{os.Args[0], Command, kind, string(d)}
}

// rentalDir is the name of a rental's directory.
func rentalDir(rentalID uint64) string { return strconv.FormatUint(rentalID, 10) }
