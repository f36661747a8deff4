//go:build unix

package keystore

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// platformSealer: on Linux a file's secret is as safe as root is; systemd can seal
// a credential to the machine's TPM (LoadCredentialEncrypted=).
func platformSealer(string) Sealer { return nil }

// makePrivateDir makes the folder and those above it that are missing.
func makePrivateDir(dir string) error { return os.MkdirAll(dir, 0o700) }

// createPrivate makes a new file that this user alone can open.
func createPrivate(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// openNoFollow opens a file for reading. A link could point to one that others can change.
func openNoFollow(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("%w: %s is a symbolic link", ErrUnsafe, path)
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	return f, nil
}

// private checks who can read and replace the file.
func private(fi os.FileInfo, path string, allowed os.FileMode) error {
	if mode := fi.Mode().Perm(); mode&^allowed != 0 {
		return fmt.Errorf("%w: %s has mode %04o, want at most %04o (mend it with: chmod 600 %s)", ErrUnsafe, path, mode, allowed, path)
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%w: %s belongs to user %d, want %d or root", ErrUnsafe, path, st.Uid, os.Geteuid())
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
