//go:build linux && cgo

package oci

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"
)

// userIDs are inside the container.
type userIDs struct {
	UID, GID uint32
	Groups   []uint32
}

const maxAccountFile = 1 << 20

// lookupUser resolves an image's user with the image's own account files.
func lookupUser(rootfs, spec string) (userIDs, error) {
	if spec == "" {
		return userIDs{}, nil
	}
	root, err := os.OpenRoot(rootfs)
	if err != nil {
		return userIDs{}, err
	}
	defer root.Close()
	passwd, err := accountFile(root, "etc/passwd")
	if err != nil {
		return userIDs{}, err
	}
	group, err := accountFile(root, "etc/group")
	if err != nil {
		return userIDs{}, err
	}
	found, err := user.GetExecUser(spec, nil, strings.NewReader(passwd), strings.NewReader(group))
	if err != nil {
		return userIDs{}, fmt.Errorf("image's user %q: %w", spec, err)
	}
	if found.Uid >= idsPerRange || found.Gid >= idsPerRange {
		return userIDs{}, fmt.Errorf("image's user %q: id %d:%d, at most %d is mapped", spec, found.Uid, found.Gid, idsPerRange-1)
	}
	ids := userIDs{UID: uint32(found.Uid), GID: uint32(found.Gid)}
	for _, gid := range found.Sgids {
		if gid < idsPerRange {
			ids.Groups = append(ids.Groups, uint32(gid))
		}
	}
	return ids, nil
}

// accountFile is empty when the image has none. The image wrote it, so it may
// be a link out of the image, or endless.
func accountFile(root *os.Root, name string) (string, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("image's %s: %w", name, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxAccountFile))
	return string(raw), err
}
