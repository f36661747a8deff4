//go:build unix

package main

import (
	"fmt"
	"os"
	"syscall"
)

// restart replaces this process with a new one of the same program and arguments.
func restart(error) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return fmt.Errorf("start anew: %w", syscall.Exec(self, os.Args, os.Environ()))
}
