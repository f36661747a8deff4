package device_test

import (
	"bytes"
	"crypto/x509"
	"testing"

	"github.com/grafilab/grafi/x/attestation/device"
)

var vectorNames = []string{"hopper-a", "hopper-b", "blackwell-a"}

// FuzzReport: no input makes the reader panic, and what it accepts is all there.
func FuzzReport(f *testing.F) {
	for _, name := range append(vectorNames, "hopper-badsig") {
		f.Add(reportOf(f, name))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := device.ParseReport(raw)
		if err != nil {
			return
		}
		// Every byte belongs to a part that is counted.
		size := 37 + 8 + 32 + 2 + 96
		for _, m := range r.Measurements {
			size += 7 + len(m.Value)
		}
		for _, field := range r.Opaque {
			size += 4 + len(field.Value)
		}
		if size != len(raw) {
			t.Fatalf("parts of %d bytes make a report of %d", size, len(raw))
		}
		if r.Nonce != nonceOf(raw) {
			t.Fatal("another nonce")
		}
	})
}

// FuzzCertificate: no input makes the reader panic, and what it accepts the reader of
// the standard library reads the same way, or finds fault with where it is stricter.
func FuzzCertificate(f *testing.F) {
	for _, name := range vectorNames {
		for _, raw := range chainOf(f, name) {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := device.ParseCertificate(raw)
		if err != nil {
			return
		}
		std, err := x509.ParseCertificate(raw)
		if err != nil {
			return // names of extensions, dates and text that we pass over
		}
		if !bytes.Equal(std.SerialNumber.Bytes(), c.Serial) || std.IsCA != c.CA ||
			!bytes.Equal(std.RawSubject, c.Subject) || !bytes.Equal(std.RawIssuer, c.Issuer) {
			t.Fatalf("read %+v, crypto/x509 reads %+v", c, std)
		}
	})
}

// FuzzVerify changes a genuine report and one certificate of its chain: nothing but
// the genuine ones verify, except for the other s of an ECDSA signature.
func FuzzVerify(f *testing.F) {
	report, chain := reportOf(f, "hopper-a"), chainOf(f, "hopper-a")
	f.Add(report, chain[0], uint8(0))
	for i, raw := range chain {
		f.Add(report, raw, uint8(i))
	}
	root := device.NVIDIA()
	f.Fuzz(func(t *testing.T, changed, certificate []byte, position uint8) {
		mixed := append([][]byte(nil), chain...)
		i := int(position) % len(mixed)
		mixed[i] = certificate
		nonce := nonceOf(report)
		if _, err := device.Verify(root, changed, mixed, nonce); err != nil {
			return
		}
		if signed := len(report) - device.SignatureSize; len(changed) != len(report) || !bytes.Equal(changed[:signed], report[:signed]) {
			t.Fatal("a changed report verifies")
		}
		got, err := x509.ParseCertificate(certificate)
		if err != nil {
			t.Fatalf("certificate %d verifies, and can't be read: %s", i, err)
		}
		want, err := x509.ParseCertificate(chain[i])
		if err != nil || !bytes.Equal(got.RawTBSCertificate, want.RawTBSCertificate) {
			t.Fatalf("a changed certificate %d verifies", i)
		}
	})
}
