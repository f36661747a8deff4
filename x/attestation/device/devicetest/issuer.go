// Package devicetest makes reports of dies that don't exist, under a root of its own.
// Tests and simulations hand that root to the keeper; no production code may import
// this package, and tests/arch checks that none does.
package devicetest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"math/big"
	"time"

	"github.com/grafilab/grafi/x/attestation/device"
)

// Issuer is a manufacturer: a root and, for each architecture, two intermediates.
// All follows from the seed, signatures too (RFC 6979), so that runs can be repeated.
type Issuer struct {
	seed string
	root authority
}

// authority is a certificate with its key.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewIssuer returns the issuer of this seed.
func NewIssuer(seed string) *Issuer {
	i := &Issuer{seed: seed}
	key := i.key("root")
	template := i.authorityTemplate("root", "Test Device Identity CA")
	i.root = authority{certificate: sign(template, template, &key.PublicKey, key), key: key}
	return i
}

// Root returns the root that verifies the issuer's reports.
func (i *Issuer) Root() *device.Root { return must(device.NewRoot(i.root.certificate.Raw)) }

// Chip returns the die with this number. name is that of the silicon: "GH100" for a
// Hopper, "GB100" for a Blackwell. firmware is what its leaf is made for.
func (i *Issuer) Chip(name string, number int, firmware string) *Chip {
	top := i.issue(i.root, "top "+name, "Test "+name+" Identity")
	middle := i.issue(top, "middle "+name, "Test "+name+" Provisioner")
	die := i.issue(middle, fmt.Sprintf("die %s %d", name, number), name+" A01 GSP BROM")
	c := &Chip{fwid: sha512.Sum384([]byte(firmware))}
	what := fmt.Sprintf("leaf %s %d %s", name, number, firmware)
	c.key = i.key(what)
	template := &x509.Certificate{
		SerialNumber: i.serial(what), Subject: pkix.Name{CommonName: name + " A01 GSP FMC LF"},
		NotBefore: notBefore, NotAfter: notAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		SignatureAlgorithm: x509.ECDSAWithSHA384,
		ExtraExtensions:    []pkix.Extension{firmwareExtension(name, c.fwid[:])},
	}
	c.Chain = [][]byte{
		sign(template, die.certificate, &c.key.PublicKey, die.key).Raw,
		die.certificate.Raw, middle.certificate.Raw, top.certificate.Raw,
	}
	return c
}

// Pretender is a chip whose leaf was issued by the leaf of a genuine one, which may
// issue nothing.
func (i *Issuer) Pretender(genuine *Chip) *Chip {
	parent := must(x509.ParseCertificate(genuine.Chain[0]))
	c := &Chip{fwid: genuine.fwid, key: i.key("pretender")}
	template := &x509.Certificate{
		SerialNumber: i.serial("pretender"), Subject: pkix.Name{CommonName: "GH100 A01 GSP FMC LF 2"},
		NotBefore: notBefore, NotAfter: notAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		SignatureAlgorithm: x509.ECDSAWithSHA384, ExtraExtensions: []pkix.Extension{firmwareExtension("GH100", c.fwid[:])},
	}
	c.Chain = append([][]byte{sign(template, parent, &c.key.PublicKey, genuine.key).Raw}, genuine.Chain...)
	return c
}

var (
	notBefore = time.Date(2020, 10, 17, 0, 0, 0, 0, time.UTC)
	notAfter  = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

func (i *Issuer) issue(by authority, what, name string) authority {
	key := i.key(what)
	return authority{certificate: sign(i.authorityTemplate(what, name), by.certificate, &key.PublicKey, by.key), key: key}
}

func (i *Issuer) authorityTemplate(what, name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: i.serial(what), Subject: pkix.Name{CommonName: name},
		NotBefore: notBefore, NotAfter: notAfter, KeyUsage: x509.KeyUsageCertSign,
		BasicConstraintsValid: true, IsCA: true, SignatureAlgorithm: x509.ECDSAWithSHA384,
	}
}

// key returns a private key; the top bit is cleared to stay under the order.
func (i *Issuer) key(what string) *ecdsa.PrivateKey {
	scalar := sha512.Sum384([]byte(i.seed + "/key/" + what))
	scalar[0] &= 0x7f
	return must(ecdsa.ParseRawPrivateKey(elliptic.P384(), scalar[:]))
}

func (i *Issuer) serial(what string) *big.Int {
	digest := sha512.Sum384([]byte(i.seed + "/serial/" + what))
	digest[0] = 0x41 // as genuine ones begin
	return new(big.Int).SetBytes(digest[:9])
}

func sign(template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	return must(x509.ParseCertificate(must(x509.CreateCertificate(nil, template, parent, public, key))))
}

// firmwareExtension is a CompositeDeviceID for a Hopper, a DiceTcbInfo for others.
func firmwareExtension(name string, digest []byte) pkix.Extension {
	type fwid struct {
		Hash   asn1.ObjectIdentifier
		Digest []byte
	}
	id := fwid{Hash: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, Digest: digest}
	composite := asn1.ObjectIdentifier{2, 23, 133, 5, 4, 1}
	if name[:2] == "GH" {
		return pkix.Extension{Id: composite, Value: must(asn1.Marshal(struct {
			Version  int
			DeviceID asn1.RawValue
			FWID     fwid
		}{1, asn1.RawValue{FullBytes: []byte{0x30, 0}}, id}))}
	}
	return pkix.Extension{Id: append(composite, 1), Value: must(asn1.Marshal(struct {
		Vendor string `asn1:"utf8,tag:0"`
		FWIDs  []fwid `asn1:"tag:6"`
	}{"NVIDIA", []fwid{id, {Hash: id.Hash, Digest: make([]byte, 48)}}}))}
}

// Chip is a die.
type Chip struct {
	// Chain is DER, leaf first, without the root.
	Chain [][]byte

	key  *ecdsa.PrivateKey
	fwid [48]byte
}

// Report answers the nonce as a genuine die does.
func (c *Chip) Report(nonce [device.NonceSize]byte) []byte {
	report := append([]byte{0x11, 0xe0, 0x01, 0xff}, nonce[:]...)
	report = append(report, 0) // certificate slot
	const blocks = 4
	report = append(report, 0x11, 0x60, 0, 0, blocks, blocks*55, 0, 0)
	for i := range blocks {
		report = append(report, byte(i+1), 1, 51, 0, 1, 48, 0)
		value := sha512.Sum384([]byte{byte(i)})
		report = append(report, value[:]...)
	}
	report = append(report, nonce[:]...) // the responder's; any will do
	opaque := field(nil, 3, []byte("570.86.15\x00"))
	opaque = field(opaque, 6, []byte{0, 0x9f, 0, 0x96, 1, 0, 0, 0})
	opaque = field(opaque, 20, c.fwid[:])
	report = binary.LittleEndian.AppendUint16(report, uint16(len(opaque)))
	report = append(report, opaque...)
	digest := sha512.Sum384(report)
	var pair struct{ R, S *big.Int }
	must(asn1.Unmarshal(must(c.key.Sign(nil, digest[:], crypto.SHA384)), &pair))
	return append(report, append(pair.R.FillBytes(make([]byte, 48)), pair.S.FillBytes(make([]byte, 48))...)...)
}

func field(opaque []byte, kind uint16, value []byte) []byte {
	opaque = binary.LittleEndian.AppendUint16(opaque, kind)
	opaque = binary.LittleEndian.AppendUint16(opaque, uint16(len(value)))
	return append(opaque, value...)
}

// must is for what only a mistake in this package can break.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
