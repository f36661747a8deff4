package telemetry

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// spool keeps batches in files until they are sent. Over its bound it forgets the
// oldest: telemetry is worth less than the disk of the renter's machine.
type spool struct {
	dir string
	max int64 // bytes
}

const batchSuffix = ".batch"

func openSpool(dir string, maxBytes int64) (*spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("telemetry spool: %w", err)
	}
	return &spool{dir: dir, max: maxBytes}, nil
}

// put stores the batch whole or not at all, and returns how many were forgotten for it.
func (s *spool) put(b Batch) (dropped int, err error) {
	raw, err := json.Marshal(b)
	if err != nil {
		return 0, err
	}
	if int64(len(raw)) > s.max || len(raw) > MaxWire {
		return 1, nil
	}
	tmp := filepath.Join(s.dir, ".new-"+rand.Text())
	name := filepath.Join(s.dir, fmt.Sprintf("%020d-%020d%s", b.HostID, b.Slot, batchSuffix))
	if err := errors.Join(os.WriteFile(tmp, raw, 0o600), os.Rename(tmp, name)); err != nil {
		return 0, fmt.Errorf("telemetry spool: %w", errors.Join(err, os.Remove(tmp)))
	}
	return s.trim()
}

// trim removes the oldest batches beyond the bound, and what a crash left half-written.
func (s *spool) trim() (dropped int, err error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return 0, fmt.Errorf("telemetry spool: %w", err)
	}
	var total int64
	for _, e := range slices.Backward(entries) { // by name: the newest first
		fi, err := e.Info()
		if err != nil {
			continue // sent meanwhile
		}
		whole := strings.HasSuffix(e.Name(), batchSuffix)
		if whole {
			if total += fi.Size(); total <= s.max {
				continue
			}
			dropped++
		}
		if err := os.Remove(filepath.Join(s.dir, e.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return dropped, fmt.Errorf("telemetry spool: %w", err)
		}
	}
	return dropped, nil
}

// names returns the batches, the oldest first.
func (s *spool) names() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("telemetry spool: %w", err)
	}
	var out []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), batchSuffix) {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

func (s *spool) read(name string) ([]byte, error) { return os.ReadFile(filepath.Join(s.dir, name)) }

func (s *spool) remove(name string) error { return os.Remove(filepath.Join(s.dir, name)) }
