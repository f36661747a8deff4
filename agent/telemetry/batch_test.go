package telemetry_test

import (
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/telemetry"
)

func newKey(t testing.TB, suite, name string) (hpke.PrivateKey, string) {
	t.Helper()
	kem := hpke.DHKEM(ecdh.X25519())
	if suite == "mlkem768x25519" {
		kem = hpke.MLKEM768X25519()
	}
	key, err := kem.GenerateKey()
	require.NoError(t, err)
	return key, fmt.Sprintf("%s=%s:%s", name, suite, base64.StdEncoding.EncodeToString(key.PublicKey().Bytes()))
}

func samplesOf(n int) [][]byte {
	var out [][]byte
	for i := range n {
		out = append(out, fmt.Appendf(nil, `{"taken_at":%d,"power":%d}`, i, i*i%317))
	}
	return out
}

func TestOperatorAndRenterOpenAndOthersDoNot(t *testing.T) {
	operator, op := newKey(t, "mlkem768x25519", "operator")
	renter, rent := newKey(t, "x25519", "rental-7")
	stranger, _ := newKey(t, "x25519", "x")
	to, err := telemetry.ParseRecipients([]string{op, rent})
	require.NoError(t, err)
	samples := samplesOf(11)
	b, err := telemetry.NewBatch("grafi-1", 7, 41, samples, to)
	require.NoError(t, err)
	require.Equal(t, attest.DetailRoot(samples), b.DetailRoot, "the root is the one that is attested")
	require.NoError(t, b.Check())
	for _, key := range []hpke.PrivateKey{operator, renter} {
		got, err := b.Open(key)
		require.NoError(t, err)
		require.Equal(t, samples, got)
	}
	_, err = b.Open(stranger)
	require.ErrorIs(t, err, telemetry.ErrNotForKey)
	raw, err := json.Marshal(b)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "taken_at")
}

// TestNothingCanBeChangedOrMoved changes each part of a batch.
func TestNothingCanBeChangedOrMoved(t *testing.T) {
	key, op := newKey(t, "x25519", "operator")
	to, err := telemetry.ParseRecipients([]string{op})
	require.NoError(t, err)
	fresh := func() telemetry.Batch {
		b, err := telemetry.NewBatch("grafi-1", 7, 41, samplesOf(5), to)
		require.NoError(t, err)
		return b
	}
	other := fresh()
	for name, change := range map[string]func(*telemetry.Batch){
		"version":    func(b *telemetry.Batch) { b.Version++ },
		"chain":      func(b *telemetry.Batch) { b.ChainID = "grafi-2" },
		"host":       func(b *telemetry.Batch) { b.HostID++ },
		"slot":       func(b *telemetry.Batch) { b.Slot++ },
		"root":       func(b *telemetry.Batch) { b.DetailRoot[3] ^= 1 },
		"a leaf":     func(b *telemetry.Batch) { b.Leaves[40] ^= 1 },
		"leaves":     func(b *telemetry.Batch) { b.Leaves = b.Leaves[:64] },
		"half leaf":  func(b *telemetry.Batch) { b.Leaves = b.Leaves[:70] },
		"no leaves":  func(b *telemetry.Batch) { b.Leaves = nil },
		"enc":        func(b *telemetry.Batch) { b.Keys[0].Enc[0] ^= 1 },
		"key":        func(b *telemetry.Batch) { b.Keys[0].Key[0] ^= 1 },
		"kem":        func(b *telemetry.Batch) { b.Keys[0].KEM++ },
		"ciphertext": func(b *telemetry.Batch) { b.Ciphertext[9] ^= 1 },
		"other's":    func(b *telemetry.Batch) { b.Ciphertext = other.Ciphertext },
	} {
		b := fresh()
		_, err := b.Open(key)
		require.NoError(t, err)
		change(&b)
		_, err = b.Open(key)
		require.Error(t, err, name)
	}
}

// TestRootIsThatOfTheChain compares the tree over leaves with the agent's.
func TestRootIsThatOfTheChain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		samples := samplesOf(rapid.IntRange(1, 70).Draw(t, "samples"))
		b, err := telemetry.NewBatch("c", 1, 1, samples, nil)
		require.NoError(t, err)
		require.Equal(t, attest.DetailRoot(samples), b.DetailRoot)
	})
}

func TestRecipients(t *testing.T) {
	_, good := newKey(t, "x25519", "a")
	for _, list := range [][]string{nil, {"a"}, {"a=rsa:AAAA"}, {"a=x25519:AAAA"}, {"a=x25519:?"}, {"=" + good[2:]}, {good, good}} {
		_, err := telemetry.ParseRecipients(list)
		require.ErrorIs(t, err, telemetry.ErrRecipient, "%q", list)
	}
	got, err := telemetry.ParseRecipients([]string{good})
	require.NoError(t, err)
	require.Equal(t, "a", got[0].Name)
}

// TestWireNames are what grafi-data reads.
func TestWireNames(t *testing.T) {
	var names []string
	for _, v := range []any{telemetry.Batch{}, telemetry.SealedKey{}} {
		for i := range reflect.TypeOf(v).NumField() {
			names = append(names, reflect.TypeOf(v).Field(i).Tag.Get("json"))
		}
	}
	require.Equal(t, []string{"version", "chain_id", "host_id", "slot", "detail_root", "leaves", "keys", "ciphertext",
		"recipient", "key_id", "kem", "enc", "key"}, names)
}
