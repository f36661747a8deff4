package token

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrReplayed says that a token was used before.
var ErrReplayed = errors.New("token was used before")

// ErrSeenFull says that too many unexpired tokens are remembered.
var ErrSeenFull = errors.New("too many tokens in a short time")

// Seen remembers tokens until they expire, at most a fixed number of them. When
// it is full it refuses new ones: forgetting one would allow its replay.
type Seen struct {
	mu     sync.Mutex
	limit  int
	expiry map[string]time.Time // by renter and jti
	swept  time.Time
}

// NewSeen returns a memory for limit tokens.
func NewSeen(limit int) *Seen { return &Seen{limit: limit, expiry: make(map[string]time.Time)} }

// Use marks a verified token as used.
//
// Errors: ErrReplayed, ErrSeenFull.
func (s *Seen) Use(c Claims, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := c.Issuer + "/" + c.ID
	if exp, ok := s.expiry[key]; ok && now.Before(exp) {
		return fmt.Errorf("%w: jti %q", ErrReplayed, c.ID)
	}
	if len(s.expiry) >= s.limit || now.Sub(s.swept) > time.Minute {
		for k, exp := range s.expiry {
			if !now.Before(exp) {
				delete(s.expiry, k)
			}
		}
		s.swept = now
	}
	if len(s.expiry) >= s.limit {
		return fmt.Errorf("%w: %d are remembered", ErrSeenFull, s.limit)
	}
	s.expiry[key] = c.ExpiresAt.Time
	return nil
}
