//go:build linux && cgo

package oci

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/opencontainers/runc/libcontainer/configs"
	"github.com/opencontainers/runc/libcontainer/specconv"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/shim"
)

const (
	cpuPeriod = 100_000 // microseconds, the kernel's own default
	maxFiles  = 65_536
	tmpMiB    = 64
)

// maskedPaths show the host or let it be changed.
var maskedPaths = []string{
	"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
	"/proc/scsi", "/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats",
	"/sys/devices/virtual/powercap", "/sys/firmware",
}

var readonlyPaths = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}

// containerConfig goes through an OCI specification, because that is what
// device specifications (CDI) edit. It also returns the environment, which they
// edit too.
func containerConfig(job shim.Job, o runnerOptions, fs rootfs, user userIDs) (*configs.Config, []string, error) {
	w := job.Workload
	spec := &specs.Spec{
		Version:  specs.Version,
		Root:     &specs.Root{Path: fs.root, Readonly: true},
		Hostname: containerID(w.RentalID),
		Process: &specs.Process{
			User:            specs.User{UID: user.UID, GID: user.GID},
			Env:             w.Environ(func(_, path string) string { return path }),
			NoNewPrivileges: true,
			Capabilities:    &specs.LinuxCapabilities{}, // none
		},
		Mounts: mounts(w, o, fs),
		Linux: &specs.Linux{
			Namespaces:    namespaces(o),
			UIDMappings:   mapping(w.RentalID, o),
			GIDMappings:   mapping(w.RentalID, o),
			MaskedPaths:   maskedPaths,
			ReadonlyPaths: readonlyPaths,
			Resources:     resources(w, o),
			CgroupsPath:   cgroupPath(o.Options, o.Root, w.RentalID),
		},
	}
	devices, err := findDevices(w.GPUs, o.CDISpecDirs)
	if err != nil {
		return nil, nil, err
	}
	if err := devices.inject(spec); err != nil {
		return nil, nil, err
	}
	config, err := specconv.CreateLibcontainerConfig(&specconv.CreateOpts{
		CgroupName: containerID(w.RentalID), NoNewKeyring: true, Spec: spec,
		RootlessEUID: !o.Root, RootlessCgroups: len(o.Limits) == 0,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("container configuration: %w", err)
	}
	// A hard limit can only be raised with a capability that even root may lack.
	var inherited unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &inherited); err != nil {
		return nil, nil, err
	}
	files, disk := min(maxFiles, inherited.Max), uint64(w.Manifest.Resources.DiskBytes())
	config.Rlimits = []configs.Rlimit{
		{Type: unix.RLIMIT_NOFILE, Soft: files, Hard: files},
		{Type: unix.RLIMIT_CORE},
		{Type: unix.RLIMIT_FSIZE, Soft: disk, Hard: disk},
	}
	return config, spec.Process.Env, nil
}

func mapping(rentalID uint64, o runnerOptions) []specs.LinuxIDMapping {
	if !o.Root {
		return []specs.LinuxIDMapping{{Size: 1}} // the shim's user namespace has one id
	}
	return []specs.LinuxIDMapping{{HostID: o.hostID(rentalID), Size: idsPerRange}}
}

func namespaces(o runnerOptions) []specs.LinuxNamespace {
	kinds := []specs.LinuxNamespaceType{
		specs.PIDNamespace, specs.IPCNamespace, specs.UTSNamespace, specs.MountNamespace, specs.UserNamespace,
	}
	if o.Network == NetworkNone {
		kinds = append(kinds, specs.NetworkNamespace)
	}
	if o.Cgroup == engine.CgroupV2 {
		kinds = append(kinds, specs.CgroupNamespace)
	}
	list := make([]specs.LinuxNamespace, len(kinds))
	for i, kind := range kinds {
		list[i].Type = kind
	}
	return list
}

func mounts(w engine.Workload, o runnerOptions, fs rootfs) []specs.Mount {
	pts := []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}
	if o.Root {
		pts = append(pts, "gid=5") // tty; the only group without root is 0
	}
	list := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=64k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: pts},
		// Half of the memory, as the kernel's own default; it counts as the container's.
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{
			"nosuid", "noexec", "nodev", "mode=1777", fmt.Sprintf("size=%dm", max(1, w.Manifest.Resources.MemoryMiB/2)),
		}},
		{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs", Options: []string{
			"nosuid", "nodev", "mode=1777", fmt.Sprintf("size=%dm", min(tmpMiB, max(1, w.Manifest.Resources.MemoryMiB/2))),
		}},
	}
	if o.Network == NetworkNone {
		list = append(list, specs.Mount{
			Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"},
		})
	} else { // the kernel mounts sysfs only for the owner of the network namespace
		list = append(list, specs.Mount{
			Destination: "/sys", Type: "none", Source: "/sys", Options: []string{"rbind", "nosuid", "noexec", "nodev", "ro"},
		})
		for _, file := range []string{"/etc/resolv.conf", "/etc/hosts"} {
			if _, err := os.Stat(file); err == nil {
				list = append(list, specs.Mount{
					Destination: file, Type: "bind", Source: file, Options: []string{"bind", "nosuid", "noexec", "nodev", "ro"},
				})
			}
		}
	}
	if o.Cgroup == engine.CgroupV2 && slices.Contains(o.Limits, "memory") && o.Network == NetworkNone {
		// Runtimes read their limits here.
		list = append(list, specs.Mount{
			Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup",
			Options: []string{"nosuid", "noexec", "nodev", "relatime", "ro"},
		})
	}
	for _, v := range w.Manifest.Volumes {
		list = append(list, specs.Mount{
			Destination: v.Path, Type: "bind", Source: filepath.Join(fs.volumes, v.Name), Options: []string{"bind", "nosuid", "nodev"},
		})
	}
	return list
}

// resources has only the limits that this machine can enforce; the probe told
// the operator which those are.
func resources(w engine.Workload, o runnerOptions) *specs.LinuxResources {
	r := &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}}
	want := w.Manifest.Resources
	if slices.Contains(o.Limits, "cpu") {
		quota, period := max(int64(want.CPUMillis)*cpuPeriod/1000, 1000), uint64(cpuPeriod) // the kernel's least quota is 1 ms
		r.CPU = &specs.LinuxCPU{Quota: &quota, Period: &period}
	}
	if slices.Contains(o.Limits, "memory") {
		limit := want.MemoryBytes()
		r.Memory = &specs.LinuxMemory{Limit: &limit}
		if o.Cgroup == engine.CgroupV2 || exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes") {
			r.Memory.Swap = &limit // memory and swap together: no swap
		}
	}
	if slices.Contains(o.Limits, "pids") {
		limit := want.PIDLimit()
		r.Pids = &specs.LinuxPids{Limit: &limit}
	}
	return r
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
