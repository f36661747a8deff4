package types

import "time"

// DefaultChallengeParams returns the params of proofs of compute.
func DefaultChallengeParams() ChallengeParams {
	return ChallengeParams{
		DrawEveryMs: 3_600_000, DrawPpm: 125_000,
		MaxBlockMs: 5_000, AllowanceMs: 2_000,
		SampleDelay: 2, Samples: 32, OpenWindowMs: 600_000,
		ProofMaxAge: 30 * 24 * time.Hour,
		SlowAnswers: 3, TolerancePpm: 150_000,
		MissesToJail: 3, MissDaysPpm: 3_500_000,
		CommitGas: 60_000, OpenGas: 100_000, OpenGasPerK: 100,
	}
}

// Validate checks the range of every number.
func (p ChallengeParams) Validate() error {
	if err := within([]limit{
		{"challenge.draw_every_ms", p.DrawEveryMs, 1_000, 30 * 86_400_000},
		{"challenge.draw_ppm", p.DrawPpm, 0, PPM},
		{"challenge.max_block_ms", p.MaxBlockMs, 100, 60_000},
		{"challenge.allowance_ms", p.AllowanceMs, 0, 60_000},
		{"challenge.sample_delay", uint64(p.SampleDelay), 1, 100},
		{"challenge.samples", uint64(p.Samples), 1, 256},
		{"challenge.open_window_ms", p.OpenWindowMs, 1_000, 86_400_000},
		{"challenge.slow_answers", uint64(p.SlowAnswers), 1, 3},
		{"challenge.tolerance_ppm", p.TolerancePpm, 0, PPM - 1},
		{"challenge.misses_to_jail", uint64(p.MissesToJail), 1, 16},
		{"challenge.miss_days_ppm", p.MissDaysPpm, 0, 30 * PPM},
		{"challenge.commit_gas", p.CommitGas, 1, 10_000_000},
		{"challenge.open_gas", p.OpenGas, 1, 10_000_000},
		{"challenge.open_gas_per_k", p.OpenGasPerK, 1, 1_000_000},
	}); err != nil {
		return err
	}
	if low, high := time.Hour, 365*24*time.Hour; p.ProofMaxAge < low || p.ProofMaxAge > high {
		return ErrInvalidParams.Wrapf("challenge.proof_max_age is %s, want %s to %s", p.ProofMaxAge, low, high)
	}
	return nil
}

// OpeningGas is the gas of an opening: a base, and for each thousand of samples × m.
// Both are bounded, see Validate and compute.MaxM: no overflow.
func (p ChallengeParams) OpeningGas(m, samples uint32) uint64 {
	return p.OpenGas + p.OpenGasPerK*(uint64(m)*uint64(samples)/1_000)
}

// Bounds of challenges.
const (
	// ChallengeBudget is the number of operators, and of hosts, that one block looks
	// at for new challenges, and of challenges that one block takes further.
	ChallengeBudget = 256
	// JudgeBudget is the number of unanswered challenges judged in one block.
	JudgeBudget = 32
	// LongestAnswer bounds the window of a profile.
	LongestAnswer = 10 * time.Minute
	// MaxRecentAnswers is the number of measurements that a proof remembers.
	MaxRecentAnswers = 3
	// MaxMisses is the number of misses that a proof remembers.
	MaxMisses = 16
)
