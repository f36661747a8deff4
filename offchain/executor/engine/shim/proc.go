package shim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// bootID changes with every start of the machine.
func bootID() (string, error) {
	raw, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(raw)), err
}

// processStart returns field 22 of /proc/PID/stat (proc(5)): clock ticks from
// boot to the process's start. A reused pid has another.
func processStart(pid int) (uint64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field is the name in brackets, which may have anything in it.
	_, rest, ok := strings.Cut(string(raw[max(0, strings.LastIndexByte(string(raw), ')')):]), " ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 {
		return 0, fmt.Errorf("/proc/%d/stat: %d fields after the name, want at least 20", pid, len(fields))
	}
	return strconv.ParseUint(fields[19], 10, 64)
}

// killRecorded kills the recorded first process if it still is that process.
// It returns whether there was one.
func killRecorded(state stateRecord, group bool) (bool, error) {
	if state.PID == 0 || state.PIDStart == 0 {
		return false, nil
	}
	boot, err := bootID()
	if err != nil {
		return false, err
	}
	if boot != state.BootID {
		return false, nil
	}
	pidfd, err := unix.PidfdOpen(state.PID, 0)
	if errors.Is(err, unix.ESRCH) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("pidfd of %d: %w", state.PID, err)
	}
	defer unix.Close(pidfd)
	// The pidfd is of the recorded process only if that is what the pid names now.
	start, err := processStart(state.PID)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if start != state.PIDStart {
		return false, nil
	}
	if group {
		if err := unix.Kill(-state.PID, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return true, err
		}
	}
	if err := unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return true, err
	}
	// A pidfd is readable once the process has ended.
	_, err = unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, 5000)
	return true, err
}

// diskUse returns the bytes that a tree occupies (blocks, not lengths, so that
// a hole costs nothing).
func diskUse(root string) (int64, error) {
	var used int64
	err := filepath.WalkDir(root, func(_ string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed while walking
		} else if err != nil {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		used += sysBlocks(info)
		return nil
	})
	return used, err
}
