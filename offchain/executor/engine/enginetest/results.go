package enginetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

// Results implements engine.Engine.
func (f *Fake) Results(_ context.Context, rentalID uint64) ([]engine.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, err := f.find("Results", rentalID)
	if err != nil {
		return nil, err
	}
	var results []engine.Result
	for _, path := range e.workload.Manifest.Results {
		content, ok := e.results[path]
		if !ok {
			return nil, fmt.Errorf("result %s: %w", path, fs.ErrNotExist)
		}
		results = append(results, engine.Result{Path: path, SHA256: sha256.Sum256([]byte(content)), Bytes: int64(len(content))})
	}
	return results, nil
}

// OpenResult implements engine.Engine.
func (f *Fake) OpenResult(_ context.Context, rentalID uint64, path string) (io.ReadCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, err := f.find("OpenResult", rentalID)
	if err != nil {
		return nil, err
	}
	content, ok := e.results[path]
	if !ok {
		return nil, fmt.Errorf("result %s: %w", path, fs.ErrNotExist)
	}
	return io.NopCloser(strings.NewReader(content)), nil
}
