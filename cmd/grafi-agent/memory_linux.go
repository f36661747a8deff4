package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// dropProgramPages unmaps the pages of the program's own file that are in memory. Most
// were read once, to register the chain's messages at the start; what is needed again
// comes back from the page cache. Only mappings that can't be written and that nothing
// was written to are taken, so nothing can be lost.
func dropProgramPages() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	raw, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return err
	}
	var start, end uintptr // of the mapping whose lines follow, if it may be dropped
	for line := range bytes.Lines(raw) {
		var from, to uintptr
		var mode string
		if n, _ := fmt.Sscanf(string(line), "%x-%x %4s", &from, &to, &mode); n == 3 {
			start, end = 0, 0
			if !strings.Contains(mode, "w") && strings.HasSuffix(strings.TrimSpace(string(line)), " "+self) {
				start, end = from, to
			}
			continue
		}
		if fields := strings.Fields(string(line)); end > start && len(fields) == 3 && fields[0] == "Anonymous:" && fields[1] == "0" {
			if _, _, errno := unix.Syscall(unix.SYS_MADVISE, start, end-start, unix.MADV_DONTNEED); errno != 0 {
				return fmt.Errorf("madvise: %w", errno)
			}
		}
	}
	return nil
}
