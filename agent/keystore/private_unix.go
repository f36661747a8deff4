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

// protect has nothing to do: what is made here has mode 0600 or 0700.
func protect(string) error { return nil }

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
