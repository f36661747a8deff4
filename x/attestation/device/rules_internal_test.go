package device

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// seq, ext and octets write DER for the tables below.
func seq(parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	return append([]byte{tagSequence, byte(len(body))}, body...)
}

func ext(oid string, critical []byte, value []byte) []byte {
	return seq(append([]byte{tagOID, byte(len(oid))}, oid...), critical, append([]byte{tagOctetString, byte(len(value))}, value...))
}

func TestExtensions(t *testing.T) {
	yes, no := []byte{tagBoolean, 1, 0xff}, []byte{tagBoolean, 1, 0}
	authority := []byte{tagBoolean, 1, 0xff}
	tests := map[string]struct {
		list []byte
		ok   bool
	}{
		"none":                       {seq(), true},
		"unknown":                    {seq(ext("\x55\x1d\x11", nil, seq())), true},
		"unknown and critical":       {seq(ext("\x55\x1d\x1e", yes, seq())), false},
		"critical false written out": {seq(ext(oidBasicConstraints, no, seq())), false},
		"critical is neither":        {seq(ext(oidBasicConstraints, []byte{tagBoolean, 1, 1}, seq())), false},
		"twice":                      {seq(ext(oidBasicConstraints, yes, seq()), ext(oidBasicConstraints, yes, seq())), false},
		"no CA":                      {seq(ext(oidBasicConstraints, yes, seq())), true},
		"CA":                         {seq(ext(oidBasicConstraints, yes, seq(authority))), true},
		"CA with a path length":      {seq(ext(oidBasicConstraints, yes, seq(authority, []byte{2, 1, 3}))), true},
		"CA false written out":       {seq(ext(oidBasicConstraints, yes, seq(no))), false},
		"path length of no CA":       {seq(ext(oidBasicConstraints, yes, seq([]byte{2, 1, 0}))), false},
		"negative path length":       {seq(ext(oidBasicConstraints, yes, seq(authority, []byte{2, 1, 0xff}))), false},
		"more than constraints":      {seq(ext(oidBasicConstraints, yes, seq(authority, []byte{2, 1, 0}, []byte{2, 1, 0}))), false},
		"key usage":                  {seq(ext(oidKeyUsage, yes, []byte{3, 2, 2, 4})), true},
		"key usage with spare bits":  {seq(ext(oidKeyUsage, yes, []byte{3, 2, 1, 4})), false},
		"key usage of no bits":       {seq(ext(oidKeyUsage, yes, []byte{3, 1, 0})), false},
		"firmware identity of SHA-1": {seq(ext(oidTCBInfo, nil, seq([]byte{tagImplicit6, 6}, seq([]byte{tagOID, 0}, []byte{tagOctetString, 0})))), false},
		"TCB info without firmware":  {seq(ext(oidTCBInfo, nil, seq())), false},
		"not a list":                 {[]byte{tagOctetString, 0}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			err := (&Certificate{}).parseExtensions(tc.list)
			if tc.ok {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, ErrMalformed)
			}
		})
	}
	c := &Certificate{PathLen: -1}
	require.NoError(t, c.parseExtensions(seq(ext(oidBasicConstraints, yes, seq(authority, []byte{2, 1, 3})), ext(oidKeyUsage, yes, []byte{3, 2, 2, 4}))))
	require.True(t, c.CA && c.certifies && !c.signs && c.PathLen == 3)
}

func TestAuthority(t *testing.T) {
	for name, tc := range map[string]struct {
		c     Certificate
		below int
		ok    bool
	}{
		"any depth":         {Certificate{CA: true, certifies: true, PathLen: -1}, 6, true},
		"as deep as it may": {Certificate{CA: true, certifies: true, PathLen: 1}, 1, true},
		"deeper":            {Certificate{CA: true, certifies: true, PathLen: 1}, 2, false},
		"no CA":             {Certificate{certifies: true, PathLen: -1}, 0, false},
		"other key usage":   {Certificate{CA: true, signs: true, PathLen: -1}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.c.checkCA(tc.below)
			if tc.ok {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, ErrChain)
			}
		})
	}
	require.NoError(t, (&Certificate{signs: true}).checkLeaf())
	for _, c := range []Certificate{{}, {signs: true, CA: true}, {signs: true, certifies: true}} {
		require.ErrorIs(t, c.checkLeaf(), ErrChain)
	}
	for chip, want := range map[string]string{
		"GH100": Hopper, "GB100": Blackwell, "GB202": Blackwell, "LS10": "", "G": "", "GB": "", "GBX": "", "GA100": "", "NVIDIA": "", "": "",
	} {
		require.Equal(t, want, architecture(chip), chip)
	}
}

func TestSignatureForms(t *testing.T) {
	raw := make([]byte, SignatureSize)
	raw[SignatureSize/2-1], raw[SignatureSize/2] = 0x80, 0x01
	want := append([]byte{0x30, 4 + 50, 2, 2, 0, 0x80, 2, 48, 1}, make([]byte, 47)...)
	require.Equal(t, want, encodeSignature(raw))
	require.Equal(t, []byte{0x30, 6, 2, 1, 0, 2, 1, 0}, encodeSignature(make([]byte, SignatureSize)))
}
