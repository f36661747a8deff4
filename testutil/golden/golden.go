// Package golden has test vectors that a program carries with it, to test the
// machine that it runs on. See NOTICE for where they come from.
package golden

import (
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

//go:embed compute.json
var computeJSON []byte

// Compute is one vector of a proof of compute. Digests and seeds are hex.
type Compute struct {
	Name          string   `json:"name"`
	N             uint32   `json:"n"`
	M             uint32   `json:"m"`
	Rounds        uint32   `json:"rounds"`
	WalkLanes     uint32   `json:"walk_lanes"`
	WalkSteps     uint32   `json:"walk_steps"`
	Seed          Hash     `json:"seed"`
	Roots         []Hash   `json:"roots"`
	WalkRoot      Optional `json:"walk_root"`
	Commitment    Hash     `json:"commitment"`
	Beacon        Hash     `json:"beacon"`
	Samples       uint32   `json:"samples"`
	OpeningBytes  int      `json:"opening_bytes"`
	OpeningDigest Hash     `json:"opening_sha256"`
}

// Hash is 32 bytes, in hex.
type Hash [32]byte

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != 2*len(h) {
		return fmt.Errorf("hash has %d digits, want %d", len(text), 2*len(h))
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// Optional is a hash, or nothing for the empty text.
type Optional struct{ Hash *Hash }

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *Optional) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		o.Hash = nil
		return nil
	}
	o.Hash = new(Hash)
	return o.Hash.UnmarshalText(text)
}

// ComputeVectors returns the vectors of compute.json.
func ComputeVectors() ([]Compute, error) {
	var file struct {
		Vectors []Compute `json:"vectors"`
	}
	if err := json.Unmarshal(computeJSON, &file); err != nil {
		return nil, fmt.Errorf("compute.json: %w", err)
	}
	return file.Vectors, nil
}
