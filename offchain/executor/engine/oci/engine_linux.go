//go:build linux && cgo

package oci

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/opencontainers/cgroups"
	_ "github.com/opencontainers/cgroups/devices" // lets cgroup managers set device rules
	"github.com/opencontainers/cgroups/manager"
	"github.com/opencontainers/runc/libcontainer"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/shim"
)

// Engine implements engine.Engine.
type Engine struct {
	*shim.Supervisor
	options      Options
	capabilities engine.Capabilities
}

var _ engine.Engine = (*Engine)(nil)

// New probes the machine and returns ErrUnavailable when it can't run containers.
// The program's main must call Reexec first.
func New(ctx context.Context, options Options) (*Engine, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	if !filepath.IsAbs(options.StateDir) {
		return nil, fmt.Errorf("state_dir: got %q, want an absolute path", options.StateDir)
	}
	capabilities, err := Probe(ctx, options)
	if err != nil {
		return nil, err
	}
	if !capabilities.Usable {
		return nil, fmt.Errorf("%w: %s", ErrUnavailable, strings.Join(capabilities.Reasons, "; "))
	}
	e := &Engine{options: options, capabilities: capabilities}
	e.Supervisor = &shim.Supervisor{
		Kind: Kind, Root: options.StateDir,
		Options: runnerOptions{Options: options, Root: capabilities.Root, Limits: capabilities.Limits, Cgroup: capabilities.Cgroup},
		Attr:    func() *syscall.SysProcAttr { return namespaceAttr(capabilities.Root) },
		Check:   e.check, CleanLost: e.cleanLost,
	}
	if capabilities.Root {
		e.Own = func(rentalID uint64, volume string) error {
			id := int(options.hostID(rentalID))
			return errors.Join(os.Chown(volume, id, id), os.Chmod(volume, 0o777))
		}
	} else {
		e.Own = func(_ uint64, volume string) error { return os.Chmod(volume, 0o777) }
	}
	return e, e.Open()
}

// Name implements engine.Engine.
func (e *Engine) Name() string { return describe(e.capabilities, e.options.Network) }

// Capabilities is what was found on this machine.
func (e *Engine) Capabilities() engine.Capabilities { return e.capabilities }

func (e *Engine) check(w engine.Workload) error {
	if _, err := w.Argv(); err != nil {
		return err
	}
	if got, want := len(w.GPUs), int(w.Manifest.Resources.GPUs); got != want {
		return fmt.Errorf("gpus: got %d devices, the manifest wants %d", got, want)
	}
	_, err := findDevices(w.GPUs, e.options.CDISpecDirs)
	return err
}

// namespaceAttr starts a shim with mounts of its own, so that nothing it mounts
// outlives it. Without root it also becomes the root of a user namespace that
// has one user, the caller.
func namespaceAttr(root bool) *syscall.SysProcAttr {
	if root {
		return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	}
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
	}
}

func containerID(rentalID uint64) string { return "rental-" + strconv.FormatUint(rentalID, 10) }

func containerRoot(d shim.Dir) string { return d.Path("libcontainer") }

// cleanLost removes the control groups of a container whose shim was killed.
// Its processes went with its first one, which dies with the shim.
func (e *Engine) cleanLost(d shim.Dir, rentalID uint64) error {
	container, err := libcontainer.Load(containerRoot(d), containerID(rentalID))
	if err == nil {
		return container.Destroy()
	}
	if !errors.Is(err, libcontainer.ErrNotExist) && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// The shim was killed before it wrote libcontainer's state.
	path := cgroupPath(e.options, e.capabilities.Root, rentalID)
	if path == "" {
		return nil
	}
	group, err := manager.New(&cgroups.Cgroup{Path: path, Resources: &cgroups.Resources{}})
	if err != nil {
		return err
	}
	return group.Destroy()
}

// cgroupPath is empty when there is no control group to make.
func cgroupPath(o Options, root bool, rentalID uint64) string {
	parent := o.CgroupParent
	if parent == "" && root {
		parent = "/grafi"
	}
	if parent == "" {
		return ""
	}
	return filepath.Join("/", parent, containerID(rentalID))
}
