package simulation

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	errorsmod "cosmossdk.io/errors"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"

	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
)

// tries is how many random hosts are looked at for one that fits.
const tries = 20

// AgentKey returns the n-th agent key of a host. Both are all it takes, so that
// any run can sign for any host.
func AgentKey(hostID uint64, n int) ed25519.PrivateKey {
	seed := sha256.Sum256(binary.BigEndian.AppendUint64(fmt.Appendf(nil, "simulated agent key %d of host ", n), hostID))
	return ed25519.NewKeyFromSeed(seed[:])
}

// PrivateKey returns the agent key of the host for a public key of its record.
func PrivateKey(hostID uint64, public []byte) (ed25519.PrivateKey, bool) {
	for n := range 2 * types.MaxAgentKeys {
		if key := AgentKey(hostID, n); bytes.Equal(publicOf(key), public) {
			return key, true
		}
	}
	return nil, false
}

// freeKey returns a key of the host that its record doesn't remember.
func freeKey(host *types.Host, hostID uint64) ed25519.PrivateKey {
	for n := 0; ; n++ {
		key, taken := AgentKey(hostID, n), false
		for i := range host.AgentKeys {
			taken = taken || bytes.Equal(host.AgentKeys[i].PublicKey, publicOf(key))
		}
		if !taken {
			return key
		}
	}
}

func publicOf(key ed25519.PrivateKey) []byte { return key.Public().(ed25519.PublicKey) }

// anyHost returns a random host that fits and whose operator can sign, or skips.
func anyHost(ctx context.Context, k *keeper.Keeper, data *simsx.ChainDataSource, reporter simsx.SimulationReporter,
	fits func(*types.Host) bool,
) (types.Host, simsx.SimAccount) {
	next := must(k.NextHostID(ctx))
	for range tries {
		if next <= 1 {
			break
		}
		host := must(k.Host(ctx, data.Rand().Uint64InRange(1, next)))
		if fits(&host) && data.HasAccount(host.Operator) {
			return host, data.GetAccount(reporter, host.Operator)
		}
	}
	reporter.Skip("no host fits")
	return types.Host{}, simsx.SimAccount{}
}

func active(h *types.Host) bool  { return h.Status == types.HOST_STATUS_ACTIVE }
func present(h *types.Host) bool { return h.Status != types.HOST_STATUS_RETIRED }

// randomGPUs returns 1 to most GPUs, of known classes and of none.
func randomGPUs(r *simsx.XRand, most uint32) []types.GpuInventory {
	cards := []types.GpuInventory{
		{Name: "NVIDIA H100 80GB HBM3", MemoryMib: 81_559},
		{Name: "NVIDIA GeForce RTX 4090", MemoryMib: 24_564},
		{Name: "NVIDIA L40S", MemoryMib: 46_068},
		{Name: "Grafilab SIM GPU 0", MemoryMib: 1_024},
		{Name: "Unknown card", MemoryMib: 8_192},
	}
	gpus := make([]types.GpuInventory, r.IntInRange(1, int(most)+1))
	for i := range gpus {
		gpus[i] = cards[r.Intn(len(cards))]
		gpus[i].Uuid = fmt.Sprintf("GPU-%d-%d", i, r.Intn(4)) // often the same card as before
		gpus[i].PciBusId, gpus[i].Driver = fmt.Sprintf("0000:%02x:00.0", i), fmt.Sprintf("570.%d", r.Intn(3))
	}
	return gpus
}

func randomEncryptionKey(r *simsx.XRand) []byte {
	key := make([]byte, types.EncryptionKeySize)
	r.Read(key)
	key[0] |= 1
	return key
}

func randomRegion(r *simsx.XRand) string {
	regions := []string{"DE", "US-CA", "MY-14", "JP"}
	return regions[r.Intn(len(regions))]
}

func randomEndpoint(r *simsx.XRand) string {
	return fmt.Sprintf("https://gpu%d.example.com:%d", r.Intn(100), 1+r.Intn(65_535))
}

// mayRefuse accepts a refusal by another module: a GPU in use, an operator that
// is tombstoned already; and of a host that answers a challenge. Any other error of
// this module fails the run.
func mayRefuse(err error) error {
	if err == nil || errors.Is(err, types.ErrChallengeOpen) {
		return nil
	}
	if codespace, _, _ := errorsmod.ABCIInfo(err, false); codespace != types.ModuleName && codespace != errorsmod.UndefinedCodespace {
		return nil
	}
	return err
}

// must turns an error of the store into a failure of the run.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
