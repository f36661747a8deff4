// Package manifest reads the document in which a renter says what to run on a
// rented GPU. The chain records only its digest; the document itself goes from
// the renter to the host's gateway, which checks the digest before anything runs.
package manifest

import "time"

// Manifest is one workload. The same content gives the same digest whether it
// was written in YAML or in JSON. A member that is left out and one that is
// zero or empty are the same.
type Manifest struct {
	// Image is registry/name@sha256:<64 hex digits>. Tags are refused: what a
	// tag points to can change after the digest of the manifest went on chain.
	Image string `json:"image"`
	// Command replaces the image's entrypoint when it is not empty.
	Command []string `json:"command,omitempty"`
	// Args replaces the image's default arguments when it is not empty, or when
	// Command is not empty.
	Args []string `json:"args,omitempty"`
	// Env is added to the image's environment and wins over it. No secrets
	// belong here: the document is stored in the clear on the host.
	Env map[string]string `json:"env,omitempty"`
	// WorkingDir is an absolute path, the image's own when it is empty.
	WorkingDir string `json:"working_dir,omitempty"`
	// Ports are those that the gateway may forward to.
	Ports []Port `json:"ports,omitempty"`
	// Resources are hard limits.
	Resources Resources `json:"resources"`
	// Volumes are writable scratch, wiped when the rental ends.
	Volumes []Volume `json:"volumes,omitempty"`
	// Health says how to tell that the workload works.
	Health *HealthCheck `json:"health,omitempty"`
	// Results are absolute paths of files inside a volume. Their digest is the
	// job's output digest.
	Results []string `json:"results,omitempty"`
	// StopGraceSeconds is the time from SIGTERM to SIGKILL, DefaultStopGrace
	// when it is 0.
	StopGraceSeconds uint32 `json:"stop_grace_seconds,omitempty"`
}

// Port is one TCP port on which the workload listens.
type Port struct {
	Name string `json:"name"`
	Port uint16 `json:"port"`
}

// Resources are hard limits. What is 0 has the default named at the field.
type Resources struct {
	// CPUMillis is thousandths of one CPU.
	CPUMillis uint32 `json:"cpu_millis"`
	// MemoryMiB is the limit at which the kernel kills the workload (exit 137).
	MemoryMiB uint32 `json:"memory_mib"`
	// DiskMiB limits all volumes together, DefaultDiskMiB when it is 0.
	DiskMiB uint32 `json:"disk_mib,omitempty"`
	// PIDs limits processes and threads, DefaultPIDs when it is 0.
	PIDs uint32 `json:"pids,omitempty"`
	// GPUs is how many of the rental's GPUs the workload uses.
	GPUs uint32 `json:"gpus,omitempty"`
}

// Volume is a named scratch directory. The workload also finds its path in the
// environment variable GRAFI_VOLUME_<NAME>, with - written as _, which is the
// portable way: an engine without isolation can't mount anything at Path.
type Volume struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

// HealthCheck runs one of its three probes every period. Exactly one is set.
type HealthCheck struct {
	// Command is run inside the workload; exit code 0 is healthy.
	Command []string `json:"command,omitempty"`
	// HTTP is asked with GET; a status from 200 to 399 is healthy.
	HTTP *HTTPCheck `json:"http,omitempty"`
	// TCPPort must accept a connection.
	TCPPort uint16 `json:"tcp_port,omitempty"`

	// PeriodSeconds is DefaultHealthPeriod when it is 0.
	PeriodSeconds uint32 `json:"period_seconds,omitempty"`
	// TimeoutSeconds is DefaultHealthTimeout when it is 0.
	TimeoutSeconds uint32 `json:"timeout_seconds,omitempty"`
	// Failures in a row make the workload unhealthy, DefaultHealthFailures when it is 0.
	Failures uint32 `json:"failures,omitempty"`
	// StartSeconds is how long failures are ignored after the start.
	StartSeconds uint32 `json:"start_seconds,omitempty"`
}

// HTTPCheck is a GET on the workload's loopback.
type HTTPCheck struct {
	Port uint16 `json:"port"`
	Path string `json:"path"`
}

// The defaults of members that may be left out. They are not part of the
// digest, so that a new default does not change the digest of an old document.
const (
	DefaultStopGrace      = 10 * time.Second
	DefaultDiskMiB        = 1024
	DefaultPIDs           = 512
	DefaultHealthPeriod   = 10 * time.Second
	DefaultHealthTimeout  = 3 * time.Second
	DefaultHealthFailures = 3
)

// StopGrace returns the time from SIGTERM to SIGKILL.
func (m Manifest) StopGrace() time.Duration {
	if m.StopGraceSeconds == 0 {
		return DefaultStopGrace
	}
	return time.Duration(m.StopGraceSeconds) * time.Second
}

// DiskBytes returns the limit of all volumes together.
func (r Resources) DiskBytes() int64 {
	if r.DiskMiB == 0 {
		return DefaultDiskMiB << 20
	}
	return int64(r.DiskMiB) << 20
}

// MemoryBytes returns the memory limit.
func (r Resources) MemoryBytes() int64 { return int64(r.MemoryMiB) << 20 }

// PIDLimit returns the limit of processes and threads.
func (r Resources) PIDLimit() int64 {
	if r.PIDs == 0 {
		return DefaultPIDs
	}
	return int64(r.PIDs)
}

// Period returns the time between two checks.
func (h HealthCheck) Period() time.Duration {
	if h.PeriodSeconds == 0 {
		return DefaultHealthPeriod
	}
	return time.Duration(h.PeriodSeconds) * time.Second
}

// Timeout returns how long one check may take.
func (h HealthCheck) Timeout() time.Duration {
	if h.TimeoutSeconds == 0 {
		return DefaultHealthTimeout
	}
	return time.Duration(h.TimeoutSeconds) * time.Second
}

// FailureLimit returns how many failures in a row make a workload unhealthy.
func (h HealthCheck) FailureLimit() uint32 {
	if h.Failures == 0 {
		return DefaultHealthFailures
	}
	return h.Failures
}
