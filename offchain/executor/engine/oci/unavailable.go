//go:build linux && !cgo

package oci

import (
	"context"
	"fmt"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

const withoutCgo = "this binary was built without cgo, and namespaces are entered in C"

// Engine can't be opened in a binary without cgo.
type Engine struct{ engine.Engine }

// Reexec does nothing in a binary without cgo.
func Reexec() {}

// New returns ErrUnavailable.
func New(context.Context, Options) (*Engine, error) {
	return nil, fmt.Errorf("%w: %s", ErrUnavailable, withoutCgo)
}

// Probe says why the engine can't be used.
func Probe(context.Context, Options) (engine.Capabilities, error) {
	return engine.Capabilities{Cgroup: engine.CgroupNone, Reasons: []string{withoutCgo}}, nil
}
