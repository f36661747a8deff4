// Package seccomp has the system calls that a workload may make, as a kernel
// filter (seccomp(2)) that is assembled here, so that no library has to be
// installed. The list follows the well-known default profile of container
// engines without capabilities.
package seccomp

import (
	"fmt"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offsets in struct seccomp_data, little-endian machines (linux/seccomp.h).
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArg0   = 16 // the low half

	// cloneNamespaces are the CLONE_NEW* flags, which make a namespace.
	cloneNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
		unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

	retAllow = unix.SECCOMP_RET_ALLOW
	retKill  = unix.SECCOMP_RET_KILL_PROCESS
	// A call that is known and denied is "not permitted"; one that this list is
	// too old to know "does not exist", so that a C library falls back.
	retDenied  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	retMissing = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
)

// personalities are the execution domains that change nothing of security:
// PER_LINUX, PER_LINUX32, UNAME26, both, and the query.
var personalities = []uint32{0, 0x0008, 0x20000, 0x20008, 0xffffffff}

func stmt(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }

func jump(op uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | op | unix.BPF_K, K: k, Jt: yes, Jf: no}
}

func load(offset uint32) unix.SockFilter {
	return stmt(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, offset)
}

func ret(action uint32) unix.SockFilter { return stmt(unix.BPF_RET|unix.BPF_K, action) }

// Program assembles the filter.
func Program() []unix.SockFilter {
	p := []unix.SockFilter{
		load(offsetArch),
		jump(unix.BPF_JEQ, auditArch, 1, 0),
		ret(retKill), // a 32-bit call has other numbers
		load(offsetNumber),
	}
	if x32Bit != 0 {
		p = append(p, jump(unix.BPF_JGE, x32Bit, 0, 1), ret(retMissing))
	}
	// clone3's flags are behind a pointer, where a filter can't look; without
	// it C libraries use clone.
	p = append(p, jump(unix.BPF_JEQ, unix.SYS_CLONE3, 0, 1), ret(retMissing))
	p = append(p,
		jump(unix.BPF_JEQ, unix.SYS_CLONE, 0, 4),
		load(offsetArg0),
		jump(unix.BPF_JSET, cloneNamespaces, 0, 1),
		ret(retDenied),
		ret(retAllow),
	)
	// A vsock leads out of a virtual machine, past every network namespace.
	p = append(p,
		jump(unix.BPF_JEQ, unix.SYS_SOCKET, 0, 4),
		load(offsetArg0),
		jump(unix.BPF_JEQ, unix.AF_VSOCK, 0, 1),
		ret(retDenied),
		ret(retAllow),
	)
	p = append(p, jump(unix.BPF_JEQ, unix.SYS_PERSONALITY, 0, uint8(2+2*len(personalities))), load(offsetArg0))
	for _, domain := range personalities {
		p = append(p, jump(unix.BPF_JEQ, domain, 0, 1), ret(retAllow))
	}
	p = append(p, ret(retDenied))

	for _, r := range ranges(slices.Concat(allowed, allowedHere)) {
		if r.low == r.high {
			p = append(p, jump(unix.BPF_JEQ, r.low, 0, 1), ret(retAllow))
			continue
		}
		p = append(p, jump(unix.BPF_JGE, r.low, 0, 2), jump(unix.BPF_JGT, r.high, 1, 0), ret(retAllow))
	}
	return append(p, jump(unix.BPF_JGT, newestKnown, 0, 1), ret(retMissing), ret(retDenied))
}

type span struct{ low, high uint32 }

// ranges joins consecutive numbers, so that a call passes fewer comparisons.
func ranges(numbers []uint32) []span {
	slices.Sort(numbers)
	var spans []span
	for _, n := range slices.Compact(numbers) {
		if last := len(spans) - 1; last >= 0 && spans[last].high+1 == n {
			spans[last].high = n
			continue
		}
		spans = append(spans, span{n, n})
	}
	return spans
}

// Available says whether the kernel takes filters.
func Available() bool {
	action := uint32(retKill)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	return errno == 0
}

// Install puts the filter on every thread of this process, for good, and sets
// no_new_privs with it.
func Install() error {
	runtime.LockOSThread() // no_new_privs is the calling thread's; TSYNC carries it to the others
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	filter := Program()
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	if thread != 0 {
		return fmt.Errorf("seccomp: thread %d has another filter", thread)
	}
	return nil
}
