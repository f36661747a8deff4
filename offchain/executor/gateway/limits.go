package gateway

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"

	"github.com/grafilab/grafi/offchain/executor/manifest"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// Share is what comes with one GPU of the host. A zero field has no limit.
type Share struct {
	CPUMillis uint64
	MemoryMiB uint64
	DiskMiB   uint64
}

// check refuses a manifest that wants more than the rental has.
func (s Share) check(m manifest.Manifest, rental markettypes.Rental) error {
	gpus := uint64(len(rental.Gpus))
	disk := uint64(m.Resources.DiskBytes() >> 20)
	for _, r := range []struct {
		name       string
		want, have uint64
		unlimited  bool
	}{
		{"gpus", uint64(m.Resources.GPUs), gpus, false},
		{"cpu_millis", uint64(m.Resources.CPUMillis), s.CPUMillis * gpus, s.CPUMillis == 0},
		{"memory_mib", uint64(m.Resources.MemoryMiB), s.MemoryMiB * gpus, s.MemoryMiB == 0},
		{"disk_mib", disk, s.DiskMiB * gpus, s.DiskMiB == 0},
	} {
		if !r.unlimited && r.want > r.have {
			return fail(http.StatusUnprocessableEntity, "resources_exceeded",
				"resources.%s: the manifest wants %d, the rental of %d GPUs has %d", r.name, r.want, gpus, r.have)
		}
	}
	return nil
}

// maxKeys bounds the memory of limiters and lookups.
const maxKeys = 8192

// limiter is one token bucket per key.
type limiter struct {
	mu     sync.Mutex
	rate   rate.Limit
	burst  int
	now    func() time.Time
	bucket map[string]*rate.Limiter
}

func newLimiter(perSecond rate.Limit, burst int, now func() time.Time) *limiter {
	return &limiter{rate: perSecond, burst: burst, now: now, bucket: make(map[string]*rate.Limiter)}
}

func (l *limiter) allow(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b, ok := l.bucket[key]
	if !ok {
		if len(l.bucket) >= maxKeys {
			for k, b := range l.bucket {
				if b.TokensAt(now) >= float64(l.burst) {
					delete(l.bucket, k) // full again: as good as new
				}
			}
		}
		if len(l.bucket) >= maxKeys {
			return false
		}
		b = rate.NewLimiter(l.rate, l.burst)
		l.bucket[key] = b
	}
	return b.AllowN(now, 1)
}

// Times that an answer of the chain is used again. A rental that is not there
// yet is asked for soon again: the renter sends the manifest right after the rent.
const (
	rentalTTL  = 2 * time.Second
	missingTTL = 500 * time.Millisecond
	keyTTL     = 10 * time.Minute
)

// lookup reads the chain through a short memory, so that requests can't be
// turned into many queries.
type lookup struct {
	chain Chain
	now   func() time.Time

	mu      sync.Mutex
	rentals map[uint64]rentalEntry
	keys    map[string]keyEntry
}

type rentalEntry struct {
	rental markettypes.Rental
	found  bool
	until  time.Time
}

type keyEntry struct {
	pub   cryptotypes.PubKey
	until time.Time
}

func newLookup(c Chain, now func() time.Time) *lookup {
	return &lookup{chain: c, now: now, rentals: make(map[uint64]rentalEntry), keys: make(map[string]keyEntry)}
}

func (l *lookup) rental(ctx context.Context, id uint64) (markettypes.Rental, bool, error) {
	l.mu.Lock()
	e, ok := l.rentals[id]
	l.mu.Unlock()
	if ok && l.now().Before(e.until) {
		return e.rental, e.found, nil
	}
	r, found, err := l.chain.Rental(ctx, id)
	if err != nil {
		return r, false, err
	}
	ttl := missingTTL
	if found {
		ttl = rentalTTL
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rentals) >= maxKeys {
		clear(l.rentals)
	}
	l.rentals[id] = rentalEntry{rental: r, found: found, until: l.now().Add(ttl)}
	return r, found, nil
}

func (l *lookup) pubKey(ctx context.Context, address string) (cryptotypes.PubKey, error) {
	l.mu.Lock()
	e, ok := l.keys[address]
	l.mu.Unlock()
	if ok && l.now().Before(e.until) {
		return e.pub, nil
	}
	pub, err := l.chain.PubKey(ctx, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.keys) >= maxKeys {
		clear(l.keys)
	}
	l.keys[address] = keyEntry{pub: pub, until: l.now().Add(keyTTL)}
	return pub, nil
}
