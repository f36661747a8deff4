package types

import "strconv"

const (
	// ExporterSize is the length of the exporter of a probe's TLS session.
	ExporterSize = 32
	// MaxMbps caps a measured rate.
	MaxMbps = 100_000
	// maxTransfer bounds the bytes and the microseconds of a transfer, so that no
	// product leaves 64 bits.
	maxTransfer = 1 << 40
)

// SignBytes returns what both agent keys sign for the probe.
func (d *ProbeDoc) SignBytes() ([]byte, error) { return SignBytes(DomainProbe, d) }

// Validate checks all that a receipt says by itself.
//
// Errors: ErrInvalidReceipt.
func (d *ProbeDoc) Validate(chainID string, p ProbeParams) error {
	if d.ChainId != chainID {
		return ErrInvalidReceipt.Wrapf("of chain %q, this is %q", d.ChainId, chainID)
	}
	if d.Prober == d.Target {
		return ErrInvalidReceipt.Wrapf("host %d probed itself", d.Prober)
	}
	if len(d.Exporter) != ExporterSize {
		return ErrInvalidReceipt.Wrapf("exporter has %d bytes, want %d", len(d.Exporter), ExporterSize)
	}
	for _, t := range []struct {
		name      string
		bytes, us uint64
	}{{"up", d.UpBytes, d.UpUs}, {"down", d.DownBytes, d.DownUs}} {
		if t.bytes < p.MinBytes || t.bytes > maxTransfer {
			return ErrInvalidReceipt.Wrapf("%s_bytes is %d, want %d to %d", t.name, t.bytes, p.MinBytes, uint64(maxTransfer))
		}
		if t.us < 1 || t.us > maxTransfer {
			return ErrInvalidReceipt.Wrapf("%s_us is %d, want 1 to %d", t.name, t.us, uint64(maxTransfer))
		}
	}
	return nil
}

// Measure returns what is kept of a valid receipt. Rates are in Mbit/s, which is
// bits per microsecond, floored and capped at MaxMbps.
func (d *ProbeDoc) Measure(operator string) ProbeMeasure {
	return ProbeMeasure{
		Slot: d.Slot, Prober: d.Prober, Operator: operator,
		UpMbps:   min(d.UpBytes*8/d.UpUs, MaxMbps),
		DownMbps: min(d.DownBytes*8/d.DownUs, MaxMbps),
		RttUs:    min(d.RttUs, maxTransfer),
	}
}

// FaultID names the fault of a host that signed two receipts of the probe.
func (d *ProbeDoc) FaultID(hostID uint64) string {
	id := "receipt"
	for _, n := range []uint64{hostID, d.Slot, d.Prober, d.Target} {
		id += "/" + strconv.FormatUint(n, 10)
	}
	return id
}
