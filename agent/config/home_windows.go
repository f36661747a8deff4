package config

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

const (
	pipePrefix = `\\.\pipe\`
	socketHelp = `named pipe for the local API; \\.\pipe\grafi-agent, or one of its own for a --home of your own, when empty`
)

// systemHome is the folder of the service.
func systemHome() string {
	if dir := os.Getenv("ProgramData"); dir != "" {
		return filepath.Join(dir, "grafi-agent")
	}
	return `C:\ProgramData\grafi-agent`
}

// DefaultHome is the machine's folder for the service and administrators, and one
// in the user's profile else.
func DefaultHome() string {
	if dir, err := os.UserHomeDir(); err == nil && !windows.GetCurrentProcessToken().IsElevated() {
		return filepath.Join(dir, ".grafi-agent")
	}
	return systemHome()
}

// defaultSocket: pipes have no folders, so a home of your own is in the name by its digest.
func defaultSocket(home string) string {
	if strings.EqualFold(home, systemHome()) {
		return pipePrefix + "grafi-agent"
	}
	sum := sha256.Sum256([]byte(strings.ToLower(home)))
	return fmt.Sprintf("%sgrafi-agent-%x", pipePrefix, sum[:6])
}

func checkSocket(path string) error {
	if !strings.HasPrefix(path, pipePrefix) || len(path) <= len(pipePrefix) || len(path) > 256 {
		return fmt.Errorf(`%q is no named pipe, want \\.\pipe\NAME of at most 256 characters`, path)
	}
	return nil
}
