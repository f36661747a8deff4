package chainclient

import "context"

type atLeastKey struct{}

// AtLeast returns a context whose queries are answered from the state of this
// height or a later one. An endpoint that lags behind it counts as one that does
// not answer, so the next one is asked.
func AtLeast(ctx context.Context, height int64) context.Context {
	return context.WithValue(ctx, atLeastKey{}, height)
}

// leastHeight is the height that AtLeast asked for, or 0.
func leastHeight(ctx context.Context) int64 {
	h, ok := ctx.Value(atLeastKey{}).(int64)
	if !ok {
		return 0
	}
	return h
}
