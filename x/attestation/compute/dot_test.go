package compute

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestDotAgrees holds the fast product against one written in the plainest way.
func TestDotAgrees(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := 8 * rapid.IntRange(0, 40).Draw(rt, "eights")
		a := rapid.SliceOfN(rapid.Byte(), n, n).Draw(rt, "a")
		b := rapid.SliceOfN(rapid.Byte(), n, n).Draw(rt, "b")
		want := int64(0)
		for i := range a {
			want += int64(int8(a[i])) * int64(int8(b[i]))
		}
		require.Equal(rt, uint32(want), Dot(a, b))
		require.Equal(rt, uint32(want), dotGeneric(a, b))
	})
}

func TestDotWraps(t *testing.T) {
	// 2^18 products of (-128)² are 2^32, one fewer is 2^32 - 2^14.
	a := bytes.Repeat([]byte{0x80}, 1<<18)
	require.Zero(t, Dot(a, a))
	a[5] = 0
	require.Equal(t, uint32(1<<32-1<<14), Dot(a, a))
	require.Equal(t, Dot(a, a), dotGeneric(a, a))
}
