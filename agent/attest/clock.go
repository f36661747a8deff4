package attest

import (
	"slices"
	"sync"
	"time"
)

const (
	// clockLooks is how many looks at a new block the agent remembers.
	clockLooks = 5
	// enoughLooks is how many it needs to doubt the local clock.
	enoughLooks = 3
	// MaxSkew is how far the local clock may be from block time. A block is some
	// seconds old when the agent sees it, so less says nothing about the clock.
	MaxSkew = 10 * time.Second
)

// blockClock tells block time: by the local clock while that is right, and else by the
// blocks. The clock of a machine may be hours off and may jump, so time is counted from
// the start of the agent by the monotonic clock, and the wall clock is read only then.
type blockClock struct {
	began time.Time

	mu     sync.Mutex
	newest time.Time
	// lags are how far block time was behind, as new blocks were seen, the latest last.
	lags   []time.Duration
	warned bool
}

func newBlockClock() *blockClock { return &blockClock{began: time.Now()} }

// steady is the time since the start of the agent, put behind the wall clock of then.
func (c *blockClock) steady() time.Time { return c.began.Add(time.Since(c.began)).Round(0).UTC() }

// now is block time, as well as the agent knows it.
func (c *blockClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.steady().Add(-c.correction())
}

// look notes the time of the newest block. That of the first one says nothing: the
// chain may stand since long.
func (c *blockClock) look(block time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := c.newest.IsZero()
	if !block.After(c.newest) {
		return
	}
	c.newest = block
	if first {
		return
	}
	c.lags = append(c.lags, c.steady().Sub(block))
	c.lags = c.lags[max(0, len(c.lags)-clockLooks):]
}

// correction is what block time is behind the steady clock, or 0 when that is about
// right. A block is seen late and the first one after a halt bears a time from before
// it, but none comes from the future: the least lag is the nearest to the truth.
func (c *blockClock) correction() time.Duration {
	if len(c.lags) < enoughLooks {
		return 0
	}
	if lag := slices.Min(c.lags); lag.Abs() > MaxSkew {
		return lag
	}
	return 0
}

// skew is the local clock minus block time: what the wall clock says now against the
// last blocks.
func (c *blockClock) skew() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.lags) == 0 {
		return 0
	}
	return time.Now().Round(0).Sub(c.steady()) + slices.Min(c.lags)
}

// warn tells, once while it lasts, that the local clock is wrong.
func (c *blockClock) warn() bool {
	wrong := c.skew().Abs() > MaxSkew
	c.mu.Lock()
	defer c.mu.Unlock()
	wrong = wrong && len(c.lags) >= enoughLooks
	fresh := wrong && !c.warned
	c.warned = wrong
	return fresh
}
