package keystore

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// protect gives the file or folder an access list of its own: this user, the
// system and the administrators, and nothing inherited from the folder above.
func protect(path string) error {
	me, err := currentUser()
	if err != nil {
		return err
	}
	sddl := fmt.Sprintf("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;%s)", me)
	sd, err := windows.SecurityDescriptorFromString(sddl)
	if err != nil {
		return fmt.Errorf("access list: %w", err)
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("access list: %w", err)
	}
	err = windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil)
	if err != nil {
		return fmt.Errorf("access list of %s: %w", path, err)
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
