package types

import "time"

// DefaultDeviceParams returns the params of device attestation. Gas follows time: a
// P-384 verification takes about 8 of libsecp256k1's, for which the chain charges
// 1,000 each (BenchmarkSecp256k1 and BenchmarkRepeat in x/attestation/device).
func DefaultDeviceParams() DeviceParams {
	return DeviceParams{
		MaxNonceAge: 50, MaxAge: 7 * 24 * time.Hour, MaxCachedCertificates: 4_096,
		SignatureGas: 130_000, ReportGas: 20_000,
	}
}

// Validate checks the range of every number.
func (p DeviceParams) Validate() error {
	if err := within([]limit{
		{"device.max_nonce_age", uint64(p.MaxNonceAge), 1, 50},
		{"device.max_cached_certificates", uint64(p.MaxCachedCertificates), 1, 1 << 20},
		{"device.signature_gas", p.SignatureGas, 1, 10_000_000},
		{"device.report_gas", p.ReportGas, 1, 10_000_000},
	}); err != nil {
		return err
	}
	if low, high := time.Hour, 365*24*time.Hour; p.MaxAge < low || p.MaxAge > high {
		return ErrInvalidParams.Wrapf("device.max_age is %s, want %s to %s", p.MaxAge, low, high)
	}
	return nil
}
