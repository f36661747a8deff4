package keystore

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// aceSID returns the identity that an entry is for: it starts at SidStart.
func aceSID(ace *windows.ACCESS_ALLOWED_ACE) *windows.SID {
	return (*windows.SID)(unsafe.Pointer(&ace.SidStart))
}

// DPAPI seals secrets by the Windows Data Protection API: a stolen disk or a copied
// file opens on no other machine.
type DPAPI struct {
	// Machine lets every process of this machine open the secret, and not only
	// this user's. The file's access list then keeps the others out. A service
	// needs it: it runs as another user than the one who ran init.
	Machine bool
}

var _ Sealer = DPAPI{}

// purpose is mixed into the sealing, so that no other program's blob opens here.
var purpose = []byte("grafi-agent key v1")

// platformSealer seals for the machine in the system's folder and for the user in
// a user's own.
func platformSealer(dir string) Sealer {
	system := filepath.Join(os.Getenv("ProgramData"), "")
	return DPAPI{Machine: system != "" && strings.HasPrefix(strings.ToLower(dir), strings.ToLower(system)+`\`)}
}

// Label implements Sealer.
func (d DPAPI) Label() string { return "dpapi" }

// Seal implements Sealer.
func (d DPAPI) Seal(secret []byte) ([]byte, error) {
	flags := uint32(windows.CRYPTPROTECT_UI_FORBIDDEN)
	if d.Machine {
		flags |= windows.CRYPTPROTECT_LOCAL_MACHINE
	}
	var out windows.DataBlob
	if err := windows.CryptProtectData(blob(secret), nil, blob(purpose), 0, nil, flags, &out); err != nil {
		return nil, fmt.Errorf("CryptProtectData: %w", err)
	}
	return take(&out)
}

// Open implements Sealer.
func (d DPAPI) Open(sealed []byte) ([]byte, error) {
	var out windows.DataBlob
	err := windows.CryptUnprotectData(blob(sealed), nil, blob(purpose), 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, &out)
	if err != nil {
		return nil, fmt.Errorf("CryptUnprotectData: %w", err)
	}
	return take(&out)
}

func blob(b []byte) *windows.DataBlob {
	if len(b) == 0 {
		return &windows.DataBlob{}
	}
	return &windows.DataBlob{Size: uint32(len(b)), Data: &b[0]}
}

// take copies what Windows allocated, wipes it and gives it back.
func take(b *windows.DataBlob) ([]byte, error) {
	given := unsafe.Slice(b.Data, b.Size)
	out := bytes.Clone(given)
	clear(given)
	if _, err := windows.LocalFree(windows.Handle(unsafe.Pointer(b.Data))); err != nil {
		return nil, fmt.Errorf("LocalFree: %w", err)
	}
	return out, nil
}
