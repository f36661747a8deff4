//go:build linux

package gpu_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkSample measures the processor time of a sample of eight GPUs by each backend,
// on the stub, which answers at once: a driver's own time comes on top.
func BenchmarkSample(b *testing.B) {
	for _, backend := range backends {
		b.Run(backend.name, func(b *testing.B) {
			backend.prepare(b)
			lib := backend.stub(b, "-DCOUNT=8")
			b.ResetTimer()
			s := backend.mustPlay(b, lib, "sample", fmt.Sprintf("bench %d", b.N))
			require.Empty(b, s[1].Err)
			b.ReportMetric(float64(s[1].PerCall.Nanoseconds()), "cpu-ns/sample")
		})
	}
}

// TestSampleIsCheap holds a sample of eight GPUs below a tenth of the agent's budget, a
// hundredth of a core, at its ten seconds between samples.
func TestSampleIsCheap(t *testing.T) {
	b := backends[0]
	b.prepare(t)
	s := b.mustPlay(t, b.stub(t, "-DCOUNT=8"), "sample", "bench 100")
	require.Empty(t, s[1].Err)
	require.Positive(t, s[1].PerCall)
	require.Less(t, s[1].PerCall, 10*time.Millisecond)
}
