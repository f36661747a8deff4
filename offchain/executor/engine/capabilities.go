package engine

// CgroupMode says which resource control a machine offers to this process.
type CgroupMode string

// The modes.
const (
	CgroupNone CgroupMode = "none"
	CgroupV1   CgroupMode = "v1" // includes hybrid
	CgroupV2   CgroupMode = "v2"
)

// Capabilities is what an engine can do on this machine. Reasons has a
// sentence for each thing that is missing.
type Capabilities struct {
	// Usable is whether the engine can run a workload at all.
	Usable bool
	// Isolated is whether a workload is kept from the host and from others.
	Isolated       bool
	Root           bool
	Cgroup         CgroupMode
	Limits         []string // of "cpu", "memory", "pids": those that cgroups enforce
	Seccomp        bool
	UserNamespace  bool
	IDMappedMounts bool
	CDI            bool
	Reasons        []string
}
