package attest

import (
	"slices"
	"sync"
	"time"
)

const (
	// clockLooks is how many looks at a new block the agent remembers, lookEvery the
	// least time between two of them, and enoughLooks how many it needs to doubt the
	// local clock.
	clockLooks  = 5
	lookEvery   = 20 * time.Second
	enoughLooks = 3
	// maxSpread is how much looks may differ: the time between two blocks and some more.
	// Behind a node that catches up they differ by far more.
	maxSpread = time.Minute
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
	newest time.Time // block
	looked time.Time // when it was seen, by the steady clock
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
	first, now := c.newest.IsZero(), c.steady()
	if !block.After(c.newest) || now.Sub(c.looked) < lookEvery {
		return
	}
	c.newest, c.looked = block, now
	if first {
		return
	}
	c.lags = append(c.lags, now.Sub(block))
	c.lags = c.lags[max(0, len(c.lags)-clockLooks):]
}

// lag is what block time is behind the steady clock; ok is false while that can't be
// told. A block is seen late and the first one after a halt bears a time from before
// it, but none comes from the future: the least is the nearest to the truth.
func (c *blockClock) lag() (least time.Duration, ok bool) {
	if len(c.lags) < enoughLooks {
		return 0, false
	}
	least = slices.Min(c.lags)
	return least, slices.Max(c.lags)-least <= maxSpread
}

// correction is the lag, or 0 when the steady clock is about right.
func (c *blockClock) correction() time.Duration {
	if lag, ok := c.lag(); ok && lag.Abs() > MaxSkew {
		return lag
	}
	return 0
}

// skew is the local clock minus block time: what the wall clock says now against the
// last blocks. It is 0 while that can't be told.
func (c *blockClock) skew() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	lag, ok := c.lag()
	if !ok {
		return 0
	}
	return time.Now().Round(0).Sub(c.steady()) + lag
}

// warn tells, once while it lasts, that the local clock is wrong.
func (c *blockClock) warn() bool {
	wrong := c.skew().Abs() > MaxSkew
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := wrong && !c.warned
	c.warned = wrong
	return fresh
}
