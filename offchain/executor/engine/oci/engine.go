// Package oci is the default engine: OCI images in Linux containers, with
// nothing to install. It embeds runc's libcontainer; the executor's own binary,
// executed again, is the container's supervisor and its first instructions.
// See the README one directory up for what isolation this gives.
package oci

import (
	"errors"
	"fmt"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

// Kind names this engine on a shim's command line.
const Kind = "oci"

// Network says what a workload reaches.
type Network string

const (
	// NetworkNone is a network namespace with nothing but loopback.
	NetworkNone Network = "none"
	// NetworkHost is the host's network, with all that it reaches. The
	// operator chooses it for workloads that must download; it is not isolated.
	NetworkHost Network = "host"
)

// Options configure the engine. The zero value of all but StateDir is right
// for most machines.
type Options struct {
	// StateDir has one directory per rental. Absolute.
	StateDir string `json:"state_dir"`
	// Network is NetworkNone when it is empty.
	Network Network `json:"network,omitempty"`
	// CgroupParent is the control group under which each rental gets its own.
	// It is /grafi for root when it is empty; without root an empty one means
	// no control groups, and one that is delegated to this user must be named.
	CgroupParent string `json:"cgroup_parent,omitempty"`
	// FirstUID begins the host's user ids that containers map to when the
	// engine runs as root: 65,536 for each of IDRanges ranges, drawn by rental.
	FirstUID uint32 `json:"first_uid,omitempty"`
	// CDISpecDirs are searched for device specifications, /etc/cdi and
	// /var/run/cdi when it is empty.
	CDISpecDirs []string `json:"cdi_spec_dirs,omitempty"`
}

const (
	// DefaultFirstUID is inside the range that systemd keeps for containers.
	DefaultFirstUID = 0x10000000
	// IDRanges is how many rentals have user ids of their own; more than a
	// host ever runs at once.
	IDRanges = 8192
	// idsPerRange is the whole 16-bit space that images use.
	idsPerRange = 65536
)

// ErrUnavailable says that this machine can't run the engine; the text says why.
var ErrUnavailable = errors.New("oci engine is not available on this machine")

func (o Options) withDefaults() (Options, error) {
	if o.Network == "" {
		o.Network = NetworkNone
	}
	if o.Network != NetworkNone && o.Network != NetworkHost {
		return o, fmt.Errorf("network: got %q, want %q or %q", o.Network, NetworkNone, NetworkHost)
	}
	if o.FirstUID == 0 {
		o.FirstUID = DefaultFirstUID
	}
	if o.FirstUID%idsPerRange != 0 || uint64(o.FirstUID)+IDRanges*idsPerRange >= 1<<31 {
		return o, fmt.Errorf("first_uid: got %d, want a multiple of %d up to %d", o.FirstUID, idsPerRange, 1<<31-(IDRanges+1)*idsPerRange)
	}
	if len(o.CDISpecDirs) == 0 {
		o.CDISpecDirs = []string{"/etc/cdi", "/var/run/cdi"}
	}
	return o, nil
}

// hostID is the host's user and group id of the container's 0.
func (o Options) hostID(rentalID uint64) uint32 {
	return o.FirstUID + uint32(rentalID%IDRanges)*idsPerRange
}

// describe is the engine's name for people.
func describe(c engine.Capabilities, network Network) string {
	who := "root"
	if !c.Root {
		who = "rootless"
	}
	limits := "cgroup " + string(c.Cgroup)
	if len(c.Limits) == 0 {
		limits = "no resource limits"
	}
	return fmt.Sprintf("oci (%s, %s, network %s)", who, limits, network)
}
