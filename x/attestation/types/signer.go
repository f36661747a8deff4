package types

import "encoding/binary"

const (
	// SignersPerPage is the number of hosts whose signers share one record.
	SignersPerPage = 64
	signerSize     = 64
)

// Signer is the part of a host's record that checking an attestation needs, at a
// fixed size: a batch reads one page for 64 hosts instead of 64 whole records.
// It is derived from the Host and never exported.
type Signer struct {
	Status     HostStatus // unspecified: no such host
	GPUCount   uint32
	Generation uint64
	FirstGPU   uint64
	// Key is the newest live agent key, and the only one from slot SoleFrom on. For
	// slots before that the host's own record tells the keys.
	SoleFrom uint64
	Key      [AgentKeySize]byte
}

// SignerOf derives the signer of a host.
func SignerOf(h *Host) Signer {
	s := Signer{Status: h.Status, GPUCount: h.GpuCount, Generation: h.Generation, FirstGPU: h.FirstGpu}
	for i := range h.AgentKeys {
		k := &h.AgentKeys[i]
		switch {
		case k.Revoked:
		case k.UntilSlot == 0:
			s.SoleFrom = max(s.SoleFrom, k.FromSlot)
			copy(s.Key[:], k.PublicKey)
		default:
			s.SoleFrom = max(s.SoleFrom, k.UntilSlot+1)
		}
	}
	return s
}

// SignerPage holds the signers of hosts n × SignersPerPage and on. Hosts after
// its end don't exist.
type SignerPage []byte

// SignerPosition returns the page of a host and its position there.
func SignerPosition(hostID uint64) (page, position uint64) {
	return hostID / SignersPerPage, hostID % SignersPerPage
}

// Get returns the signer at the position.
func (p SignerPage) Get(position uint64) Signer {
	at := position * signerSize
	if at+signerSize > uint64(len(p)) {
		return Signer{}
	}
	bz := p[at : at+signerSize]
	s := Signer{
		Status:     HostStatus(bz[0]),
		GPUCount:   binary.BigEndian.Uint32(bz[4:]),
		Generation: binary.BigEndian.Uint64(bz[8:]),
		FirstGPU:   binary.BigEndian.Uint64(bz[16:]),
		SoleFrom:   binary.BigEndian.Uint64(bz[24:]),
	}
	copy(s.Key[:], bz[32:])
	return s
}

// With returns a copy of the page with the signer at the position.
func (p SignerPage) With(position uint64, s Signer) SignerPage {
	at := position * signerSize
	out := make(SignerPage, max(uint64(len(p)), at+signerSize))
	copy(out, p)
	bz := out[at : at+signerSize]
	clear(bz)
	bz[0] = byte(s.Status)
	binary.BigEndian.PutUint32(bz[4:], s.GPUCount)
	binary.BigEndian.PutUint64(bz[8:], s.Generation)
	binary.BigEndian.PutUint64(bz[16:], s.FirstGPU)
	binary.BigEndian.PutUint64(bz[24:], s.SoleFrom)
	copy(bz[32:], s.Key[:])
	return out
}
