package keystore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// makePrivateDir makes the folder, and those above it that are missing, with an
// access list of their own. What is made in them inherits it.
func makePrivateDir(dir string) error {
	if fi, err := os.Stat(dir); err == nil && fi.IsDir() {
		return nil
	}
	if err := makePrivateDir(filepath.Dir(dir)); err != nil {
		return err
	}
	return withAccess(dir, func(name *uint16, sa *windows.SecurityAttributes) error {
		if err := windows.CreateDirectory(name, sa); err != nil && !errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
			return err
		}
		return nil
	})
}

// createPrivate makes a new file that has its access list from the start.
func createPrivate(path string) (f *os.File, err error) {
	err = withAccess(path, func(name *uint16, sa *windows.SecurityAttributes) error {
		h, err := windows.CreateFile(name, windows.GENERIC_WRITE, 0, sa, windows.CREATE_NEW, windows.FILE_ATTRIBUTE_NORMAL, 0)
		if err == nil {
			f = os.NewFile(uintptr(h), path)
		}
		return err
	})
	return f, err
}

// withAccess calls make with an access list of this user, the system and the
// administrators, to which nothing from the folder above is added.
func withAccess(path string, make func(name *uint16, sa *windows.SecurityAttributes) error) error {
	me, err := currentUser()
	if err != nil {
		return err
	}
	sd, err := windows.SecurityDescriptorFromString(fmt.Sprintf("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;%s)", me))
	if err != nil {
		return fmt.Errorf("access list: %w", err)
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	sa := &windows.SecurityAttributes{SecurityDescriptor: sd}
	sa.Length = uint32(unsafe.Sizeof(*sa))
	if err := make(name, sa); err != nil {
		return &os.PathError{Op: "create", Path: path, Err: err}
	}
	return nil
}

// openNoFollow opens a file for reading, and no link.
func openNoFollow(path string) (*os.File, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if fi.Mode()&(os.ModeSymlink|os.ModeIrregular) != 0 {
		return nil, fmt.Errorf("%w: %s is a link", ErrUnsafe, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	return f, nil
}

// private checks that the access list lets in nobody but this user, the owner's
// system and its administrators. The mode is Unix's and means nothing here.
func private(_ os.FileInfo, path string, _ os.FileMode) error {
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("access list of %s: %w", path, err)
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("access list of %s: %w", path, err)
	}
	if dacl == nil {
		return fmt.Errorf("%w: %s has no access list: everybody can read it", ErrUnsafe, path)
	}
	me, err := currentUser()
	if err != nil {
		return err
	}
	for i := uint32(0); i < uint32(dacl.AceCount); i++ {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(dacl, i, &ace); err != nil {
			return fmt.Errorf("access list of %s: %w", path, err)
		}
		if ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE || ace.Mask&readable == 0 {
			continue // it takes rights away, or gives none that matter
		}
		sid := aceSID(ace)
		if sid.Equals(me) || sid.IsWellKnown(windows.WinLocalSystemSid) || sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) {
			continue
		}
		return fmt.Errorf("%w: %s can be read or written by %s (mend it with: icacls %q /inheritance:r /grant:r \"%%USERNAME%%:F\")",
			ErrUnsafe, path, sid, path)
	}
	return nil
}

// readable are the rights with which somebody has the key or can replace it.
const readable = windows.FILE_READ_DATA | windows.FILE_WRITE_DATA | windows.GENERIC_READ | windows.GENERIC_WRITE |
	windows.GENERIC_ALL | windows.WRITE_DAC | windows.WRITE_OWNER

func currentUser() (*windows.SID, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, fmt.Errorf("this process's user: %w", err)
	}
	return user.User.Sid, nil
}

// syncDir: NTFS journals its folders, and Windows has no call for it.
func syncDir(string) error { return nil }
