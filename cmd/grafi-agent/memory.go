package main

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"
)

const (
	// trimFirst is when a start, with its first challenge, is mostly over.
	trimFirst = 15 * time.Second
	trimEvery = time.Minute
)

// keepSmall gives memory back that the agent does not need, until ctx ends: a renter
// has a use for it.
func keepSmall(ctx context.Context, log *slog.Logger) {
	next := time.NewTimer(trimFirst)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		debug.FreeOSMemory()
		if err := dropProgramPages(); err != nil {
			log.Debug("memory is not given back", "err", err)
		}
		next.Reset(trimEvery)
	}
}
