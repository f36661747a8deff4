//go:build linux && cgo

package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/oci/seccomp"
)

// Probe finds out what this machine lets the engine do, by doing it in a
// process that then ends. An error means that it could not find out.
func Probe(ctx context.Context, options Options) (engine.Capabilities, error) {
	options, err := options.withDefaults()
	if err != nil {
		return engine.Capabilities{}, err
	}
	c := engine.Capabilities{Root: os.Geteuid() == 0, Seccomp: seccomp.Available(), CDI: hasSpecs(options.CDISpecDirs)}
	if !c.Seccomp {
		c.Reasons = append(c.Reasons, "the kernel has no seccomp filters")
	}
	probeCgroups(&c, options)
	found, err := probeNamespaces(ctx, c.Root)
	if err != nil {
		return c, err
	}
	c.UserNamespace, c.IDMappedMounts = found.Namespaces, found.Mapped
	c.Reasons = append(c.Reasons, found.Reasons...)
	c.Usable = c.UserNamespace && c.Seccomp
	c.Isolated = c.Usable
	return c, nil
}

func hasSpecs(dirs []string) bool {
	for _, dir := range dirs {
		for _, pattern := range []string{"*.json", "*.yaml"} {
			if found, err := filepath.Glob(filepath.Join(dir, pattern)); err == nil && len(found) > 0 {
				return true
			}
		}
	}
	return false
}

// wantedLimits are the control groups that a manifest's resources need.
var wantedLimits = []string{"cpu", "memory", "pids"}

func probeCgroups(c *engine.Capabilities, o Options) {
	c.Cgroup = engine.CgroupV1
	if cgroups.IsCgroup2UnifiedMode() {
		c.Cgroup = engine.CgroupV2
	}
	parent := cgroupPath(o, c.Root, 0)
	switch {
	case parent == "":
		c.Reasons = append(c.Reasons, "no control group is delegated to this user: resource limits are not enforced")
	case c.Cgroup == engine.CgroupV2:
		c.Limits = cgroupV2Limits(filepath.Dir(parent), c.Root)
	default:
		for _, name := range wantedLimits {
			if unix.Access(filepath.Join("/sys/fs/cgroup", name, "cgroup.procs"), unix.W_OK) == nil {
				c.Limits = append(c.Limits, name)
			}
		}
	}
	for _, name := range wantedLimits {
		if parent != "" && !slices.Contains(c.Limits, name) {
			c.Reasons = append(c.Reasons, fmt.Sprintf("control group %q is not available: its limit is not enforced", name))
		}
	}
	if len(c.Limits) == 0 {
		c.Cgroup = engine.CgroupNone
	}
}

// cgroupV2Limits reads what the parent, or for root the top, has to give.
func cgroupV2Limits(parent string, root bool) []string {
	dir, file := filepath.Join("/sys/fs/cgroup", parent), "cgroup.subtree_control"
	if root {
		dir, file = "/sys/fs/cgroup", "cgroup.controllers"
	}
	if unix.Access(filepath.Join(dir, "cgroup.procs"), unix.W_OK) != nil {
		return nil
	}
	raw, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil
	}
	var limits []string
	for _, name := range strings.Fields(string(raw)) {
		if slices.Contains(wantedLimits, name) {
			limits = append(limits, name)
		}
	}
	return limits
}

// probeResult is what probeMain prints.
type probeResult struct {
	Namespaces bool
	Mapped     bool
	Reasons    []string
}

// probeNamespaces runs probeMain in the surroundings of a shim.
func probeNamespaces(ctx context.Context, root bool) (probeResult, error) {
	who := "rootless"
	if root {
		who = "root"
	}
	var out, errOut bytes.Buffer
	cmd := exec.CommandContext(ctx, "/proc/self/exe", probeCommand, who)
	cmd.SysProcAttr, cmd.Stdout, cmd.Stderr = namespaceAttr(root), &out, &errOut
	cmd.Env = []string{}
	if err := cmd.Start(); err != nil {
		return probeResult{Reasons: []string{fmt.Sprintf("namespaces are not permitted to this user: %s", err)}}, nil
	}
	if err := cmd.Wait(); err != nil {
		return probeResult{}, fmt.Errorf("probe: %w: %s", err, errOut.String())
	}
	var result probeResult
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		return result, fmt.Errorf("probe: does main call oci.Reexec first? %w", err)
	}
	return result, nil
}

// probeMain tries all that a container needs, and prints what worked.
func probeMain(root bool) int {
	var result probeResult
	reason := func(format string, args ...any) {
		result.Reasons = append(result.Reasons, fmt.Sprintf(format, args...))
	}
	mapping := syscall.SysProcIDMap{Size: 1}
	if root {
		mapping = syscall.SysProcIDMap{HostID: DefaultFirstUID, Size: idsPerRange}
	}
	child := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{os.Args[0], holdCommand},
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET |
				syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
			UidMappings: []syscall.SysProcIDMap{mapping}, GidMappings: []syscall.SysProcIDMap{mapping},
			GidMappingsEnableSetgroups: root,
		},
	}
	namespacesErr := child.Run()
	stage, stageErr := "", unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, "")
	if stageErr == nil {
		stage, stageErr = mountStage()
	}
	if result.Namespaces = namespacesErr == nil && stageErr == nil; !result.Namespaces {
		reason("a container's namespaces are not permitted: %s", errors.Join(namespacesErr, stageErr))
	} else if root {
		// An image lies in the state directory, so this is about the kernel only.
		if err := mountMapped("/usr", filepath.Join(stage, "lower"), DefaultFirstUID); err != nil {
			reason("no id-mapped mounts: each start copies the image (%s)", err)
		} else {
			result.Mapped = true
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
