package gpu

import (
	"fmt"
	"os"
	"path/filepath"
)

// libraryPath returns the library to load: override as an absolute path, or the
// system's by name, which the loader finds.
func libraryPath(override, system string) (string, error) {
	if override == "" {
		return system, nil
	}
	path, err := filepath.Abs(override)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoLibrary, err)
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoLibrary, err)
	}
	return path, nil
}
