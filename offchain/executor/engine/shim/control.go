package shim

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

// Stop implements engine.Engine. The wish is on disk before the shim hears of
// it, so a crash of the executor doesn't lose it.
func (s *Supervisor) Stop(ctx context.Context, rentalID uint64, grace time.Duration) error {
	status, err := s.Status(ctx, rentalID)
	if err != nil {
		return err
	}
	d := s.dir(rentalID)
	switch status.State {
	case engine.StateExited:
		return nil
	case engine.StateCreated:
		if settled, err := s.cancelUnstarted(d); err != nil || settled {
			return err
		}
	}
	err = s.changeControl(d, func(c *controlRecord) {
		// A second stop may only shorten the grace.
		if !c.Stop || grace < c.Grace {
			c.Stop, c.Grace = true, max(0, grace)
		}
	})
	if err != nil {
		return fmt.Errorf("rental %d: %w", rentalID, err)
	}
	_, err = s.await(ctx, rentalID, func(st engine.Status) bool { return st.State == engine.StateExited })
	return err
}

// cancelUnstarted ends a workload that no shim took on. False means that one did.
func (s *Supervisor) cancelUnstarted(d Dir) (bool, error) {
	lock, err := d.lockShim()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer lock.Close()
	for _, name := range []string{stateFile, exitFile} {
		if _, err := os.Stat(d.Path(name)); err == nil {
			return false, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return true, createRecord(d, exitFile, exitRecord{
		ExitedAt: time.Now(), Reason: engine.ReasonStopped, Message: "stopped before it was started",
	})
}

// SetDeadline implements engine.Engine.
func (s *Supervisor) SetDeadline(ctx context.Context, rentalID uint64, deadline time.Time) error {
	if _, err := s.Status(ctx, rentalID); err != nil {
		return err
	}
	err := s.changeControl(s.dir(rentalID), func(c *controlRecord) { c.Deadline = deadline })
	if err != nil {
		return fmt.Errorf("rental %d: %w", rentalID, err)
	}
	return nil
}

// changeControl changes the record under a lock of its own and tells the shim.
func (s *Supervisor) changeControl(d Dir, change func(*controlRecord)) error {
	lock, err := os.OpenFile(d.Path(controlFile+".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	control, err := readRecord[controlRecord](d, controlFile)
	if err != nil {
		return err
	}
	change(&control)
	if err := writeRecord(d, controlFile, control); err != nil {
		return err
	}
	// Without an answer the shim reads the record within controlEvery.
	_, _, _ = ask(d, request{Op: opNudge}, nil, nil, askPatience)
	return nil
}

const trashPrefix = ".removing-"

// Remove implements engine.Engine. The directory is renamed first, so that a
// removal cut short is never taken for a workload.
func (s *Supervisor) Remove(ctx context.Context, rentalID uint64) error {
	status, err := s.Status(ctx, rentalID)
	if errors.Is(err, engine.ErrNotFound) {
		// A start may have been cut short before workload.json.
		if _, err := os.Stat(string(s.dir(rentalID))); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	} else if err != nil {
		return err
	}
	d := s.dir(rentalID)
	lock, err := d.lockShim()
	if errors.Is(err, unix.EWOULDBLOCK) || (err == nil && status.State == engine.StateRunning) {
		if lock != nil {
			_ = lock.Close()
		}
		return fmt.Errorf("rental %d: %w", rentalID, engine.ErrRunning)
	} else if err != nil {
		return fmt.Errorf("rental %d: %w", rentalID, err)
	}
	defer lock.Close()
	trash := filepath.Join(s.Root, trashPrefix+rand.Text())
	if err := os.Rename(string(d), trash); err != nil {
		return fmt.Errorf("rental %d: %w", rentalID, err)
	}
	return wipe(trash)
}

// wipe removes a tree in which the workload may have taken the owner's own
// permissions away.
func wipe(root string) error {
	if err := os.RemoveAll(root); err == nil {
		return nil
	}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if entry != nil && entry.IsDir() {
			return errors.Join(os.Chmod(path, 0o700), ignorePermission(err))
		}
		return err
	})
	return errors.Join(err, os.RemoveAll(root))
}

func ignorePermission(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}
