package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// enableANSI makes the console understand the sequences that draw.
func enableANSI(out *os.File) error {
	h := windows.Handle(out.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(h, &mode); err != nil {
		return fmt.Errorf("console: %w", err)
	}
	if err := windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING); err != nil {
		return fmt.Errorf("this console can't draw, use --once: %w", err)
	}
	return nil
}
