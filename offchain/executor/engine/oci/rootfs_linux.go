//go:build linux && cgo

package oci

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine/shim"
)

// stages are directories of every Linux system, over one of which a shim mounts
// its own file system: a container's user must be able to walk to its root, which
// it can't through a state directory that is closed to others. The mount is in
// the shim's mount namespace; the host never sees it.
var stages = []string{"/mnt", "/media", "/srv", "/opt"}

// rootfs says where the shim has put the parts of a container's file system.
type rootfs struct {
	root    string
	volumes string // one directory per volume, by name
}

// mountRootfs makes the container's root from the unpacked image, which many
// containers share: its files appear with the container's user ids, and what
// libcontainer adds (mount points) goes to a layer of this container alone.
func mountRootfs(job shim.Job, o runnerOptions) (rootfs, error) {
	image := job.Workload.Image.Rootfs
	// What the host unmounts goes here too; what is mounted here stays here.
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return rootfs{}, fmt.Errorf("make mounts private: %w", err)
	}
	stage, err := mountStage(string(job.Dir), image)
	if err != nil {
		return rootfs{}, err
	}
	r := rootfs{root: filepath.Join(stage, "root"), volumes: filepath.Join(stage, "volumes")}
	if err := mountVolumes(job, r.volumes); err != nil {
		return rootfs{}, err
	}
	id := 0 // without root, the user namespace's own root
	if o.Root {
		id = int(o.hostID(job.Workload.RentalID))
	}
	overlayErr := mountOverlay(stage, r.root, image, id)
	if overlayErr == nil {
		return r, nil
	}
	// Older kernels and unusual file systems: a copy, which costs time and disk.
	dst := job.Dir.Path("rootfs")
	if err := copyTree(image, dst, id); err != nil {
		return rootfs{}, errors.Join(overlayErr, fmt.Errorf("copy: %w", err))
	}
	if err := bind(dst, r.root, 0); err != nil {
		return rootfs{}, errors.Join(overlayErr, err)
	}
	return r, nil
}

func mountStage(avoid ...string) (string, error) {
	for _, stage := range stages {
		info, err := os.Stat(stage)
		if err != nil || !info.IsDir() {
			continue
		}
		hides := false
		for _, path := range avoid {
			hides = hides || strings.HasPrefix(path, stage+"/")
		}
		if hides {
			continue
		}
		if err := unix.Mount("grafi", stage, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,size=16m"); err != nil {
			return "", fmt.Errorf("mount tmpfs on %s: %w", stage, err)
		}
		for _, name := range []string{"root", "lower", "upper", "work", "volumes"} {
			if err := os.Mkdir(filepath.Join(stage, name), 0o755); err != nil {
				return "", err
			}
		}
		return stage, nil
	}
	return "", fmt.Errorf("none of %q is a directory outside of %q", stages, avoid)
}

func mountVolumes(job shim.Job, root string) error {
	for _, v := range job.Workload.Manifest.Volumes {
		target := filepath.Join(root, v.Name)
		if err := os.Mkdir(target, 0o755); err != nil {
			return err
		}
		if err := bind(job.Dir.Volume(v.Name), target, 0); err != nil {
			return err
		}
	}
	return nil
}

func bind(source, target string, flags uintptr) error {
	if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC|flags, ""); err != nil {
		return fmt.Errorf("bind %s: %w", source, err)
	}
	return nil
}

// mountOverlay puts an empty layer of this container's over the image. id is
// the host's id of the container's root.
func mountOverlay(stage, target, image string, id int) error {
	lower, upper := filepath.Join(stage, "lower"), filepath.Join(stage, "upper")
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, filepath.Join(stage, "work"))
	if id != 0 {
		if err := mountMapped(image, lower, id); err != nil {
			return err
		}
	} else {
		options += ",userxattr" // the only kind that a user namespace may write
		if err := bind(image, lower, 0); err != nil {
			return err
		}
	}
	info, err := os.Stat(image)
	if err != nil {
		return err
	}
	// The overlay's own root directory is the upper one.
	if err := errors.Join(os.Chmod(upper, info.Mode().Perm()|0o555), os.Chown(upper, id, id)); err != nil {
		return err
	}
	if err := unix.Mount("overlay", target, "overlay", 0, options); err != nil {
		return fmt.Errorf("overlay: %w", err)
	}
	return nil
}

// mountMapped binds a tree so that the owner n appears as first+n (Linux 5.12).
func mountMapped(source, target string, first int) error {
	namespace, err := userNamespace(first)
	if err != nil {
		return err
	}
	defer namespace.Close()
	tree, err := unix.OpenTree(unix.AT_FDCWD, source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return fmt.Errorf("open tree %s: %w", source, err)
	}
	defer unix.Close(tree)
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(namespace.Fd())}
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		return fmt.Errorf("id-mapped mount of %s: %w", source, err)
	}
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("move mount to %s: %w", target, err)
	}
	return nil
}

// userNamespace returns a namespace that maps 0 to first. It needs a process to
// be born in it, which ends at once.
func userNamespace(first int) (*os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer write.Close()
	mapping := []syscall.SysProcIDMap{{HostID: first, Size: idsPerRange}}
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{os.Args[0], holdCommand}, Stdin: read,
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: syscall.CLONE_NEWUSER, UidMappings: mapping, GidMappings: mapping,
			Pdeathsig: syscall.SIGKILL,
		},
	}
	err = cmd.Start()
	if err = errors.Join(err, read.Close()); err != nil {
		return nil, fmt.Errorf("user namespace: %w", err)
	}
	namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/user", cmd.Process.Pid))
	return namespace, errors.Join(err, cmd.Process.Kill(), ignoreExit(cmd.Wait()))
}

func ignoreExit(err error) error {
	if _, exited := errors.AsType[*exec.ExitError](err); exited {
		return nil
	}
	return err
}

// copyTree copies an unpacked image, which has directories, regular files and
// links, and adds first to every owner.
func copyTree(src, dst string, first int) error {
	return filepath.WalkDir(src, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := filepath.Join(dst, strings.TrimPrefix(path, src))
		switch {
		case entry.IsDir():
			err = os.MkdirAll(target, 0o700)
		case info.Mode()&fs.ModeSymlink != 0:
			var link string
			if link, err = os.Readlink(path); err == nil {
				err = os.Symlink(link, target)
			}
		case info.Mode().IsRegular():
			err = copyFile(path, target)
		default:
			return nil
		}
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			if err := os.Lchown(target, first+int(stat.Uid), first+int(stat.Gid)); err != nil && first != 0 {
				return err
			}
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return nil
		}
		return os.Chmod(target, info.Mode())
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = out.ReadFrom(in)
	return errors.Join(err, out.Close())
}
