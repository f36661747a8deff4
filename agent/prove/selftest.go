package prove

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/grafilab/grafi/testutil/golden"
	"github.com/grafilab/grafi/x/attestation/compute"
)

// SelftestResult is what a Selftest found of one GPU.
type SelftestResult struct {
	Device Device
	// Checks that were made, in order; the first that fails is the last one.
	Checks []string
	// N is the size that throughput was measured at: 2^14 where the memory allows.
	N uint32
	// ProductTOPS is what the product alone reaches, RoundTOPS whole rounds with
	// operands and hashes, as a challenge measures it: 10^12 operations a second.
	ProductTOPS, RoundTOPS float64
	// PeakTOPS is what the device's clock and multiprocessors could do in dense
	// int8; 0 for an architecture that isn't in the table.
	PeakTOPS float64
	// WalkGBps is 32 bytes (a sector of memory) for each step of the walk, in 10^9 a second.
	WalkGBps float64
}

// selftestSizes are of a card; the tests, which have none, take smaller ones.
type selftestSizes struct {
	wrapM     uint32 // 2^14 × wrapM passes 2^31 and 2^32 from 2^18 on
	against   compute.Work
	largestN  uint32
	m, rounds uint32
	walkLanes uint32
	walkSteps uint32
}

var cardSizes = selftestSizes{
	wrapM:    1 << 18,
	against:  compute.Work{N: 1024, M: 4096, Rounds: 2, WalkLanes: 4096, WalkSteps: 256, Seed: compute.Hash{1}},
	largestN: compute.MaxN, m: compute.MaxM, rounds: 8,
	walkLanes: 1 << 18, walkSteps: 256,
}

// Selftest holds one GPU against the golden vectors and against the CPU, checks
// that sums wrap modulo 2^32, and measures what it reaches. It takes about half a
// minute and the memory of the largest work. The error says which check failed;
// the result holds what came before it.
func (c *CUDA) Selftest(ctx context.Context, device string) (SelftestResult, error) {
	return c.selftest(ctx, device, cardSizes)
}

func (c *CUDA) selftest(ctx context.Context, device string, sizes selftestSizes) (SelftestResult, error) {
	index, err := c.find(device)
	if err != nil {
		return SelftestResult{}, err
	}
	r := SelftestResult{Device: c.devices[index], PeakTOPS: c.devices[index].peakTOPS()}
	for _, check := range []struct {
		name string
		run  func() error
	}{
		{"golden vectors", func() error { return c.checkVectors(ctx, device) }},
		{"sums wrap modulo 2^32", func() error { return c.checkWrap(ctx, index, sizes.wrapM) }},
		{"agrees with the CPU", func() error { return c.checkAgainstCPU(ctx, device, sizes.against) }},
		{"throughput", func() error { return c.measure(ctx, index, sizes, &r) }},
	} {
		r.Checks = append(r.Checks, check.name)
		if err := check.run(); err != nil {
			return r, fmt.Errorf("%s: %w", check.name, err)
		}
	}
	return r, nil
}

func (c *CUDA) checkVectors(ctx context.Context, device string) error {
	vectors, err := golden.ComputeVectors()
	if err != nil {
		return err
	}
	for _, v := range vectors {
		w := compute.Work{N: v.N, M: v.M, Rounds: v.Rounds, WalkLanes: v.WalkLanes, WalkSteps: v.WalkSteps, Seed: compute.Hash(v.Seed)}
		if err := c.checkVector(ctx, device, w, v); err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
	}
	return nil
}

func (c *CUDA) checkVector(ctx context.Context, device string, w compute.Work, v golden.Compute) error {
	p, err := c.Prove(ctx, device, w)
	if err != nil {
		return err
	}
	defer p.Close()
	if got := p.Commitment(); got != v.Commitment {
		return fmt.Errorf("commitment is %x, want %x", got, v.Commitment)
	}
	opening, err := p.Open(v.Beacon, int(v.Samples))
	if err != nil {
		return err
	}
	if got := sha256.Sum256(opening); got != v.OpeningDigest {
		return fmt.Errorf("opening has digest %x, want %x", got, v.OpeningDigest)
	}
	return nil
}

// checkWrap multiplies (-128)s: their sums pass 2^31, and reach 2^32, which is 0.
func (c *CUDA) checkWrap(ctx context.Context, index int, m uint32) error {
	const n = 16
	e, err := c.at(index)(ctx, compute.Work{N: n, M: compute.MinM, Rounds: 1})
	if err != nil {
		return err
	}
	defer e.close()
	ce := e.(*cudaEngine)
	var got []uint32
	rows := bytes.Repeat([]byte{0x80}, n*int(m))
	clear(rows[m : m+1])       // row 1 lacks one product of 2^14
	clear(rows[2*m : 2*m+m/2]) // row 2 lacks half of them
	err = ce.within(func() error {
		a, err := ce.borrow(uint64(len(rows)))
		if err != nil {
			return err
		}
		b, err := ce.borrow(uint64(len(rows)))
		if err != nil {
			return err
		}
		if err := ce.driver.upload(a, rows); err != nil {
			return err
		}
		if err := ce.driver.do("cuMemsetD8_v2", uintptr(b), 0x80, uintptr(len(rows))); err != nil {
			return err
		}
		return ce.product(a, b, ce.c, n, m)
	})
	if err != nil {
		return err
	}
	if got, err = ce.values(ce.c, n*n); err != nil {
		return err
	}
	for i, v := range got {
		products := m
		switch i / n {
		case 1:
			products = m - 1
		case 2:
			products = m / 2
		}
		if want := products << 14; v != want { // modulo 2^32
			return fmt.Errorf("%d products of (-128)² are %d, want %d", products, v, want)
		}
	}
	return nil
}

// borrow takes memory that is freed with the engine.
func (e *cudaEngine) borrow(size uint64) (buffer, error) {
	b, err := e.driver.alloc(size)
	if err == nil {
		e.owned = append(e.owned, b)
	}
	return b, err
}

func (c *CUDA) checkAgainstCPU(ctx context.Context, device string, w compute.Work) error {
	want, err := (&CPU{}).Prove(ctx, "", w)
	if err != nil {
		return err
	}
	defer want.Close()
	got, err := c.Prove(ctx, device, w)
	if err != nil {
		return err
	}
	defer got.Close()
	if want.Commitment() != got.Commitment() {
		return fmt.Errorf("commitment is %x, the CPU has %x", got.Commitment(), want.Commitment())
	}
	beacon := compute.Hash{2}
	opening, err := got.Open(beacon, 32)
	if err != nil {
		return err
	}
	return compute.Verify(w, got.Commitment(), beacon, 32, opening)
}

// measure times products, whole rounds and the walk, each after one to warm up.
func (c *CUDA) measure(ctx context.Context, index int, sizes selftestSizes, r *SelftestResult) error {
	w := compute.Work{N: sizes.largestN, M: sizes.m, Rounds: 1, WalkLanes: sizes.walkLanes, WalkSteps: sizes.walkSteps, Seed: compute.Hash{3}}
	e, err := c.at(index)(ctx, w)
	for err != nil && w.N > 1024 { // a card with less memory
		w.N /= 2
		e, err = c.at(index)(ctx, w)
	}
	if err != nil {
		return err
	}
	defer e.close()
	ce := e.(*cudaEngine)
	r.N = w.N
	seconds, err := timed(sizes.rounds, func() error {
		return ce.within(func() error {
			if err := ce.product(ce.a, ce.b, ce.c, w.N, w.M); err != nil {
				return err
			}
			return ce.driver.do("cuCtxSynchronize")
		})
	})
	if err != nil {
		return err
	}
	r.ProductTOPS = float64(w.Ops()) / seconds / 1e12
	seed := w.Seed
	if seconds, err = timed(sizes.rounds, func() error {
		root, err := e.round(ctx, seed)
		seed = compute.NextSeed(seed, root)
		return err
	}); err != nil {
		return err
	}
	r.RoundTOPS = float64(w.Ops()) / seconds / 1e12
	if seconds, err = timed(1, func() error {
		_, err := e.walk(ctx, seed)
		return err
	}); err != nil {
		return err
	}
	r.WalkGBps = 32 * float64(w.WalkLanes) * float64(w.WalkSteps) / seconds / 1e9
	return nil
}

// timed returns the seconds of one run, the mean of so many after a first one.
func timed(runs uint32, fn func() error) (float64, error) {
	if err := fn(); err != nil {
		return 0, err
	}
	start := time.Now()
	for range runs {
		if err := fn(); err != nil {
			return 0, err
		}
	}
	return time.Since(start).Seconds() / float64(runs), nil
}

// peakTOPS is the dense int8 rate of the tensor cores at the highest clock.
// Operations of one multiprocessor in a cycle, from NVIDIA's architecture
// whitepapers: a multiplication and an addition count as two.
func (d Device) peakTOPS() float64 {
	perCycle := map[int32]float64{
		80:  4096,  // A100
		86:  2048,  // RTX 30
		89:  2048,  // RTX 40, L40S
		90:  8192,  // H100, H200
		100: 16384, // B200
		120: 2048,  // RTX 50
	}[d.Major*10+d.Minor]
	return perCycle * float64(d.Multiprocessors) * float64(d.ClockKHz) * 1e3 / 1e12
}
