package keystore_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/keystore"
)

// kinds are the three keys by what they have in common.
var kinds = map[string]struct {
	create func(string) (any, error)
	load   func(string) (any, error)
}{
	"agent": {
		func(p string) (any, error) {
			return keystore.CreateAgentKey(keystore.Files{Dir: filepath.Dir(p)}, filepath.Base(p))
		},
		func(p string) (any, error) {
			return keystore.LoadAgentKey(keystore.Files{Dir: filepath.Dir(p)}, filepath.Base(p))
		},
	},
	"encryption": {
		func(p string) (any, error) {
			return keystore.CreateEncryptionKey(keystore.Files{Dir: filepath.Dir(p)}, filepath.Base(p))
		},
		func(p string) (any, error) {
			return keystore.LoadEncryptionKey(keystore.Files{Dir: filepath.Dir(p)}, filepath.Base(p))
		},
	},
	"fee": {
		func(p string) (any, error) {
			return keystore.CreateFeeKey(keystore.Files{Dir: filepath.Dir(p)}, filepath.Base(p))
		},
		func(p string) (any, error) {
			return keystore.LoadFeeKey(keystore.Files{Dir: filepath.Dir(p)}, filepath.Base(p))
		},
	},
}

func TestCreateAndLoad(t *testing.T) {
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "keys")
			path := filepath.Join(dir, "k")
			_, err := k.load(path)
			require.ErrorIs(t, err, keystore.ErrNotFound)

			made, err := k.create(path)
			require.NoError(t, err)
			loaded, err := k.load(path)
			require.NoError(t, err)
			require.Equal(t, made, loaded)

			before, err := os.ReadFile(path)
			require.NoError(t, err)
			_, err = k.create(path)
			require.ErrorIs(t, err, keystore.ErrExists)
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, before, after, "a key is never overwritten")

			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, entries, 1, "no temporary file stays behind")
			fi, err := os.Stat(path)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), fi.Mode().Perm())
		})
	}
}

func TestUnsafeFilesAreRefused(t *testing.T) {
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "k")
			_, err := k.create(path)
			require.NoError(t, err)
			for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o601, 0o700} {
				require.NoError(t, os.Chmod(path, mode))
				_, err = k.load(path)
				require.ErrorIs(t, err, keystore.ErrUnsafe, "mode %o", mode)
			}
			require.NoError(t, os.Chmod(path, 0o400))
			_, err = k.load(path)
			require.NoError(t, err)

			link := path + ".link"
			require.NoError(t, os.Symlink(path, link))
			_, err = k.load(link)
			require.ErrorIs(t, err, keystore.ErrUnsafe)
		})
	}
}

func TestMalformedFilesAreRefused(t *testing.T) {
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			for other, o := range kinds {
				if other == name {
					continue
				}
				path := filepath.Join(t.TempDir(), "k")
				_, err := o.create(path)
				require.NoError(t, err)
				_, err = k.load(path)
				require.ErrorIs(t, err, keystore.ErrMalformed, "%s key", other)
			}
			for _, content := range []string{"", "hello", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
				path := filepath.Join(t.TempDir(), "k")
				require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
				_, err := k.load(path)
				require.ErrorIs(t, err, keystore.ErrMalformed)
			}
		})
	}
}

func TestSystemdCredential(t *testing.T) {
	given, own := t.TempDir(), filepath.Join(t.TempDir(), "keys")
	key, err := keystore.CreateAgentKey(keystore.Files{Dir: given}, "agent.key")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(filepath.Join(given, "agent.key"), 0o440))
	_, err = keystore.LoadAgentKey(keystore.Files{Dir: given}, "agent.key")
	require.ErrorIs(t, err, keystore.ErrUnsafe, "0440 is fine for a credential only")
	require.Equal(t, filepath.Join(own, "agent.key"), keystore.Open(own).Where("agent.key"))

	t.Setenv("CREDENTIALS_DIRECTORY", given)
	s := keystore.Open(own)
	require.Equal(t, filepath.Join(given, "agent.key"), s.Where("agent.key"))
	require.Equal(t, filepath.Join(own, "fee.key"), s.Where("fee.key"), "no such credential")
	loaded, err := keystore.LoadAgentKey(s, "agent.key")
	require.NoError(t, err)
	require.Equal(t, key, loaded)

	_, err = keystore.CreateAgentKey(s, "agent.key")
	require.ErrorIs(t, err, keystore.ErrExists, "a credential is not shadowed by a new key")
	_, err = s.Promote("agent-next.key", "agent.key", ".old")
	require.ErrorIs(t, err, keystore.ErrReadOnly)
	fee, err := keystore.CreateFeeKey(s, "fee.key")
	require.NoError(t, err)
	again, err := keystore.LoadFeeKey(s, "fee.key")
	require.NoError(t, err)
	require.Equal(t, fee, again)

	only := keystore.Credentials{Dir: given}
	require.ErrorIs(t, only.Create("x", "KIND", nil), keystore.ErrReadOnly)
	_, err = only.Promote("a", "b", ".old")
	require.ErrorIs(t, err, keystore.ErrReadOnly)
}

// shift is a sealer whose output shows that it was used.
type shift byte

func (s shift) Label() string { return "shift" }
func (s shift) Seal(b []byte) ([]byte, error) {
	out := make([]byte, len(b))
	for i := range b {
		out[i] = b[i] + byte(s)
	}
	return out, nil
}
func (s shift) Open(b []byte) ([]byte, error) {
	if s == 13 {
		return nil, errors.New("another machine")
	}
	return (-s).Seal(b)
}

func TestSealedFiles(t *testing.T) {
	dir := t.TempDir()
	key, err := keystore.CreateFeeKey(keystore.Files{Dir: dir, Sealer: shift(1)}, "fee.key")
	require.NoError(t, err)
	raw, err := os.ReadFile(filepath.Join(dir, "fee.key"))
	require.NoError(t, err)
	require.Contains(t, string(raw), "Sealed: shift")
	block, _ := pem.Decode(raw)
	require.NotEqual(t, key.Key, block.Bytes)

	loaded, err := keystore.LoadFeeKey(keystore.Files{Dir: dir, Sealer: shift(1)}, "fee.key")
	require.NoError(t, err)
	require.Equal(t, key, loaded)
	for _, other := range []keystore.Sealer{nil, shift(13)} {
		_, err = keystore.LoadFeeKey(keystore.Files{Dir: dir, Sealer: other}, "fee.key")
		require.ErrorIs(t, err, keystore.ErrMalformed)
	}

	plain, err := keystore.CreateAgentKey(keystore.Files{Dir: dir}, "agent.key")
	require.NoError(t, err)
	got, err := keystore.LoadAgentKey(keystore.Files{Dir: dir, Sealer: shift(1)}, "agent.key")
	require.NoError(t, err, "a plain file is read where a sealer is")
	require.Equal(t, plain, got)
}

func TestPromote(t *testing.T) {
	s := keystore.Files{Dir: t.TempDir()}
	old, err := keystore.CreateAgentKey(s, "agent.key")
	require.NoError(t, err)
	next, err := keystore.CreateAgentKey(s, "agent-next.key")
	require.NoError(t, err)
	kept, err := s.Promote("agent-next.key", "agent.key", ".1.old")
	require.NoError(t, err)
	now, err := keystore.LoadAgentKey(s, "agent.key")
	require.NoError(t, err)
	require.Equal(t, next, now)
	was, err := keystore.LoadAgentKey(s, filepath.Base(kept))
	require.NoError(t, err)
	require.Equal(t, old, was)
	_, err = keystore.LoadAgentKey(s, "agent-next.key")
	require.ErrorIs(t, err, keystore.ErrNotFound)
}

func TestImportFeeKey(t *testing.T) {
	s := keystore.Files{Dir: t.TempDir()}
	_, err := keystore.ImportFeeKey(s, "fee.key", "abcd")
	require.ErrorIs(t, err, keystore.ErrMalformed)
	require.NotContains(t, err.Error(), "abcd")

	want := hex.EncodeToString(make([]byte, 31)) + "01"
	key, err := keystore.ImportFeeKey(s, "fee.key", want+"\n")
	require.NoError(t, err)
	require.Equal(t, want, hex.EncodeToString(key.Key))
}

func TestSignDoc(t *testing.T) {
	k, err := keystore.CreateAgentKey(keystore.Files{Dir: t.TempDir()}, "k")
	require.NoError(t, err)
	h := sha256.Sum256([]byte("doc"))
	sig := k.SignDoc("grafi/attestation/v1", []byte("doc"))
	require.True(t, ed25519.Verify(k.PublicKey(), append([]byte("grafi/attestation/v1"), h[:]...), sig))
}
