package keystore_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
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
		func(p string) (any, error) { return keystore.CreateAgentKey(p) },
		func(p string) (any, error) { return keystore.LoadAgentKey(p) },
	},
	"encryption": {
		func(p string) (any, error) { return keystore.CreateEncryptionKey(p) },
		func(p string) (any, error) { return keystore.LoadEncryptionKey(p) },
	},
	"fee": {
		func(p string) (any, error) { return keystore.CreateFeeKey(p) },
		func(p string) (any, error) { return keystore.LoadFeeKey(p) },
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
	dir := t.TempDir()
	path := filepath.Join(dir, "agent.key")
	_, err := keystore.CreateAgentKey(path)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(path, 0o440))

	require.Equal(t, "/etc/agent.key", keystore.Locate("/etc/agent.key", "agent.key"))
	_, err = keystore.LoadAgentKey(path)
	require.ErrorIs(t, err, keystore.ErrUnsafe, "0440 is fine for a credential only")

	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	require.Equal(t, path, keystore.Locate("/etc/agent.key", "agent.key"))
	require.Equal(t, "/etc/fee.key", keystore.Locate("/etc/fee.key", "fee.key"), "no such credential")
	_, err = keystore.LoadAgentKey(path)
	require.NoError(t, err)
}

func TestImportFeeKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fee.key")
	_, err := keystore.ImportFeeKey(path, "abcd")
	require.ErrorIs(t, err, keystore.ErrMalformed)
	require.NotContains(t, err.Error(), "abcd")

	want := hex.EncodeToString(make([]byte, 31)) + "01"
	key, err := keystore.ImportFeeKey(path, want+"\n")
	require.NoError(t, err)
	require.Equal(t, want, hex.EncodeToString(key.Key))
}

func TestSignDoc(t *testing.T) {
	k, err := keystore.CreateAgentKey(filepath.Join(t.TempDir(), "k"))
	require.NoError(t, err)
	h := sha256.Sum256([]byte("doc"))
	sig := k.SignDoc("grafi/attestation/v1", []byte("doc"))
	require.True(t, ed25519.Verify(k.PublicKey(), append([]byte("grafi/attestation/v1"), h[:]...), sig))
}
