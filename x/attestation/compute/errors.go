package compute

import (
	"errors"
	"fmt"
)

// ErrInvalidWork is wrapped by errors about what was asked: a work or a number
// of samples outside of the limits. It says nothing about an answer.
var ErrInvalidWork = errors.New("invalid work")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalidWork, fmt.Sprintf(format, args...))
}

// Wrong is the error of an opening that doesn't show what was committed:
// a wrong entry, a path that leads elsewhere, or bytes of another form.
type Wrong struct {
	// Reason says what is wrong, and where.
	Reason string
}

// Error implements error.
func (e *Wrong) Error() string { return "wrong answer: " + e.Reason }

func wrong(format string, args ...any) error {
	return &Wrong{Reason: fmt.Sprintf(format, args...)}
}
