//go:build !(linux && cgo)

package gpu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// NVML is not available in this build: it needs Linux and cgo.
type NVML struct{}

var _ Source = (*NVML)(nil)

// NewNVML returns a source that always answers ErrDriverGone.
func NewNVML(string, *slog.Logger) *NVML { return &NVML{} }

var errBuild = fmt.Errorf("%w: this build has no NVML (it needs Linux and cgo)", ErrNoLibrary)

// Kind implements Source.
func (*NVML) Kind() Kind { return KindNVML }

// Devices implements Source.
func (*NVML) Devices(context.Context) ([]Device, error) { return nil, errBuild }

// Sample implements Source.
func (*NVML) Sample(context.Context) (Sample, error) { return Sample{}, errBuild }

// Close implements Source.
func (*NVML) Close() error { return nil }

// IsTransient reports whether a source's error mends itself when the driver returns.
func IsTransient(err error) bool { return errors.Is(err, ErrDriverGone) || errors.Is(err, ErrBusy) }

// Attest implements Source.
func (*NVML) Attest(context.Context, int, [32]byte) (Report, error) { return Report{}, errBuild }
