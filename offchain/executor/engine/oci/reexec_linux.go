//go:build linux && cgo

package oci

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/opencontainers/runc/libcontainer"
	_ "github.com/opencontainers/runc/libcontainer/nsenter" // enters namespaces in C, before Go runs
	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine/oci/seccomp"
	"github.com/grafilab/grafi/offchain/executor/engine/shim"
)

const (
	initCommand   = "init" // fixed by libcontainer
	probeCommand  = "workload-probe"
	holdCommand   = "workload-hold-userns"
	initTypeSetns = "setns" // libcontainer's name for entering a running container

	// gateFD is the first file beyond stdio that the container's first process
	// inherits: the gate of seccompGate.
	gateFD = 3
)

// Reexec must be the first thing that main does. When this process was started
// by the engine to be something else (a shim, a container's first instructions,
// a probe), it is that and never returns.
func Reexec() {
	if len(os.Args) < 2 {
		return
	}
	switch {
	case os.Args[1] == initCommand && os.Getenv("_LIBCONTAINER_INITPIPE") != "":
		initContainer()
	case shim.Is(Kind):
		os.Exit(shim.Main(func() shim.Runner { return &runner{} }))
	case os.Args[1] == probeCommand && len(os.Args) == 3:
		os.Exit(probeMain(os.Args[2] == "root"))
	case os.Args[1] == holdCommand:
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent closes it
		os.Exit(0)
	}
}

// initContainer becomes a process of a container.
func initContainer() {
	runtime.LockOSThread() // the death signal is per thread, and this one executes the workload
	if os.Getenv("_LIBCONTAINER_INITTYPE") == initTypeSetns {
		// The namespaces were joined before Go began, and what is left to do the
		// filter allows.
		if err := seccomp.Install(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(255)
		}
		libcontainer.Init()
	}
	// A container without its shim has no log, no deadline and no exit code.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, "parent death signal:", err)
		os.Exit(255)
	}
	unix.CloseOnExec(gateFD)
	go seccompGate()
	libcontainer.Init()
}

// seccompGate puts the filter on the container's first process at the last
// moment. libcontainer's own way needs the C library libseccomp; here the shim
// lets libcontainer set everything up, which needs calls that the filter
// denies, until it waits at its "exec fifo" for the order to execute. Then the
// shim asks this thread to filter all threads (TSYNC), waits for its answer,
// and gives the order. A failure here means that the order never comes.
func seccompGate() {
	runtime.LockOSThread()
	var order [1]byte
	for {
		n, err := unix.Read(gateFD, order[:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n != 1 {
			return // the shim is gone, and this process with it
		}
		break
	}
	answer := gateDone
	if err := seccomp.Install(); err != nil {
		answer = err.Error()
	}
	_, _ = unix.Write(gateFD, []byte(answer)) // unanswered, the shim gives up
}

const gateDone = "filtered"
