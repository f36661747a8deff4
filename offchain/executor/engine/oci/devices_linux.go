//go:build linux && cgo

package oci

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
	"tags.cncf.io/container-device-interface/pkg/cdi"
	"tags.cncf.io/container-device-interface/pkg/parser"
)

// deviceSet is what a workload's GPUs are on this machine.
type deviceSet struct {
	cache *cdi.Cache
	names []string // qualified CDI names
	nodes []specs.LinuxDevice
}

// findDevices resolves CDI names and paths of device nodes, and fails for one
// that is not there: a workload never starts without a GPU that it was promised.
func findDevices(gpus, specDirs []string) (deviceSet, error) {
	var set deviceSet
	for _, gpu := range gpus {
		switch {
		case parser.IsQualifiedName(gpu):
			set.names = append(set.names, gpu)
		case strings.HasPrefix(gpu, "/dev/") && filepath.Clean(gpu) == gpu:
			node, err := deviceNode(gpu)
			if err != nil {
				return set, err
			}
			set.nodes = append(set.nodes, node)
		default:
			return set, fmt.Errorf("gpu: got %q, want a CDI name (vendor/class=name) or a path under /dev", gpu)
		}
	}
	if len(set.names) == 0 {
		return set, nil
	}
	var err error
	if set.cache, err = cdi.NewCache(cdi.WithSpecDirs(specDirs...), cdi.WithAutoRefresh(false)); err != nil {
		return set, fmt.Errorf("device specifications in %q: %w", specDirs, err)
	}
	for _, name := range set.names {
		if set.cache.GetDevice(name) == nil {
			return set, fmt.Errorf("gpu: no specification in %q has %q", specDirs, name)
		}
	}
	return set, nil
}

func deviceNode(path string) (specs.LinuxDevice, error) {
	var stat unix.Stat_t
	if err := unix.Lstat(path, &stat); err != nil {
		return specs.LinuxDevice{}, fmt.Errorf("gpu %s: %w", path, err)
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFCHR {
		return specs.LinuxDevice{}, fmt.Errorf("gpu %s: not a character device", path)
	}
	return specs.LinuxDevice{
		Path: path, Type: "c", Major: int64(unix.Major(stat.Rdev)), Minor: int64(unix.Minor(stat.Rdev)),
	}, nil
}

// inject adds the devices, and the leave to use them, to a container.
func (s deviceSet) inject(spec *specs.Spec) error {
	for _, node := range s.nodes {
		spec.Linux.Devices = append(spec.Linux.Devices, node)
		spec.Linux.Resources.Devices = append(spec.Linux.Resources.Devices, specs.LinuxDeviceCgroup{
			Allow: true, Type: node.Type, Major: &node.Major, Minor: &node.Minor, Access: "rw",
		})
	}
	if len(s.names) == 0 {
		return nil
	}
	if _, err := s.cache.InjectDevices(spec, s.names...); err != nil {
		return fmt.Errorf("inject devices: %w", err)
	}
	return nil
}
