package gpu

import (
	"context"
	"fmt"
)

// gate lets one call at a time to a driver. It holds one token while none is under way.
type gate chan struct{}

func newGate() gate {
	g := make(gate, 1)
	g <- struct{}{}
	return g
}

// locked runs fn alone, in a goroutine of its own: a broken driver can hang a
// call for minutes, and then the caller gets ErrBusy instead of hanging with it.
func locked[T any](ctx context.Context, g gate, fn func() (T, error)) (T, error) {
	var zero T
	select {
	case <-g:
	case <-ctx.Done():
		return zero, fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { g <- struct{}{} }()
		v, err := fn()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		return zero, fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
}
