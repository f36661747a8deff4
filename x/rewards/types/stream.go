package types

import (
	"time"

	"cosmossdk.io/math"
)

// StreamDue returns what the validators' stream must mint in a block at now:
// what has flowed by then, less what was minted before. Nothing is due before
// interval has passed since the last time, unless the stream has ended: the last
// unit then needs no further block. The sum of all that was due is total, exactly.
//
// Source: protocol §4 "a second fixed stream".
func StreamDue(total, minted math.Int, start, end, last, now time.Time, interval time.Duration) math.Int {
	if now.Before(last.Add(interval)) && now.Before(end) {
		return math.ZeroInt()
	}
	return math.MaxInt(math.ZeroInt(), Linear(total, start, end, now).Sub(minted))
}

// Due returns what a block at now must mint; see StreamDue.
func (s Stream) Due(now time.Time, interval time.Duration) math.Int {
	return StreamDue(s.Total, s.Minted, s.StartsAt, s.EndsAt, s.LastMintedAt, now, interval)
}
