package shim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

// Status implements engine.Engine. A workload whose shim is gone without an
// exit record (a reboot, a killed shim) is cleaned up and recorded as lost here.
func (s *Supervisor) Status(_ context.Context, rentalID uint64) (engine.Status, error) {
	d := s.dir(rentalID)
	status, err := s.status(d, rentalID)
	if errors.Is(err, errLost) {
		if err := s.recordLost(d, rentalID); err != nil {
			return engine.Status{}, fmt.Errorf("rental %d: %w", rentalID, err)
		}
		status, err = s.status(d, rentalID)
	}
	if err != nil {
		return engine.Status{}, fmt.Errorf("rental %d: %w", rentalID, err)
	}
	return status, nil
}

var errLost = errors.New("workload has neither a shim nor an exit record")

func (s *Supervisor) status(d Dir, rentalID uint64) (engine.Status, error) {
	workload, err := readRecord[engine.Workload](d, workloadFile)
	if errors.Is(err, fs.ErrNotExist) {
		return engine.Status{}, engine.ErrNotFound
	} else if err != nil {
		return engine.Status{}, err
	}
	status := engine.Status{RentalID: rentalID, State: engine.StateCreated}
	if status.ManifestDigest, err = workload.Manifest.DigestHex(); err != nil {
		return engine.Status{}, err
	}
	control, err := readRecord[controlRecord](d, controlFile)
	if err != nil {
		return engine.Status{}, err
	}
	status.Deadline = control.Deadline

	// Whether a shim lives is asked before the exit record is read: a shim that
	// ends in between has written it.
	lives, err := d.shimLives()
	if err != nil {
		return engine.Status{}, err
	}
	end, err := readRecord[exitRecord](d, exitFile)
	if err == nil {
		status.State, status.StartedAt, status.ExitedAt = engine.StateExited, end.StartedAt, end.ExitedAt
		status.ExitCode, status.ExitKnown = end.Code, end.Known
		status.Reason, status.Message = end.Reason, end.Message
		return status, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return engine.Status{}, err
	}
	state, err := readRecord[stateRecord](d, stateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return status, nil // no shim took it on yet
	} else if err != nil {
		return engine.Status{}, err
	}
	if !lives {
		// The state may be younger than the look at the lock.
		if lives, err = d.shimLives(); err != nil {
			return engine.Status{}, err
		} else if !lives {
			if _, err := os.Stat(d.Path(exitFile)); err == nil {
				return s.status(d, rentalID)
			}
			return engine.Status{}, errLost
		}
	}
	status.State, status.StartedAt, status.PID = state.State, state.StartedAt, state.PID
	return status, nil
}

// recordLost holds the shim's lock, so that it is the only one to conclude.
func (s *Supervisor) recordLost(d Dir, rentalID uint64) error {
	lock, err := d.lockShim()
	if err != nil {
		return err
	}
	defer lock.Close()
	if _, err := os.Stat(d.Path(exitFile)); !errors.Is(err, fs.ErrNotExist) {
		return err // nil: another was first
	}
	state, err := readRecord[stateRecord](d, stateFile)
	if err != nil {
		return err
	}
	found, err := killRecorded(state, s.KillGroup)
	if err != nil {
		return fmt.Errorf("kill what is left: %w", err)
	}
	if s.CleanLost != nil {
		if err := s.CleanLost(d, rentalID); err != nil {
			return fmt.Errorf("clean up what is left: %w", err)
		}
	}
	message := "the supervisor and the workload ended while nobody watched"
	if found {
		message = "the supervisor was killed; the workload was then killed too"
	}
	return createRecord(d, exitFile, exitRecord{
		StartedAt: state.StartedAt, ExitedAt: time.Now(), Reason: engine.ReasonLost, Message: message,
	})
}
