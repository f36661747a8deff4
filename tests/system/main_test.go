// Package system runs the built programs as people do: several at once, killed
// and started again. `make test-system` builds them first.
package system

import (
	"errors"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/grafilab/grafi/internal/chaininfo"
)

const (
	// envBin names the directory of the programs; build/ of the repository by default.
	envBin = "GRAFI_BIN"
	// envSeed repeats a run with the same random moments.
	envSeed = "GRAFI_SEED"
)

// bin is the directory of the built programs, root that of the repository.
var bin, root string

func TestMain(m *testing.M) {
	chaininfo.ConfigureSDK()
	if err := findPrograms(); err != nil {
		fmt.Fprintln(os.Stderr, "system tests:", err)
		os.Exit(1)
	}
	// Tests that run side by side mostly wait for a chain; -parallel sets another number.
	if err := flag.Set("test.parallel", "16"); err != nil {
		fmt.Fprintln(os.Stderr, "system tests:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func findPrograms() error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	for root == "" {
		switch _, err := os.Stat(filepath.Join(dir, "go.mod")); {
		case err == nil:
			root = dir
		case !errors.Is(err, os.ErrNotExist):
			return err
		case dir == filepath.Dir(dir):
			return errors.New("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
	if bin = os.Getenv(envBin); bin == "" {
		bin = filepath.Join(root, "build")
	}
	if bin, err = filepath.Abs(bin); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(bin, "grafid")); err != nil {
		return fmt.Errorf("%w: run make build", err)
	}
	return nil
}

// random returns a source of random moments and prints how to repeat them.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := time.Now().UnixNano()
	if s := os.Getenv(envSeed); s != "" {
		var err error
		if seed, err = strconv.ParseInt(s, 10, 64); err != nil {
			t.Fatalf("%s: %v", envSeed, err)
		}
	}
	t.Logf("repeat with %s=%d", envSeed, seed)
	return rand.New(rand.NewSource(seed))
}

// between returns a random duration from low to high.
func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int63n(int64(high-low)+1))
}
