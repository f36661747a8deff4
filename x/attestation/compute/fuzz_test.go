package compute_test

import (
	"errors"
	"testing"

	"github.com/grafilab/grafi/x/attestation/compute"
)

// FuzzOpening feeds Verify what anybody could send: it must not panic, must
// answer with a *Wrong or ErrInvalidWork, and accepts the one right opening only.
// Openings are long: run it with -fuzzminimizetime=10x, or minimising takes all of the time.
func FuzzOpening(f *testing.F) {
	type honest struct {
		work       compute.Work
		commitment compute.Hash
		opening    []byte
	}
	var answers []honest
	for _, w := range smallWorks() {
		proof, err := compute.Prove(w)
		if err != nil {
			f.Fatal(err)
		}
		opening, err := proof.Open(compute.Hash{7}, 8)
		if err != nil {
			f.Fatal(err)
		}
		answers = append(answers, honest{w, proof.Commitment, opening})
		f.Add(w.N, w.M, w.Rounds, w.WalkLanes, w.WalkSteps, uint32(8), opening)
	}
	f.Fuzz(func(t *testing.T, n, m, rounds, lanes, steps, samples uint32, opening []byte) {
		for _, a := range answers {
			err := compute.Verify(a.work, a.commitment, compute.Hash{7}, 8, opening)
			if (err == nil) != (string(opening) == string(a.opening)) {
				t.Fatalf("accepted %t, honest %t: %v", err == nil, string(opening) == string(a.opening), err)
			}
		}
		w := compute.Work{N: n, M: m, Rounds: rounds, WalkLanes: lanes, WalkSteps: steps}
		err := compute.Verify(w, compute.Hash{1}, compute.Hash{2}, samples, opening)
		var wrong *compute.Wrong
		if !errors.As(err, &wrong) && !errors.Is(err, compute.ErrInvalidWork) {
			t.Fatalf("want *Wrong or ErrInvalidWork, got %v", err)
		}
	})
}
