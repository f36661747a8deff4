//go:build !linux && !windows

package gpu

import "fmt"

// binding names how this build calls the library.
const binding = "none"

// openLibrary answers that there is none: NVIDIA has no driver for this system.
func openLibrary(string) (library, error) {
	return nil, fmt.Errorf("%w: NVIDIA has no driver for this system", ErrNoLibrary)
}
