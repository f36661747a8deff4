package prove_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/prove"
	"github.com/grafilab/grafi/x/attestation/compute"
)

// childMode makes the test program a prover process.
const childMode = "GRAFI_TEST_PROVER"

// serveChild runs Serve as the child of a test, and tells whether it is one.
func serveChild() bool {
	mode := os.Getenv(childMode)
	switch mode {
	case "":
		return false
	case "crash":
		os.Stderr.WriteString("driver crashed\n")
		os.Exit(3)
	}
	err := prove.Serve(context.Background(), os.Stdin, os.Stdout, func() (prove.Local, error) {
		if mode == "cuda" {
			return prove.OpenCUDA("no-such-library")
		}
		return &prove.CPU{}, nil
	})
	if err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
	return true
}

func worker(mode string) *prove.Worker {
	return &prove.Worker{Command: func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, os.Args[0])
		cmd.Env = append(os.Environ(), childMode+"="+mode)
		return cmd
	}}
}

func TestWorkerAgreesWithTheReference(t *testing.T) {
	for _, name := range []string{"sim", "walk"} {
		t.Run(name, func(t *testing.T) {
			w := works()[name]
			p, err := worker("cpu").Prove(t.Context(), "any", w)
			require.NoError(t, err)
			defer p.Close()
			checkAgainstReference(t, w, p, 32)
		})
	}
}

func TestWorkerErrors(t *testing.T) {
	w := works()["sim"]
	_, err := worker("cuda").Prove(t.Context(), "any", w)
	require.ErrorIs(t, err, prove.ErrNoDriver)

	_, err = worker("crash").Prove(t.Context(), "any", w)
	require.ErrorContains(t, err, "driver crashed")

	w.N = 3
	_, err = worker("cpu").Prove(t.Context(), "any", w)
	require.ErrorIs(t, err, compute.ErrInvalidWork)

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err = worker("cpu").Prove(ctx, "any", compute.Work{N: 4096, M: compute.MaxM, Rounds: 4096})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(start), 10*time.Second)
}

// TestServeStopsWithItsParent: the end of the input ends the work.
func TestServeStopsWithItsParent(t *testing.T) {
	request := `{"device":"","work":{"N":4096,"M":32768,"Rounds":4096,"WalkLanes":0,"WalkSteps":0,"Seed":[` + strings.Repeat("0,", 31) + `0]}}`
	var out strings.Builder
	require.NoError(t, prove.Serve(t.Context(), strings.NewReader(request), &out, func() (prove.Local, error) { return &prove.CPU{}, nil }))
	require.Contains(t, out.String(), "context canceled")
}
