// Package process is the engine without isolation, for machines that forbid
// namespaces: the image's program runs as an ordinary process of the host. It
// has to be asked for by name, and it never hides what it is.
package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/shim"
)

// Kind names this engine on a shim's command line.
const Kind = "process"

// ErrUnisolated refuses to open the engine without the operator's consent.
var ErrUnisolated = errors.New("the process engine does not isolate workloads from this machine or from one another; " +
	"it runs only with AllowUnisolated")

// Options configure the engine.
type Options struct {
	// StateDir has one directory per rental. Absolute.
	StateDir string `json:"state_dir"`
	// AllowUnisolated is the operator's consent.
	AllowUnisolated bool `json:"allow_unisolated"`
	// UID and GID are who the workloads run as when the executor is root;
	// nobody (65534) when they are 0. Without root they are ignored.
	UID uint32 `json:"uid,omitempty"`
	GID uint32 `json:"gid,omitempty"`
}

const nobody = 65534

// Engine implements engine.Engine.
type Engine struct {
	*shim.Supervisor
}

var _ engine.Engine = (*Engine)(nil)

// New opens the engine. The program's main must call Reexec first.
func New(options Options) (*Engine, error) {
	if !options.AllowUnisolated {
		return nil, ErrUnisolated
	}
	if !filepath.IsAbs(options.StateDir) {
		return nil, fmt.Errorf("state_dir: got %q, want an absolute path", options.StateDir)
	}
	if options.UID == 0 {
		options.UID = nobody
	}
	if options.GID == 0 {
		options.GID = nobody
	}
	e := &Engine{&shim.Supervisor{Kind: Kind, Root: options.StateDir, Options: options, KillGroup: true, Check: check}}
	if os.Geteuid() == 0 {
		e.Own = func(_ uint64, volume string) error {
			return errors.Join(os.Chown(volume, int(options.UID), int(options.GID)), os.Chmod(volume, 0o700))
		}
	}
	if err := e.Open(); err != nil || os.Geteuid() != 0 {
		return e, err
	}
	return e, checkWalkable(options)
}

// checkWalkable: the workload's user, who is not root, must reach its volumes.
func checkWalkable(options Options) error {
	for dir := options.StateDir; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if info.Mode()&0o001 == 0 {
			return fmt.Errorf("state_dir %s: %s is closed to user %d, as whom workloads run; open it with chmod o+x", options.StateDir, dir, options.UID)
		}
		if dir == "/" {
			return nil
		}
	}
}

// Name implements engine.Engine.
func (e *Engine) Name() string { return "process (UNISOLATED)" }

// Capabilities says what little there is.
func (e *Engine) Capabilities() engine.Capabilities {
	return engine.Capabilities{
		Usable: true, Root: os.Geteuid() == 0, Cgroup: engine.CgroupNone,
		Reasons: []string{
			"workloads see the machine's files, network and processes",
			"memory and file size are limited per process, processor and number of processes not at all",
		},
	}
}

func check(w engine.Workload) error {
	if _, err := w.Argv(); err != nil {
		return err
	}
	if got, want := len(w.GPUs), int(w.Manifest.Resources.GPUs); got != want {
		return fmt.Errorf("gpus: got %d devices, the manifest wants %d", got, want)
	}
	return nil
}
