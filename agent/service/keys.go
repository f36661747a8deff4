package service

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/config"
	"github.com/grafilab/grafi/agent/keystore"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// Names of the keys in the store. systemd's credentials (LoadCredential=) have the same.
const (
	AgentKeyName      = "agent.key"
	NextAgentKeyName  = "agent-next.key" // the one that a rotation brings in
	EncryptionKeyName = "encryption.key"
	FeeKeyName        = "fee.key"
)

// KeyStore returns the store of the configuration's keys.
func KeyStore(cfg config.Config) keystore.Store { return keystore.Open(cfg.KeysPath()) }

// Keys are all keys of an agent.
type Keys struct {
	// Agent holds the agent keys, the newest first.
	Agent []attest.Signer
	// Current is the agent key that is not being rotated in.
	Current    *keystore.AgentKey
	Encryption []byte // public part
	Fee        *secp256k1.PrivKey
	// Seed makes simulated GPUs this machine's own.
	Seed []byte
}

// LoadKeys reads the keys, from systemd's credentials where there are any.
//
// Errors: ErrNoKeys, keystore.ErrUnsafe, keystore.ErrMalformed.
func LoadKeys(cfg config.Config) (Keys, error) {
	store := KeyStore(cfg)
	var k Keys
	var err error
	if k.Current, err = keystore.LoadAgentKey(store, AgentKeyName); err != nil {
		return k, noKeys(fmt.Errorf("agent key: %w", err), cfg)
	}
	enc, err := keystore.LoadEncryptionKey(store, EncryptionKeyName)
	if err != nil {
		return k, noKeys(fmt.Errorf("encryption key: %w", err), cfg)
	}
	if k.Fee, err = keystore.LoadFeeKey(store, FeeKeyName); err != nil {
		return k, noKeys(fmt.Errorf("fee key: %w", err), cfg)
	}
	k.Encryption = enc.PublicKey().Bytes()
	k.Seed = k.Encryption // unlike the agent key, it outlives a rotation
	next, err := keystore.LoadAgentKey(store, NextAgentKeyName)
	switch {
	case err == nil:
		k.Agent = append(k.Agent, next)
	case !errors.Is(err, keystore.ErrNotFound):
		return k, fmt.Errorf("next agent key: %w", err)
	}
	k.Agent = append(k.Agent, k.Current)
	return k, nil
}

// FinishRotation makes the next agent key the current one once the chain has it
// and the old one signs for no slot any more. It does nothing otherwise, and is
// called before the agent starts.
func FinishRotation(ctx context.Context, cfg config.Config, chain attest.Chain, log *slog.Logger) error {
	store := KeyStore(cfg)
	next, err := keystore.LoadAgentKey(store, NextAgentKeyName)
	if errors.Is(err, keystore.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("next agent key: %w", err)
	}
	current, err := keystore.LoadAgentKey(store, AgentKeyName)
	if err != nil {
		return fmt.Errorf("agent key: %w", err)
	}
	host, err := chain.HostByKey(ctx, next.PublicKey())
	if err != nil {
		log.Info("rotation is not finished: the chain was not reached or does not have the next key yet", "err", err)
		return nil
	}
	clock, err := chain.Clock(ctx)
	if err != nil {
		log.Info("rotation is not finished: the chain was not reached", "err", err)
		return nil
	}
	if signs(host.Host, current, clock.OldestAcceptedSlot) {
		return nil
	}
	old, err := store.Promote(NextAgentKeyName, AgentKeyName, fmt.Sprintf(".%x.old", current.PublicKey()[:4]))
	if err != nil {
		return fmt.Errorf("rotate the agent key: %w", err)
	}
	log.Info("agent key rotated", "agent_key", fmt.Sprintf("%x", next.PublicKey()), "old", old)
	return nil
}

// signs tells whether the key may sign for the slot or a later one.
func signs(host attestation.Host, key *keystore.AgentKey, slot uint64) bool {
	for i := range host.AgentKeys {
		k := &host.AgentKeys[i]
		if key.PublicKey().Equal(ed25519.PublicKey(k.PublicKey)) && !k.Revoked && (k.UntilSlot == 0 || k.UntilSlot >= slot) {
			return true
		}
	}
	return false
}
