package probe

import (
	"net"
	"sync"
	"time"
)

// shape is the speed of a host's line in bits per second; 0 for as fast as it goes.
type shape struct{ up, down float64 }

// line is what all connections of a host share.
type line struct{ up, down *bucket }

func newLine(s shape) *line {
	if s.up == 0 && s.down == 0 {
		return nil
	}
	return &line{up: &bucket{rate: s.up / 8}, down: &bucket{rate: s.down / 8}}
}

// carry puts a connection on the line.
func (l *line) carry(c net.Conn) net.Conn {
	if l == nil {
		return c
	}
	return &shapedConn{Conn: c, line: l}
}

// bucket lets so many bytes a second through, a few milliseconds at a time.
type bucket struct {
	rate float64
	mu   sync.Mutex
	next time.Time
}

func (b *bucket) pass(n int) {
	b.mu.Lock()
	now := time.Now()
	if now.Sub(b.next) > burst { // a line that idles saves up no more than this
		b.next = now.Add(-burst)
	}
	b.next = b.next.Add(time.Duration(float64(n) / b.rate * float64(time.Second)))
	next := b.next
	b.mu.Unlock()
	time.Sleep(time.Until(next))
}

const (
	piece = 4 << 10
	// burst makes up for a machine that wakes a sleeper late.
	burst = 30 * time.Millisecond
)

type shapedConn struct {
	net.Conn
	line *line
}

func (c *shapedConn) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		end := min(n+piece, len(p))
		c.line.up.pass(end - n)
		m, err = c.Conn.Write(p[n:end])
		n += m
	}
	return n, err
}

func (c *shapedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p[:min(len(p), piece)])
	c.line.down.pass(n)
	return n, err
}

type shapedListener struct {
	net.Listener
	line *line
}

func (l shapedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.line.carry(c), nil
}
