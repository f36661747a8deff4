package shim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

// Supervisor is the executor's side of the shims of one engine: it implements
// all of engine.Engine but the name. It keeps nothing in memory.
type Supervisor struct {
	// Kind names the engine on a shim's command line.
	Kind string
	// Root has one directory per rental. It is made when it is not there.
	Root string
	// Options go to the Runner as they are.
	Options any
	// Attr is how a shim is started beyond a session of its own.
	Attr func() *syscall.SysProcAttr
	// Check refuses a workload that this engine can't run, before anything is written.
	Check func(engine.Workload) error
	// Own gives a new volume to the workload's user. Nil leaves it as it is.
	Own func(rentalID uint64, volume string) error
	// CleanLost frees what a workload without a shim left behind, after its
	// first process was killed.
	CleanLost func(d Dir, rentalID uint64) error
	// KillGroup says that the first process leads a process group.
	KillGroup bool
}

// What a shim tells about a start.
const (
	answerRunning   = "running"
	answerFailed    = "failed"
	answerDuplicate = "duplicate"
)

func (s *Supervisor) dir(rentalID uint64) Dir {
	return Dir(filepath.Join(s.Root, rentalDir(rentalID)))
}

// Open makes the root and finishes removals that were cut short.
func (s *Supervisor) Open() error {
	if err := os.MkdirAll(s.Root, 0o711); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(s.Root, trashPrefix+"*"))
	if err != nil {
		return err
	}
	for _, trash := range left {
		if err := wipe(trash); err != nil {
			return err
		}
	}
	return nil
}

// Start implements engine.Engine.
func (s *Supervisor) Start(ctx context.Context, w engine.Workload) error {
	if err := w.Manifest.Validate(); err != nil {
		return fmt.Errorf("rental %d: %w", w.RentalID, err)
	}
	if !filepath.IsAbs(w.Image.Rootfs) {
		return fmt.Errorf("rental %d: rootfs %q, want an absolute path", w.RentalID, w.Image.Rootfs)
	}
	if s.Check != nil {
		if err := s.Check(w); err != nil {
			return fmt.Errorf("rental %d: %w", w.RentalID, err)
		}
	}
	d := s.dir(w.RentalID)
	if err := s.prepare(d, w); err != nil {
		return fmt.Errorf("rental %d: %w", w.RentalID, err)
	}
	status, err := s.Status(ctx, w.RentalID)
	if err != nil {
		return err
	}
	if status.State == engine.StateCreated {
		if err := s.launch(ctx, d); err != nil {
			return fmt.Errorf("rental %d: %w", w.RentalID, err)
		}
		if status, err = s.await(ctx, w.RentalID, func(st engine.Status) bool { return st.State != engine.StateCreated }); err != nil {
			return err
		}
	}
	if status.State == engine.StateExited && status.Reason == engine.ReasonStartFailed {
		return fmt.Errorf("rental %d: %w: %s", w.RentalID, engine.ErrStartFailed, status.Message)
	}
	return nil
}

// prepare writes what the shim needs, in an order that a crash may cut
// anywhere: workload.json comes last and says that the rest is there.
func (s *Supervisor) prepare(d Dir, w engine.Workload) error {
	digest, err := w.Manifest.DigestHex()
	if err != nil {
		return err
	}
	old, err := readRecord[engine.Workload](d, workloadFile)
	if err == nil {
		oldDigest, err := old.Manifest.DigestHex()
		if err != nil {
			return err
		}
		if oldDigest != digest {
			return fmt.Errorf("%w: manifest %s, asked for %s", engine.ErrConflict, oldDigest, digest)
		}
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(d.Path("volumes"), 0o711); err != nil {
		return err
	}
	for _, v := range w.Manifest.Volumes {
		if err := os.MkdirAll(d.Volume(v.Name), 0o755); err != nil {
			return err
		}
		if s.Own != nil {
			if err := s.Own(w.RentalID, d.Volume(v.Name)); err != nil {
				return err
			}
		}
	}
	if err := writeRecord(d, engineFile, s.Options); err != nil {
		return err
	}
	if err := writeRecord(d, controlFile, controlRecord{Deadline: w.Deadline}); err != nil {
		return err
	}
	if err := createRecord(d, workloadFile, w); errors.Is(err, fs.ErrExist) {
		return s.prepare(d, w) // another Start was first: compare with its manifest
	} else if err != nil {
		return err
	}
	return syncDir(s.Root)
}

// launch starts a shim and waits until it says how the start went. The shim
// itself sees to it that there is only one.
func (s *Supervisor) launch(ctx context.Context, d Dir) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	log, err := os.OpenFile(d.Path(shimLogFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return errors.Join(err, write.Close())
	}
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", // also right when the binary on disk was replaced
		Args: startCommand(s.Kind, d),
		Env:  []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
		Dir:  "/", Stderr: log, ExtraFiles: []*os.File{write},
		SysProcAttr: &syscall.SysProcAttr{},
	}
	if s.Attr != nil {
		cmd.SysProcAttr = s.Attr()
	}
	cmd.SysProcAttr.Setsid = true
	err = cmd.Start()
	if err = errors.Join(err, write.Close(), log.Close()); err != nil {
		return fmt.Errorf("start shim: %w", err)
	}
	go func() { _ = cmd.Wait() }() // reaps; the records tell how it ended

	stop := context.AfterFunc(ctx, func() { _ = read.SetReadDeadline(time.Now()) })
	defer stop()
	if err := read.SetReadDeadline(time.Now().Add(startPatience)); err != nil {
		return err
	}
	answer, err := io.ReadAll(read)
	if err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("no answer from the shim: %w", err))
	}
	switch string(answer) {
	case answerRunning, answerFailed, answerDuplicate:
		return nil
	default:
		return fmt.Errorf("shim ended before it began: %s", lastLine(d.Path(shimLogFile)))
	}
}

func lastLine(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return lines[len(lines)-1]
}

// await asks for the status until it is as wanted.
func (s *Supervisor) await(ctx context.Context, rentalID uint64, wanted func(engine.Status) bool) (engine.Status, error) {
	for {
		status, err := s.Status(ctx, rentalID)
		if err != nil || wanted(status) {
			return status, err
		}
		select {
		case <-ctx.Done():
			return status, ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

// List implements engine.Engine.
func (s *Supervisor) List(ctx context.Context) ([]engine.Status, error) {
	entries, err := os.ReadDir(s.Root)
	if err != nil {
		return nil, err
	}
	all := []engine.Status{}
	for _, entry := range entries {
		id, err := strconv.ParseUint(entry.Name(), 10, 64)
		if err != nil || rentalDir(id) != entry.Name() {
			continue // a removal that goes on, or not ours
		}
		status, err := s.Status(ctx, id)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			continue
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			status = engine.Status{RentalID: id, State: engine.StateUnknown, Message: err.Error()}
		}
		all = append(all, status)
	}
	slices.SortFunc(all, func(a, b engine.Status) int {
		if a.RentalID < b.RentalID {
			return -1
		}
		return 1
	})
	return all, nil
}
