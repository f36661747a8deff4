package keeper_test

import (
	"context"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
)

// fakeHost is a host beside the one of the fixture, with GPUs of one class.
type fakeHost struct {
	attestationtypes.Host
	class       string
	tier        uint32
	reliability uint64
	down        bool
}

// weights are the classes that the fake chain knows, with their least memory.
var classMemory = map[string]uint64{class: 80_000, "nvidia-rtx-4090": 24_000, "nvidia-h200-141gb": 140_000}

func (a *fakeAttestation) ClassesWith(_ context.Context, minMemoryMiB, _ uint64) ([]string, error) {
	var keys []string
	for _, key := range []string{class, "nvidia-h200-141gb", "nvidia-rtx-4090"} {
		if classMemory[key] >= minMemoryMiB {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

func (a *fakeAttestation) TrustTier(_ context.Context, hostID uint64) (uint32, error) {
	return a.more[hostID].tier, nil
}

func (a *fakeAttestation) HostReliability(_ context.Context, host *attestationtypes.Host) (uint64, error) {
	return a.more[host.Id].reliability, nil
}
