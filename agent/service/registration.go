package service

import (
	"context"
	"fmt"

	"github.com/cosmos/cosmos-sdk/types/bech32"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/internal/chaininfo"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// Inventory is what the host declares of the devices.
func Inventory(devices []gpu.Device) []attestation.GpuInventory {
	out := make([]attestation.GpuInventory, len(devices))
	for i, d := range devices {
		out[i] = attestation.GpuInventory{Name: d.Name, Uuid: d.UUID, MemoryMib: d.MemoryMiB, PciBusId: d.PCIBusID, Driver: d.Driver}
	}
	return out
}

// Registration is what the operator must add to what the agent knows.
type Registration struct {
	Operator string // bech32
	Region   string
	Endpoint string // of the executor's gateway
	// ProbeEndpoint is the host:port at which probes are taken; empty for no inbound port.
	ProbeEndpoint string
	Capacity      uint32 // 0 for the number of GPUs
}

// RegisterHost returns the message that the operator signs with its own wallet.
// The agent's part, the proof that it has the agent key, is in it.
func RegisterHost(ctx context.Context, chainID string, k Keys, source gpu.Source, r Registration) (*attestation.MsgRegisterHost, error) {
	if err := checkOperator(r.Operator); err != nil {
		return nil, err
	}
	if err := attestation.ValidateRegion(r.Region); err != nil {
		return nil, err
	}
	if err := attestation.ValidateEndpoint(r.Endpoint); err != nil {
		return nil, err
	}
	if err := attestation.ValidateProbeEndpoint(r.ProbeEndpoint); err != nil {
		return nil, err
	}
	devices, err := source.Devices(ctx)
	if err != nil {
		return nil, err
	}
	gpus := Inventory(devices)
	// The chain's own limit is its param; this one only keeps the message sane.
	if err := attestation.ValidateInventory(gpus, attestation.BucketSize); err != nil {
		return nil, err
	}
	if r.Capacity != 0 && int(r.Capacity) < len(gpus) {
		return nil, fmt.Errorf("capacity %d, the host has %d GPUs", r.Capacity, len(gpus))
	}
	sig, err := signBinding(chainID, r.Operator, 0, k.Current, k.Encryption)
	if err != nil {
		return nil, err
	}
	return &attestation.MsgRegisterHost{
		Operator: r.Operator, Region: r.Region, Endpoint: r.Endpoint, AgentKey: k.Current.PublicKey(),
		EncryptionKey: k.Encryption, Capacity: r.Capacity, Gpus: gpus, AgentSignature: sig,
		ProbeEndpoint: r.ProbeEndpoint,
	}, nil
}

// RotateKey returns the message that binds the next agent key to the host.
func RotateKey(chainID, operator string, hostID uint64, next attest.Signer, encryption []byte) (*attestation.MsgRotateAgentKey, error) {
	if err := checkOperator(operator); err != nil {
		return nil, err
	}
	sig, err := signBinding(chainID, operator, hostID, next, encryption)
	if err != nil {
		return nil, err
	}
	return &attestation.MsgRotateAgentKey{
		Operator: operator, HostId: hostID, AgentKey: next.PublicKey(), EncryptionKey: encryption, AgentSignature: sig,
	}, nil
}

// signBinding signs the binding of the key to its host.
func signBinding(chainID, operator string, hostID uint64, key attest.Signer, encryption []byte) ([]byte, error) {
	if chainID == "" {
		return nil, fmt.Errorf("chain-id is empty: the agent's signature is for one chain")
	}
	binding := attestation.NewAgentKeyBinding(chainID, operator, hostID, key.PublicKey(), encryption)
	doc, err := binding.Marshal()
	if err != nil {
		return nil, err
	}
	return key.SignDoc(attestation.DomainAgentKey, doc), nil
}

func checkOperator(address string) error {
	prefix, raw, err := bech32.DecodeAndConvert(address)
	if err != nil {
		return fmt.Errorf("operator %q: %w", address, err)
	}
	if prefix != chaininfo.Bech32Prefix || len(raw) == 0 {
		return fmt.Errorf("operator %q: want an address that begins with %s1", address, chaininfo.Bech32Prefix)
	}
	return nil
}
