package engine

import (
	"crypto/sha256"
	"encoding/binary"
)

// OutputDigest is the one digest of all results: the SHA-256 over, for each
// file in the manifest's order, the path's length (8 bytes, big-endian), the
// path and the file's SHA-256. It is nil when there are none.
func OutputDigest(results []Result) []byte {
	if len(results) == 0 {
		return nil
	}
	h := sha256.New()
	for _, r := range results {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(r.Path))))
		h.Write([]byte(r.Path))
		h.Write(r.SHA256[:])
	}
	return h.Sum(nil)
}
