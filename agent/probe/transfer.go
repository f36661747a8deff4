package probe

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	pings = 5
	// drainTime is how long what a sender has in its buffers may still arrive.
	drainTime = 12 * time.Second
	// agreePart and agreeSlack are how much the times of the two ends of a transfer
	// may differ: by the part of the time, and by what the ends' scheduling takes.
	agreePart  = 4 // a quarter
	agreeSlack = 10 * time.Millisecond
)

// errDisagree means that the other side's figures are not what this side saw.
var errDisagree = errors.New("figures disagree")

// payload is what is transferred. TLS encrypts it, so that nothing on the way can
// shorten it.
var payload = sync.OnceValue(func() []byte {
	b := append(header(frameData, chunkSize), make([]byte, chunkSize)...)
	_, _ = rand.Read(b[headerSize:]) // never fails
	return b
})

// ping returns the shortest of some round trips.
func ping(rw io.ReadWriter) (time.Duration, error) {
	best := time.Duration(0)
	for range pings {
		began := time.Now()
		if err := send(rw, framePing, struct{}{}); err != nil {
			return 0, err
		}
		if err := receive(rw, framePong, &struct{}{}); err != nil {
			return 0, err
		}
		if took := time.Since(began); best == 0 || took < best {
			best = took
		}
	}
	return max(best, time.Microsecond), nil
}

// pong answers the other side's pings.
func pong(rw io.ReadWriter) error {
	for range pings {
		if err := receive(rw, framePing, &struct{}{}); err != nil {
			return err
		}
		if err := send(rw, framePong, struct{}{}); err != nil {
			return err
		}
	}
	return nil
}

// upload sends until a limit is met, and returns what the receiver measured if
// that agrees with what the sender saw.
func upload(rw io.ReadWriter, maxBytes uint64, maxTime, rtt time.Duration) (figures, error) {
	began := time.Now()
	var sent uint64
	for sent < maxBytes && time.Since(began) < maxTime {
		if _, err := rw.Write(payload()); err != nil {
			return figures{}, err
		}
		sent += chunkSize
	}
	if err := send(rw, frameEnd, struct{}{}); err != nil {
		return figures{}, err
	}
	var got figures
	if err := receive(rw, frameAck, &got); err != nil {
		return figures{}, err
	}
	own := max(time.Since(began)-rtt, time.Microsecond)
	return got, agree(got, sent, own)
}

// agree checks the receiver's figures against the sender's: the bytes that it
// counted can't be more than were sent, and they took as long as at the sender's
// own rate.
func agree(got figures, sent uint64, own time.Duration) error {
	if got.Bytes > sent || got.Micros == 0 || got.Micros > uint64(2*sessionTime.Microseconds()) {
		return fmt.Errorf("%w: %d bytes in %d µs of %d bytes sent", errDisagree, got.Bytes, got.Micros, sent)
	}
	claimed := time.Duration(got.Micros) * time.Microsecond
	seen := time.Duration(float64(own) * float64(got.Bytes) / float64(sent))
	if d := (claimed - seen).Abs(); d > seen/agreePart+agreeSlack {
		return fmt.Errorf("%w: %d bytes in %s, seen %s", errDisagree, got.Bytes, claimed, seen)
	}
	return nil
}

// download receives, measures and acknowledges. What arrives after maxTime is
// taken and not counted: it was in the sender's buffers.
func download(rw io.ReadWriter, r *bufio.Reader, maxBytes uint64, maxTime time.Duration) (figures, error) {
	var total uint64
	var began, counted time.Time
	var got figures
	for {
		kind, size, err := readHeader(r)
		if err != nil {
			return got, err
		}
		if began.IsZero() {
			began = time.Now()
		}
		if kind == frameEnd {
			if _, err := r.Discard(size); err != nil {
				return got, err
			}
			break
		}
		if total += uint64(size); kind != frameData || total > maxBytes+chunkSize {
			return got, fmt.Errorf("%w: frame %d after %d bytes, at most %d", errProtocol, kind, total, maxBytes)
		}
		if _, err := r.Discard(size); err != nil {
			return got, err
		}
		now := time.Now()
		if since := now.Sub(began); since > maxTime+drainTime {
			return got, fmt.Errorf("%w: transfer takes %s", errProtocol, since)
		} else if since <= maxTime || counted.IsZero() {
			got.Bytes, counted = total, now
		}
	}
	if counted.IsZero() {
		return got, fmt.Errorf("%w: nothing was transferred", errProtocol)
	}
	got.Micros = uint64(max(counted.Sub(began).Microseconds(), 1))
	return got, send(rw, frameAck, got)
}
