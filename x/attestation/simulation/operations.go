package simulation

import (
	"context"
	"crypto/ed25519"
	"time"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
)

func signBinding(ctx context.Context, key ed25519.PrivateKey, operator string, hostID uint64, encryptionKey []byte) []byte {
	doc := types.NewAgentKeyBinding(sdk.UnwrapSDKContext(ctx).ChainID(), operator, hostID, publicOf(key), encryptionKey)
	return ed25519.Sign(key, must(doc.SignBytes()))
}

// RegisterHostFactory registers a host of an operator.
func RegisterHostFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgRegisterHost] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgRegisterHost) {
		account := data.AnyAccountN(tries, reporter, simsx.SimAccountFilterFn(func(a simsx.SimAccount) bool {
			return must(k.IsOperator(ctx, a.Address))
		}))
		if reporter.IsSkipped() {
			return nil, nil
		}
		r, params := data.Rand(), must(k.Params(ctx))
		key, encryptionKey := AgentKey(must(k.NextHostID(ctx)), 0), randomEncryptionKey(r)
		msg := &types.MsgRegisterHost{
			Operator: account.AddressBech32, Region: randomRegion(r), Endpoint: randomEndpoint(r), ProbeEndpoint: randomProbeEndpoint(r),
			AgentKey: publicOf(key), EncryptionKey: encryptionKey, Gpus: randomGPUs(r, params.MaxGpusPerHost),
			AgentSignature: signBinding(ctx, key, account.AddressBech32, 0, encryptionKey),
		}
		if r.Bool() {
			msg.Capacity = r.Uint32InRange(uint32(len(msg.Gpus)), params.MaxGpusPerHost+1)
		}
		return []simsx.SimAccount{account}, msg
	}
}

// UpdateHostFactory changes how a host is reached.
func UpdateHostFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgUpdateHost] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgUpdateHost) {
		host, account := anyHost(ctx, k, data, reporter, present)
		if reporter.IsSkipped() {
			return nil, nil
		}
		r := data.Rand()
		return []simsx.SimAccount{account}, &types.MsgUpdateHost{
			Operator: host.Operator, HostId: host.Id, Region: randomRegion(r), Endpoint: randomEndpoint(r), EncryptionKey: randomEncryptionKey(r),
			ProbeEndpoint: randomProbeEndpoint(r),
		}
	}
}

// UpdateInventoryFactory declares other GPUs.
func UpdateInventoryFactory(k *keeper.Keeper) simsx.SimMsgFactoryX {
	return simsx.NewSimMsgFactoryWithDeliveryResultHandler(
		func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgUpdateInventory, simsx.SimDeliveryResultHandler) {
			host, account := anyHost(ctx, k, data, reporter, present)
			if reporter.IsSkipped() {
				return nil, nil, nil
			}
			return []simsx.SimAccount{account}, &types.MsgUpdateInventory{
				Operator: host.Operator, HostId: host.Id, Gpus: randomGPUs(data.Rand(), host.Capacity),
			}, mayRefuse
		})
}

// RotateAgentKeyFactory binds a new key to a host whose last rotation is over.
func RotateAgentKeyFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgRotateAgentKey] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgRotateAgentKey) {
		now := must(k.SlotAt(ctx, simsx.BlockTime(ctx)))
		host, account := anyHost(ctx, k, data, reporter, func(h *types.Host) bool {
			for i := range h.AgentKeys {
				if key := &h.AgentKeys[i]; !key.Revoked && key.UntilSlot >= now {
					return false
				}
			}
			return present(h) && len(h.AgentKeys) < types.MaxAgentKeys
		})
		if reporter.IsSkipped() {
			return nil, nil
		}
		key, encryptionKey := freeKey(&host, host.Id), randomEncryptionKey(data.Rand())
		return []simsx.SimAccount{account}, &types.MsgRotateAgentKey{
			Operator: host.Operator, HostId: host.Id, AgentKey: publicOf(key), EncryptionKey: encryptionKey,
			AgentSignature: signBinding(ctx, key, host.Operator, host.Id, encryptionKey),
		}
	}
}

// RevokeAgentKeyFactory revokes the keys of an active host.
func RevokeAgentKeyFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgRevokeAgentKey] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgRevokeAgentKey) {
		host, account := anyHost(ctx, k, data, reporter, active)
		return []simsx.SimAccount{account}, &types.MsgRevokeAgentKey{Operator: host.Operator, HostId: host.Id}
	}
}

// RetireHostFactory takes a host out for good, one that may go if it finds one.
func RetireHostFactory(k *keeper.Keeper) simsx.SimMsgFactoryX {
	return simsx.NewSimMsgFactoryWithDeliveryResultHandler(
		func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgRetireHost, simsx.SimDeliveryResultHandler) {
			host, account := anyHost(ctx, k, data, reporter, func(h *types.Host) bool {
				cached, _ := sdk.UnwrapSDKContext(ctx).CacheContext()
				_, err := keeper.NewMsgServer(k).RetireHost(cached, &types.MsgRetireHost{Operator: h.Operator, HostId: h.Id})
				return err == nil
			})
			return []simsx.SimAccount{account}, &types.MsgRetireHost{Operator: host.Operator, HostId: host.Id}, mayRefuse
		})
}

// UpdateParamsFactory proposes other params; slots keep their length.
func UpdateParamsFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgUpdateParams] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgUpdateParams) {
		old := must(k.Params(ctx))
		return nil, &types.MsgUpdateParams{
			Authority: data.ModuleAccountAddress(reporter, "gov"),
			Params:    RandomParams(data.Rand().Rand, old.SlotSeconds, old.SlotsPerDay),
		}
	}
}

// SetHardwareClassFactory proposes a new class, or another weight within the limit
// for one that is. The limit may have moved when the proposal is voted on, so a
// change keeps to 1 PPM of a weight.
func SetHardwareClassFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgSetHardwareClass] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgSetHardwareClass) {
		r := data.Rand()
		class := types.DefaultClasses()[r.Intn(len(types.DefaultClasses()))]
		if r.Bool() {
			class.Key = "class-" + string(rune('a'+r.Intn(26)))
			class.NamePatterns = []string{"Card " + class.Key}
		} else if resp, err := keeper.NewQueryServer(k).Class(ctx, &types.QueryClassRequest{Key: class.Key}); err == nil {
			class = resp.Class
		}
		class.Source = "proposal of " + simsx.BlockTime(ctx).UTC().Format(time.RFC3339)
		class.WeightPpm += class.WeightPpm / types.PPM
		return nil, &types.MsgSetHardwareClass{Authority: data.ModuleAccountAddress(reporter, "gov"), Class: class}
	}
}
