//go:build unix

package config

import (
	"fmt"
	"os"
	"path/filepath"
)

const (
	systemHome = "/var/lib/grafi-agent"
	socketHelp = "unix socket for the executor; /run/grafi-agent/agent.sock, or agent.sock in a --home of your own, when empty"
)

// DefaultHome is the system's folder for root, and one in the user's home else.
func DefaultHome() string {
	if dir, err := os.UserHomeDir(); err == nil && os.Geteuid() != 0 {
		return filepath.Join(dir, ".grafi-agent")
	}
	return systemHome
}

func defaultSocket(home string) string {
	if home == systemHome {
		return "/run/grafi-agent/agent.sock"
	}
	return filepath.Join(home, "agent.sock")
}

func checkSocket(path string) error {
	if len(path) >= 104 {
		return fmt.Errorf("%q is longer than a unix socket's path may be (103 bytes)", path)
	}
	return nil
}
