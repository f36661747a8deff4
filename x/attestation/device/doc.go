// Package device verifies what an NVIDIA GPU says of itself: an SPDM 1.1 report of
// measurements, signed by the die, and the chain of certificates from the die up to
// the pinned NVIDIA Device Identity CA.
//
// It is consensus code: a fixed reader for exactly this profile of X.509 and SPDM
// (P-384, ECDSA with SHA-384), pure functions of bytes, without a clock, a network
// or crypto/x509. Each certificate and each report has one accepted encoding, apart
// from the (r, s) and (r, n - s) of ECDSA, so that no bit of either can be changed.
//
// [Verify] does all of it. A chain that was verified before is checked again
// without its signatures by [VerifyChain], and a report of a known leaf by
// [Leaf.VerifyReport].
//
// Dates are not looked at: consensus has no need of a clock that NVIDIA's
// certificates never reach (31 December 9999). What must end is revoked by its
// serial number, which is the caller's to check.
package device
