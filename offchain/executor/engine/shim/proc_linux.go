package shim

import (
	"io/fs"
	"syscall"
)

// sysBlocks is what a file occupies, in bytes; stat counts in units of 512.
func sysBlocks(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Blocks * 512
	}
	return info.Size()
}
