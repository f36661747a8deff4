package device

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
)

// DecodeChain reads the certificates of a PEM file, in its order.
func DecodeChain(text []byte) ([][]byte, error) {
	var chain [][]byte
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, malformed("PEM block %q, want CERTIFICATE", block.Type)
		}
		chain, text = append(chain, block.Bytes), rest
	}
	if len(chain) == 0 || len(bytes.TrimSpace(text)) > 0 {
		return nil, malformed("%d certificates in PEM, and %d bytes that are none", len(chain), len(bytes.TrimSpace(text)))
	}
	return chain, nil
}

// DecodeReport reads a report in hex; white space doesn't matter.
func DecodeReport(text []byte) ([]byte, error) {
	raw, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		return nil, fmt.Errorf("%w: report is no hex: %w", ErrMalformed, err)
	}
	return raw, nil
}
