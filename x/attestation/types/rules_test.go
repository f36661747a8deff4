package types_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/attestation/types"
)

func TestSlots(t *testing.T) {
	p := types.DefaultParams()
	at := time.Unix
	for name, tc := range map[string]struct {
		t    time.Time
		want uint64
	}{
		"the first second":           {at(0, 0), 0},
		"before 1970":                {at(-1, 0), 0},
		"the last moment of a slot":  {at(599, 999_999_999), 0},
		"the first moment of a slot": {at(600, 0), 1},
		"in 2026":                    {at(1_767_225_600, 0), 2_945_376},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.want, p.SlotAt(tc.t)) })
	}
	require.EqualValues(t, 20_454, p.DayOf(2_945_376))
	require.Equal(t, 24*time.Hour, p.DayLength())
	_, ok := p.LastClosable(at(599, 0))
	require.False(t, ok, "nothing is closed in slot 0")
	require.True(t, p.SlotStart(1<<64-1).After(at(0, 0)), "the largest slot is no overflow")
}

func TestSlotLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := types.DefaultParams()
		p.SlotSeconds = rapid.Uint32Range(1, 3_600).Draw(rt, "slot seconds")
		p.SlotsPerDay = rapid.Uint32Range(1, 255).Draw(rt, "slots per day")
		now := time.Unix(rapid.Int64Range(3_600, 1<<33).Draw(rt, "unix"), rapid.Int64Range(0, 999_999_999).Draw(rt, "nanos"))
		slot := p.SlotAt(now)
		if now.Before(p.SlotStart(slot)) || !now.Before(p.SlotStart(slot+1)) {
			rt.Fatalf("%s is not within slot %d, %s to %s", now, slot, p.SlotStart(slot), p.SlotStart(slot+1))
		}
		if closed, ok := p.LastClosable(now); !ok || closed != slot-1 {
			rt.Fatalf("in slot %d the newest closed one is %d", slot, closed)
		}
		day := p.DayOf(slot)
		if slot < p.FirstSlotOf(day) || slot >= p.FirstSlotOf(day+1) {
			rt.Fatalf("slot %d is not in day %d", slot, day)
		}
		anchor := types.Anchor{Time: now}
		judged := p.JudgedAt(now)
		if p.Accepts(&anchor, judged) || !p.Accepts(&anchor, judged.Add(-time.Second)) {
			rt.Fatalf("judged at %s, but still accepted then, or not a second before", judged)
		}
	})
}

func TestBitmapLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := map[uint64]bool{}
		var b types.Bitmap
		var c types.Counts
		counts := map[uint64]uint32{}
		for _, i := range rapid.SliceOfN(rapid.Uint64Range(0, types.BucketSize-1), 0, 300).Draw(rt, "positions") {
			b, c = b.Set(i), c.Add(i)
			want[i] = true
			counts[i]++
		}
		for i := range uint64(types.BucketSize + 8) {
			if b.Get(i) != want[i] {
				rt.Fatalf("bit %d is %t", i, b.Get(i))
			}
			if c.Get(i) != min(counts[i], 255) {
				rt.Fatalf("count %d is %d, want %d", i, c.Get(i), counts[i])
			}
		}
		if b.Count() != len(want) {
			rt.Fatalf("count %d, want %d", b.Count(), len(want))
		}
		if n := len(b); n > types.BucketSize/8 || (n > 0 && b[n-1] == 0) {
			rt.Fatalf("%d bytes, the last of them %v: not compact", n, b)
		}
		if n := len(c); n > types.BucketSize || (n > 0 && c[n-1] == 0) {
			rt.Fatalf("%d counters: not compact", n)
		}
	})
}

func TestPlaceGPUs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		next := uint64(0)
		for _, capacity := range rapid.SliceOfN(rapid.Uint32Range(1, 256), 1, 100).Draw(rt, "capacities") {
			first, after := types.PlaceGPUs(next, capacity)
			firstBucket, _ := types.Bucket(first)
			lastBucket, _ := types.Bucket(after - 1)
			if first < next || after-first != uint64(capacity) || firstBucket != lastBucket {
				rt.Fatalf("next %d, capacity %d: placed at %d to %d", next, capacity, first, after)
			}
			if first-next >= uint64(capacity) {
				rt.Fatalf("skipped %d indexes for a capacity of %d", first-next, capacity)
			}
			next = after
		}
	})
}

func TestMatchClass(t *testing.T) {
	classes := append(types.DefaultClasses(), types.SimClass())
	for name, tc := range map[string]struct {
		card string
		mib  uint64
		want string
	}{
		"H100 SXM":           {"NVIDIA H100 80GB HBM3", 81_559, "nvidia-h100-80gb-sxm"},
		"letter case":        {"nvidia h100 80gb hbm3", 81_559, "nvidia-h100-80gb-sxm"},
		"H100 PCIe":          {"NVIDIA H100 PCIe", 81_559, "nvidia-h100-80gb-pcie"},
		"H200":               {"NVIDIA H200", 143_771, "nvidia-h200"},
		"B200":               {"NVIDIA B200", 183_359, "nvidia-b200"},
		"A100 80":            {"NVIDIA A100-SXM4-80GB", 81_920, "nvidia-a100-80gb"},
		"A100 40":            {"NVIDIA A100-SXM4-40GB", 40_960, "nvidia-a100-40gb"},
		"A100 of old driver": {"A100-SXM4-40GB", 40_536, "nvidia-a100-40gb"},
		"L40S":               {"NVIDIA L40S", 46_068, "nvidia-l40s"},
		"RTX 4090":           {"NVIDIA GeForce RTX 4090", 24_564, "nvidia-rtx-4090"},
		"RTX 3090 Ti":        {"NVIDIA GeForce RTX 3090 Ti", 24_564, "nvidia-rtx-3090"},
		"simulated":          {"Grafilab SIM GPU 3", 1_024, "sim"},
		"4090 D is no 4090":  {"NVIDIA GeForce RTX 4090 D", 24_564, ""},
		"a MIG slice":        {"NVIDIA H100 80GB HBM3 MIG 1g.10gb", 9_728, ""},
		"too little memory":  {"NVIDIA H100 80GB HBM3", 40_000, ""},
		"prefix of a name":   {"NVIDIA H100 80GB HBM", 81_559, ""},
		"no name":            {"", 81_559, ""},
		"mobile RTX 4090":    {"NVIDIA GeForce RTX 4090 Laptop GPU", 16_376, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := types.MatchClass(classes, tc.card, tc.mib)
			require.Equal(t, tc.want != "", ok)
			require.Equal(t, tc.want, got.Key)
		})
	}
	for _, c := range types.DefaultClasses() {
		require.NoError(t, c.Validate(), c.Key)
		require.NotEqual(t, types.SimClassKey, c.Key, "simulated GPUs are no default")
		require.False(t, c.Calibrated)
		require.Contains(t, c.Source, "estimate")
	}
}

func TestMatchIsDeterministic(t *testing.T) {
	class := func(key string, patterns ...string) types.HardwareClass {
		return types.HardwareClass{Key: key, NamePatterns: patterns, MinMemoryMib: 1, MaxMemoryMib: 100}
	}
	classes := []types.HardwareClass{
		class("b-any", "*"), class("a-any", "*"), class("nvidia", "NVIDIA*"), class("z-h100", "NVIDIA H100*"), class("h100", "*IDIA H100*"),
	}
	for name, want := range map[string]string{
		"AMD":           "a-any",  // equal length: the smaller key
		"NVIDIA A":      "nvidia", // the longer pattern
		"NVIDIA H100 X": "z-h100",
	} {
		rapid.Check(t, func(rt *rapid.T) {
			shuffled := rapid.Permutation(classes).Draw(rt, "order")
			got, ok := types.MatchClass(shuffled, name, 50)
			if !ok || got.Key != want {
				rt.Fatalf("%q is of %q, want %q", name, got.Key, want)
			}
		})
	}
}

// TestGlobAgainstSplit compares with another way to say the rule, for patterns
// with stars: the parts between them occur in order, the outer ones at the ends.
func TestGlobAgainstSplit(t *testing.T) {
	letters := rapid.StringOfN(rapid.RuneFrom([]rune("ab*")), 1, 12, -1)
	rapid.Check(t, func(rt *rapid.T) {
		pattern := letters.Draw(rt, "pattern")
		name := rapid.StringOfN(rapid.RuneFrom([]rune("aAbB")), 0, 14, -1).Draw(rt, "name")
		_, got := types.MatchClass([]types.HardwareClass{{Key: "k", NamePatterns: []string{pattern}, MaxMemoryMib: 1}}, name, 1)
		if want := globBySplit(pattern, strings.ToLower(name)); got != want {
			rt.Fatalf("%q matches %q: %t, want %t", pattern, name, got, want)
		}
	})
}

func globBySplit(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	name = name[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return len(name) >= len(last) && strings.HasSuffix(name, last)
}

func TestWeightChange(t *testing.T) {
	for _, tc := range []struct {
		old, updated, limit uint64
		ok                  bool
	}{
		{100, 120, 200_000, true}, {100, 121, 200_000, false}, {100, 80, 200_000, true}, {100, 79, 200_000, false},
		{100, 100, 1, true}, {4, 5, 200_000, false}, {0, types.MaxWeightPPM, 1, true}, {5, 0, types.PPM, true},
		{types.MaxWeightPPM, types.MaxWeightPPM, types.PPM, true},
	} {
		err := types.CheckWeightChange(tc.old, tc.updated, tc.limit)
		require.Equal(t, tc.ok, err == nil, "%d to %d within %d PPM: %v", tc.old, tc.updated, tc.limit, err)
	}
}

// TestSignBytes pins what is signed: agents of every version depend on it.
func TestSignBytes(t *testing.T) {
	doc := types.AttestationDoc{
		ChainId: "grafi-1", HostId: 7, Slot: 2_945_376, AnchorHeight: 100, AnchorHash: []byte{1, 2}, Generation: 3,
		Down: []byte{4}, NotRunning: []uint64{5, 300}, DetailRoot: []byte{6},
	}
	canonical := append([]byte{}, "\x0a\x07grafi-1\x10\x07\x18\xe0\xe2\xb3\x01\x20\x64\x2a\x02\x01\x02\x30\x03\x3a\x01\x04\x42\x03\x05\xac\x02\x4a\x01\x06"...)
	digest := sha256.Sum256(canonical)
	got, err := doc.SignBytes()
	require.NoError(t, err)
	require.Equal(t, append([]byte("grafi/attestation/v1"), digest[:]...), got)
}

func TestAgentKeys(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	public := key.Public().(ed25519.PublicKey)
	require.NoError(t, types.ValidateAgentKey(public))
	require.True(t, types.Verify(public, []byte("x"), ed25519.Sign(key, []byte("x"))))
	require.False(t, types.Verify(public, []byte("y"), ed25519.Sign(key, []byte("x"))))
	require.False(t, types.Verify(public[:31], []byte("x"), ed25519.Sign(key, []byte("x"))))
	require.False(t, types.Verify(public, []byte("x"), nil))
	nonCanonical := append([]byte{0xee}, make([]byte, 31)...) // p + 1: another encoding of the neutral element
	for i := 1; i < 31; i++ {
		nonCanonical[i] = 0xff
	}
	nonCanonical[31] = 0x7f
	for name, key := range map[string][]byte{
		"empty": nil, "long": make([]byte, 33), "order 4": make([]byte, 32), "order 1": append([]byte{1}, make([]byte, 31)...),
		"not canonical": nonCanonical, "no point": append([]byte{2}, make([]byte, 31)...),
	} {
		require.ErrorIs(t, types.ValidateAgentKey(key), types.ErrInvalidAgentKey, name)
	}
}
