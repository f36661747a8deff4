package types

// DefaultProbeParams returns the params of probes.
func DefaultProbeParams() ProbeParams {
	return ProbeParams{
		ProbePpm: 41_667, Probers: 4, MinOperators: 3, MaxMeasures: 64, MinBytes: 1 << 20,
		StrayPpm: 500_000, MaxStrayedPpm: 500_000, MinScore: 8, MaxAgeDays: 3,
		ReceiptGas: 5_000, MaxReceipts: 256,
	}
}

// Validate checks the range of every number.
func (p ProbeParams) Validate() error {
	if err := within([]limit{
		{"probe.probe_ppm", p.ProbePpm, 0, PPM},
		{"probe.probers", uint64(p.Probers), 1, 16},
		{"probe.min_operators", uint64(p.MinOperators), 1, 16},
		{"probe.max_measures", uint64(p.MaxMeasures), 1, 256},
		{"probe.min_bytes", p.MinBytes, 1, 1 << 30},
		{"probe.stray_ppm", p.StrayPpm, 1, PPM},
		{"probe.max_strayed_ppm", p.MaxStrayedPpm, 1, PPM},
		{"probe.min_score", uint64(p.MinScore), 1, 1_000},
		{"probe.max_age_days", uint64(p.MaxAgeDays), 1, 30},
		{"probe.receipt_gas", p.ReceiptGas, 1, 1_000_000},
		{"probe.max_receipts", uint64(p.MaxReceipts), 1, 1_024},
	}); err != nil {
		return err
	}
	return nil
}
