package attest

import (
	"errors"
	"time"
)

// errNotYet says that the chain will take a statement later, not now.
var errNotYet = errors.New("not yet")

// deferred remembers which outbox entries wait, by their sequence, so that one
// that the chain does not take holds up no other. It is lost with the process: a
// new one tries everything again.
type deferred map[uint64]deferral

type deferral struct {
	until time.Time
	wait  time.Duration
	err   error
}

// put makes those of the tried entries wait that are left, twice as long as the
// last time.
func (d deferred) put(tried, left []Entry, now time.Time, err error) {
	waits := make(map[uint64]time.Duration, len(left))
	for _, e := range left {
		waits[e.Sequence] = max(firstBackoff, min(2*d[e.Sequence].wait, lastBackoff))
	}
	d.forget(tried)
	for sequence, wait := range waits {
		d[sequence] = deferral{until: now.Add(wait), wait: wait, err: err}
	}
}

func (d deferred) forget(entries []Entry) {
	for _, e := range entries {
		delete(d, e.Sequence)
	}
}

func (d deferred) waits(e Entry, now time.Time) bool { return now.Before(d[e.Sequence].until) }

// next is how long nothing can be done, at most longest.
func (d deferred) next(now time.Time, longest time.Duration) time.Duration {
	for _, w := range d {
		longest = min(longest, max(0, w.until.Sub(now)))
	}
	return longest
}

// oldest is why the oldest waiting entry waits; nil when none does.
func (d deferred) oldest() error {
	var err error
	var first uint64
	for sequence, w := range d {
		if err == nil || sequence < first {
			first, err = sequence, w.err
		}
	}
	return err
}
