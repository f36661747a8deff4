package simulation

import (
	"context"
	"crypto/ed25519"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
)

// SubmitAttestationsFactory attests one slot, or all that are still accepted, for
// several hosts: some of them with GPUs down or rentals that do not run, and now
// and then one with a bad signature among the good ones.
func SubmitAttestationsFactory(k *keeper.Keeper) simsx.SimMsgFactoryFn[*types.MsgSubmitAttestations] {
	return func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgSubmitAttestations) {
		account := data.AnyAccount(reporter, simsx.WithSpendableBalance())
		clock := must(keeper.NewQueryServer(k).Clock(ctx, &types.QueryClockRequest{}))
		if reporter.IsSkipped() || clock.OldestAcceptedSlot > clock.LastClosedSlot {
			reporter.Skip("no slot can be attested")
			return nil, nil
		}
		r := data.Rand()
		first, last := clock.OldestAcceptedSlot, clock.LastClosedSlot
		exceptions := 4 // one attestation in so many is missing, or has something to tell
		switch r.Intn(4) {
		case 0:
			first = last
		case 1:
			first = r.Uint64InRange(first, last+1)
			last = first
		default: // hosts that are worth a reward
			exceptions = 64
		}
		left := int(must(k.Params(ctx)).MaxBatch)
		var groups []types.AttestationGroup
		for slot := first; slot <= last && left > 0; slot++ {
			if group := attestSlot(ctx, k, r, slot, left, exceptions); len(group.Attestations) > 0 {
				groups = append(groups, group)
				left -= len(group.Attestations)
			}
		}
		if len(groups) == 0 {
			reporter.Skip("no host to attest")
			return nil, nil
		}
		if group := groups[0]; len(group.Attestations) > 1 && r.Intn(exceptions) == 0 {
			group.Attestations[r.Intn(len(group.Attestations))].Signature[r.Intn(64)] ^= 1
		}
		return []simsx.SimAccount{account}, &types.MsgSubmitAttestations{Submitter: account.AddressBech32, Groups: groups}
	}
}

// attestSlot attests one slot for up to most hosts, from a random one on.
func attestSlot(ctx context.Context, k *keeper.Keeper, r *simsx.XRand, slot uint64, most, exceptions int) types.AttestationGroup {
	anchor := must(k.Anchor(ctx, slot))
	group := types.AttestationGroup{Slot: slot, AnchorHeight: anchor.Height, AnchorHash: anchor.Hash}
	next := must(k.NextHostID(ctx))
	first := r.Uint64InRange(0, next)
	for i := range next {
		id := (first+i)%next + 1
		if id == next || len(group.Attestations) == most || r.Intn(exceptions) == 0 {
			continue
		}
		if att, ok := signAttestation(ctx, k, r, id, slot, &anchor, exceptions); ok {
			group.Attestations = append(group.Attestations, att)
		}
	}
	return group
}

// signAttestation returns an attestation that the chain accepts, if the host can
// give one.
func signAttestation(ctx context.Context, k *keeper.Keeper, r *simsx.XRand, id, slot uint64, anchor *types.Anchor, exceptions int) (types.Attestation, bool) {
	host := must(k.Host(ctx, id))
	attested, _, err := k.HostSlot(ctx, &host, slot)
	keys := host.SigningKeys(slot)
	if err != nil || attested || len(keys) == 0 {
		return types.Attestation{}, false
	}
	att := types.Attestation{HostId: id}
	if r.Intn(exceptions) == 0 {
		down := types.Bitmap{}
		for i := range uint64(host.GpuCount) {
			if i == 0 || r.Bool() {
				down = down.Set(i)
			}
		}
		att.Down = make([]byte, (host.GpuCount+7)/8)
		copy(att.Down, down)
	}
	if r.Intn(2*exceptions) == 0 {
		att.NotRunning = []uint64{uint64(1 + r.Intn(1_000))}
	}
	key, ok := PrivateKey(id, keys[r.Intn(len(keys))])
	if !ok {
		return types.Attestation{}, false
	}
	doc := types.NewAttestationDoc(sdk.UnwrapSDKContext(ctx).ChainID(), &host, slot, anchor, &att)
	att.Signature = ed25519.Sign(key, must(doc.SignBytes()))
	return att, true
}

// SubmitEquivocationFactory signs two documents with a host's key and proves it.
func SubmitEquivocationFactory(k *keeper.Keeper) simsx.SimMsgFactoryX {
	return simsx.NewSimMsgFactoryWithDeliveryResultHandler(
		func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgSubmitEquivocation, simsx.SimDeliveryResultHandler) {
			account := data.AnyAccount(reporter, simsx.WithSpendableBalance())
			host, _ := anyHost(ctx, k, data, reporter, func(h *types.Host) bool { return len(h.AgentKeys) > 0 })
			if reporter.IsSkipped() {
				return nil, nil, nil
			}
			bound := host.AgentKeys[data.Rand().Intn(len(host.AgentKeys))]
			key, ok := PrivateKey(host.Id, bound.PublicKey)
			clock := must(keeper.NewQueryServer(k).Clock(ctx, &types.QueryClockRequest{}))
			slot := bound.FromSlot
			params := must(k.Params(ctx))
			if !ok || slot > clock.LastClosedSlot || params.EvidenceExpired(slot, simsx.BlockTime(ctx)) ||
				must(k.FaultProven(ctx, host.Id, slot)) {
				reporter.Skip("no slot to contradict in")
				return nil, nil, nil
			}
			doc := types.AttestationDoc{ChainId: sdk.UnwrapSDKContext(ctx).ChainID(), HostId: host.Id, Slot: slot, Generation: host.Generation}
			twin := doc
			twin.Generation++
			return []simsx.SimAccount{account}, &types.MsgSubmitEquivocation{
				Submitter: account.AddressBech32, First: signDoc(key, doc), Second: signDoc(key, twin),
			}, mayRefuse
		})
}

func signDoc(key ed25519.PrivateKey, doc types.AttestationDoc) types.SignedAttestation {
	return types.SignedAttestation{Doc: doc, Signature: ed25519.Sign(key, must(doc.SignBytes()))}
}
