package seccomp

import "golang.org/x/sys/unix"

const (
	auditArch = unix.AUDIT_ARCH_AARCH64
	x32Bit    = 0 // no such ABI
	// newestKnown is the highest number that was looked at for the list.
	newestKnown = unix.SYS_MSEAL
)

// allowedHere are the calls that only this architecture has.
var allowedHere = []uint32{
	unix.SYS_NEWFSTATAT,
}
