//go:build linux

package prove_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/prove"
	"github.com/grafilab/grafi/x/attestation/compute"
)

const (
	firstGPU  = "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f"
	secondGPU = "GPU-10111213-1415-1617-1819-1a1b1c1d1e1f"
)

// TestKernelsAgreeWithTheReference runs the whole path: driver calls, memory,
// kernels (compiled for the host), openings.
func TestKernelsAgreeWithTheReference(t *testing.T) {
	f := newFake(t)
	c := f.open(t)
	for name, w := range works() {
		t.Run(name, func(t *testing.T) {
			if w.N > 1024 {
				t.Skip("only for a card")
			}
			p, err := c.Prove(t.Context(), firstGPU, w)
			require.NoError(t, err)
			defer p.Close()
			checkAgainstReference(t, w, p, 32)
			require.Zero(t, f.used(), "memory of the GPU is given back")
		})
	}
}

func TestDevices(t *testing.T) {
	c := newFake(t).open(t)
	require.Len(t, c.Devices(), 2)
	require.Equal(t, firstGPU, c.Devices()[0].UUID)
	w := works()["smallest"]
	for _, name := range []string{secondGPU, strings.ToUpper(secondGPU), "0000:3C:00.0", "00000000:3c:00.0"} {
		p, err := c.Prove(t.Context(), name, w)
		require.NoError(t, err, name)
		p.Close()
	}
	for _, name := range []string{"", "GPU-0", "0000:3d:00.0", "MIG-" + firstGPU} {
		_, err := c.Prove(t.Context(), name, w)
		require.ErrorIs(t, err, prove.ErrNoDevice, name)
	}
}

func TestSeveralGPUsAtOnce(t *testing.T) {
	f := newFake(t)
	c := f.open(t)
	var wg sync.WaitGroup
	for i, gpu := range []string{firstGPU, secondGPU, firstGPU, secondGPU} {
		wg.Go(func() {
			w := compute.Work{N: 64, M: 64, Rounds: 3, Seed: compute.Hash{byte(i)}}
			p, err := c.Prove(t.Context(), gpu, w)
			if err != nil {
				t.Error(err)
				return
			}
			defer p.Close()
			want, err := compute.Prove(w)
			if err != nil || want.Commitment != p.Commitment() {
				t.Errorf("proof %d differs: %v", i, err)
			}
		})
	}
	wg.Wait()
	require.Zero(t, f.used())
}

// TestDriverFaults breaks one thing at a time; each is told, and nothing leaks.
func TestDriverFaults(t *testing.T) {
	f := newFake(t)
	w := works()["walk"]

	_, err := prove.OpenCUDA(filepath.Join(t.TempDir(), "libcuda.so.1"))
	require.ErrorIs(t, err, prove.ErrNoDriver)

	t.Run("no GPU", func(t *testing.T) {
		f.fault(t, "FAKECUDA_INIT", "100", "0")
		_, err := prove.OpenCUDA(f.path)
		require.ErrorIs(t, err, prove.ErrNoDriver)
	})
	t.Run("old driver", func(t *testing.T) {
		f.fault(t, "FAKECUDA_VERSION", "10020", "12040")
		_, err := prove.OpenCUDA(f.path)
		require.ErrorIs(t, err, prove.ErrDriverTooOld)
		require.ErrorContains(t, err, "CUDA 10.2")
	})
	t.Run("old card", func(t *testing.T) {
		f.fault(t, "FAKECUDA_MAJOR", "7", "8")
		_, err := f.open(t).Prove(t.Context(), firstGPU, w)
		require.ErrorIs(t, err, prove.ErrNoDevice)
		require.ErrorContains(t, err, "compute capability 7.6")
	})
	t.Run("memory in use", func(t *testing.T) {
		f.fault(t, "FAKECUDA_FREE_MIB", "63", "2048")
		_, err := f.open(t).Prove(t.Context(), firstGPU, w)
		require.ErrorIs(t, err, prove.ErrMemory)
		require.ErrorContains(t, err, "needs 64 MiB, 63 of 2048 MiB are free")
	})
	t.Run("memory taken meanwhile", func(t *testing.T) {
		f.fault(t, "FAKECUDA_NO_MEMORY", "1", "0")
		_, err := f.open(t).Prove(t.Context(), firstGPU, w)
		require.ErrorIs(t, err, prove.ErrMemory)
		require.ErrorContains(t, err, "CUDA_ERROR_OUT_OF_MEMORY")
	})
	for launch := range 11 { // 5 a round, and the walk
		t.Run("kernel fails", func(t *testing.T) {
			c := f.open(t)
			f.fault(t, "FAKECUDA_FAIL_LAUNCH", string(rune('0'+(launch+1)/10))+string(rune('0'+(launch+1)%10)), "0")
			_, err := c.Prove(t.Context(), firstGPU, w)
			require.ErrorContains(t, err, "CUDA_ERROR_LAUNCH_FAILED (719)")
			require.Zero(t, f.used())
		})
	}
	t.Run("wrong once", func(t *testing.T) {
		c := f.open(t)
		p, err := c.Prove(t.Context(), firstGPU, w)
		require.NoError(t, err)
		defer p.Close()
		f.fault(t, "FAKECUDA_FLIP_LAUNCH", "3", "0")
		_, err = p.Open(compute.Hash{1}, 8)
		require.ErrorContains(t, err, "computes wrong")
		require.Zero(t, f.used())
		_, err = p.Open(compute.Hash{1}, 8)
		require.NoError(t, err, "healthy again")
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := f.open(t).Prove(ctx, firstGPU, w)
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, f.used())
	})
}

func TestSelftest(t *testing.T) {
	f := newFake(t)
	c := f.open(t)
	r, err := c.SelftestSmall(t.Context(), secondGPU)
	require.NoError(t, err)
	require.Equal(t, []string{"golden vectors", "sums wrap modulo 2^32", "agrees with the CPU", "throughput"}, r.Checks)
	require.Equal(t, secondGPU, r.Device.UUID)
	require.InDelta(t, 4*1.5e9*2048/1e12, r.PeakTOPS, 1e-9)
	require.Positive(t, r.ProductTOPS)
	require.Positive(t, r.RoundTOPS)
	require.Positive(t, r.WalkGBps)
	require.Zero(t, f.used())

	f.fault(t, "FAKECUDA_FLIP_LAUNCH", "3", "0")
	r, err = c.SelftestSmall(t.Context(), secondGPU)
	require.ErrorContains(t, err, "golden vectors: one round: commitment is")
	require.Equal(t, []string{"golden vectors"}, r.Checks)
	require.Zero(t, f.used())
}
