package keeper

import (
	"bytes"
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// Binding is an agent key with its proof of possession.
type Binding struct {
	AgentKey      []byte
	EncryptionKey []byte
	// By AgentKey over an AgentKeyBinding.
	Signature []byte
}

// RotateAgentKey binds a new agent key and encryption key to the host.
//
// The new key may sign for the slot of this block and later ones, the old key
// until the slot after it: both are good in two slots, so that the agent can
// change at its leisure. Before that overlap is over there is no further
// rotation, so a slot has never more than two keys. A host whose key was revoked
// is active again.
//
// Errors: ErrRotationTooSoon, ErrTooManyAgentKeys, ErrAgentKeyInUse,
// ErrInvalidAgentKey, ErrInvalidSignature and those of ownership.
func (k *Keeper) RotateAgentKey(ctx context.Context, operator sdk.AccAddress, hostID uint64, b Binding) error {
	host, err := k.ownHost(ctx, operator, hostID)
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	now := params.SlotAt(blockTime(ctx))
	for i := range host.AgentKeys {
		if key := &host.AgentKeys[i]; !key.Revoked && key.UntilSlot >= now {
			return types.ErrRotationTooSoon.Wrapf("the last rotation of host %d overlaps until slot %d, this is %d", hostID, key.UntilSlot, now)
		}
	}
	kept, dropped := forgetKeys(host.AgentKeys, params, blockTime(ctx))
	if len(kept) >= types.MaxAgentKeys {
		return types.ErrTooManyAgentKeys.Wrapf("host %d has %d keys for which evidence counts, at most %d", hostID, len(kept), types.MaxAgentKeys)
	}
	host.AgentKeys = kept
	if err := k.checkBinding(ctx, params, &host, hostID, b); err != nil {
		return err
	}

	for _, key := range dropped {
		if err := k.unindexKey(ctx, &key); err != nil {
			return err
		}
	}
	for i := range host.AgentKeys {
		if key := &host.AgentKeys[i]; !key.Revoked && key.UntilSlot == 0 {
			key.UntilSlot = now + 1
		}
	}
	host.AgentKeys = append(host.AgentKeys, types.AgentKey{PublicKey: b.AgentKey, FromSlot: now})
	host.EncryptionKey = b.EncryptionKey
	host.Status = types.HOST_STATUS_ACTIVE
	if err := k.hostByAgentKey.Set(ctx, b.AgentKey, hostID); err != nil {
		return err
	}
	return k.setHost(ctx, host)
}

// RevokeAgentKey ends every agent key of the host at once: nothing it signed is
// accepted any more, until a new key is bound. It returns the revoked keys.
// Evidence against them still counts.
func (k *Keeper) RevokeAgentKey(ctx context.Context, operator sdk.AccAddress, hostID uint64) ([][]byte, error) {
	host, err := k.ownHost(ctx, operator, hostID)
	if err != nil {
		return nil, err
	}
	if host.Status != types.HOST_STATUS_ACTIVE {
		return nil, types.ErrHostNotActive.Wrapf("host %d is %s", hostID, host.Status)
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	revoked, err := k.revokeKeys(ctx, &host, params.SlotAt(blockTime(ctx)))
	if err != nil {
		return nil, err
	}
	host.Status = types.HOST_STATUS_REVOKED
	return revoked, k.setHost(ctx, host)
}

// revokeKeys revokes the host's keys in place and frees their index entries. No die
// answers for its GPUs any more: they were registered by those keys.
func (k *Keeper) revokeKeys(ctx context.Context, host *types.Host, now uint64) ([][]byte, error) {
	var revoked [][]byte
	for i := range host.AgentKeys {
		key := &host.AgentKeys[i]
		if key.Revoked {
			continue
		}
		if err := k.unindexKey(ctx, key); err != nil {
			return nil, err
		}
		if key.CanSign(now) {
			revoked = append(revoked, key.PublicKey)
		}
		key.Revoked = true
		if key.UntilSlot == 0 || key.UntilSlot > now {
			key.UntilSlot = now
		}
	}
	return revoked, k.endHostDevices(ctx, host.Id, endKeys)
}

// unindexKey frees a key; a revoked one is free already.
func (k *Keeper) unindexKey(ctx context.Context, key *types.AgentKey) error {
	if key.Revoked {
		return nil
	}
	return k.hostByAgentKey.Remove(ctx, key.PublicKey)
}

// checkBinding checks that the key is fit, free, and possessed by whoever made
// the binding. hostID is 0 for a registration.
func (k *Keeper) checkBinding(ctx context.Context, params types.Params, host *types.Host, hostID uint64, b Binding) error {
	if err := types.ValidateAgentKey(b.AgentKey); err != nil {
		return err
	}
	if err := types.ValidateEncryptionKey(b.EncryptionKey); err != nil {
		return err
	}
	for i := range host.AgentKeys {
		if bytes.Equal(host.AgentKeys[i].PublicKey, b.AgentKey) {
			return types.ErrAgentKeyInUse.Wrapf("%x was bound to this host before", b.AgentKey)
		}
	}
	owner, err := k.hostByAgentKey.Get(ctx, b.AgentKey)
	if err == nil {
		return types.ErrAgentKeyInUse.Wrapf("%x is of host %d", b.AgentKey, owner)
	} else if !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	doc := types.NewAgentKeyBinding(sdk.UnwrapSDKContext(ctx).ChainID(), host.Operator, hostID, b.AgentKey, b.EncryptionKey)
	signBytes, err := doc.SignBytes()
	if err != nil {
		return err
	}
	chargeSignature(ctx, params)
	if !types.Verify(b.AgentKey, signBytes, b.Signature) {
		return types.ErrInvalidSignature.Wrapf("of agent key %x over its binding to %s, host %d", b.AgentKey, host.Operator, hostID)
	}
	return nil
}

// forgetKeys splits the keys into those that still sign or for which evidence
// still counts, and those that can be forgotten. Order is kept.
func forgetKeys(keys []types.AgentKey, params types.Params, now time.Time) (kept, forgotten []types.AgentKey) {
	for _, key := range keys {
		if key.UntilSlot != 0 && params.EvidenceExpired(key.UntilSlot, now) {
			forgotten = append(forgotten, key)
		} else {
			kept = append(kept, key)
		}
	}
	return kept, forgotten
}
