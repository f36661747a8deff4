//go:build !linux

package main

import "time"

var started = time.Now()

// cpuTime returns the time since the start, which is no less.
func cpuTime() time.Duration { return time.Since(started) }
