package simulation

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"math/rand"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"
	simtypes "github.com/cosmos/cosmos-sdk/types/simulation"

	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
)

// RandomProbeParams returns valid params under which few hosts are enough for a median.
func RandomProbeParams(r *rand.Rand) types.ProbeParams {
	p := types.DefaultProbeParams()
	p.ProbePpm = uint64(simtypes.RandIntBetween(r, 200_000, types.PPM+1))
	p.Probers = uint32(simtypes.RandIntBetween(r, 1, 9))
	p.MinOperators = uint32(simtypes.RandIntBetween(r, 1, 4))
	p.MaxMeasures = uint32(simtypes.RandIntBetween(r, 1, 65))
	p.StrayPpm = uint64(simtypes.RandIntBetween(r, 1, types.PPM))
	p.MaxStrayedPpm = uint64(simtypes.RandIntBetween(r, 1, types.PPM))
	p.MinScore = uint32(simtypes.RandIntBetween(r, 1, 20))
	p.MaxAgeDays = uint32(simtypes.RandIntBetween(r, 1, 5))
	p.ReceiptGas = uint64(simtypes.RandIntBetween(r, 1, 5_000))
	return p
}

func randomProbeEndpoint(r *simsx.XRand) string {
	if r.Bool() {
		return ""
	}
	return fmt.Sprintf("gpu%d.example.com:%d", r.Intn(100), 1+r.Intn(65_535))
}

// SubmitProbesFactory makes probes of the slot of now that the beacon assigned, with
// some measures far from the others, and now and then a bad signature among good ones.
func SubmitProbesFactory(k *keeper.Keeper) simsx.SimMsgFactoryX {
	return simsx.NewSimMsgFactoryWithDeliveryResultHandler(
		func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgSubmitProbes, simsx.SimDeliveryResultHandler) {
			account := data.AnyAccount(reporter, simsx.WithSpendableBalance())
			slot := must(k.SlotAt(ctx, simsx.BlockTime(ctx)))
			beacon, err := k.ProbeBeacon(ctx, slot)
			if reporter.IsSkipped() || err != nil {
				reporter.Skip("nobody is probed")
				return nil, nil, nil
			}
			params, r := must(k.Params(ctx)).Probe, data.Rand()
			var receipts []types.ProbeReceipt
			first := r.Uint64InRange(0, max(beacon.Hosts, 1))
			for i := range beacon.Hosts {
				target := (first+i)%beacon.Hosts + 1
				for _, prober := range beacon.ProbersOf(target, params) {
					if receipt, ok := signProbe(ctx, k, r, slot, prober, target); ok && len(receipts) < 40 {
						receipts = append(receipts, receipt)
					}
				}
			}
			if len(receipts) == 0 {
				reporter.Skip("no probe that two operators can sign")
				return nil, nil, nil
			}
			if len(receipts) > 1 && r.Intn(5) == 0 {
				receipts[r.Intn(len(receipts))].TargetSignature[r.Intn(64)] ^= 1
			}
			return []simsx.SimAccount{account}, &types.MsgSubmitProbes{Submitter: account.AddressBech32, Receipts: receipts}, mayFindNothingNew
		})
}

// mayFindNothingNew allows for receipts that are all known.
func mayFindNothingNew(err error) error {
	if types.ErrNothingAccepted.Is(err) {
		return nil
	}
	return err
}

// signProbe returns a receipt that the chain accepts, if the hosts can give one.
func signProbe(ctx context.Context, k *keeper.Keeper, r *simsx.XRand, slot, prober, target uint64) (types.ProbeReceipt, bool) {
	a, b := must(k.Host(ctx, prober)), must(k.Host(ctx, target))
	keys := [2]ed25519.PrivateKey{}
	for i, host := range []*types.Host{&a, &b} {
		signing := host.SigningKeys(slot)
		if len(signing) == 0 {
			return types.ProbeReceipt{}, false
		}
		key, ok := PrivateKey(host.Id, signing[r.Intn(len(signing))])
		if !ok {
			return types.ProbeReceipt{}, false
		}
		keys[i] = key
	}
	rate := uint64(100 + r.Intn(100))
	if r.Intn(6) == 0 {
		rate *= 20
	}
	doc := types.ProbeDoc{
		ChainId: sdk.UnwrapSDKContext(ctx).ChainID(), Slot: slot, Prober: prober, Target: target,
		UpBytes: rate << 20, UpUs: 8 << 20, DownBytes: rate << 20, DownUs: uint64(4+r.Intn(8)) << 20, RttUs: uint64(r.Intn(100_000)),
		Exporter: make([]byte, types.ExporterSize),
	}
	return signReceipt(doc, keys[0], keys[1]), a.Operator != b.Operator
}

func signReceipt(doc types.ProbeDoc, prober, target ed25519.PrivateKey) types.ProbeReceipt {
	signBytes := must(doc.SignBytes())
	return types.ProbeReceipt{Doc: doc, ProberSignature: ed25519.Sign(prober, signBytes), TargetSignature: ed25519.Sign(target, signBytes)}
}

// SubmitContradictionFactory signs two receipts of one probe with a host's key and
// proves it.
func SubmitContradictionFactory(k *keeper.Keeper) simsx.SimMsgFactoryX {
	return simsx.NewSimMsgFactoryWithDeliveryResultHandler(
		func(ctx context.Context, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) ([]simsx.SimAccount, *types.MsgSubmitContradiction, simsx.SimDeliveryResultHandler) {
			account := data.AnyAccount(reporter, simsx.WithSpendableBalance())
			host, _ := anyHost(ctx, k, data, reporter, func(h *types.Host) bool { return len(h.AgentKeys) > 0 })
			if reporter.IsSkipped() {
				return nil, nil, nil
			}
			bound := host.AgentKeys[data.Rand().Intn(len(host.AgentKeys))]
			key, ok := PrivateKey(host.Id, bound.PublicKey)
			params := must(k.Params(ctx))
			if !ok || params.EvidenceExpired(bound.FromSlot, simsx.BlockTime(ctx)) {
				reporter.Skip("no slot to contradict in")
				return nil, nil, nil
			}
			doc := types.ProbeDoc{ChainId: sdk.UnwrapSDKContext(ctx).ChainID(), Slot: bound.FromSlot, Prober: host.Id, Target: host.Id + 1, UpBytes: data.Rand().Uint64()}
			twin := doc
			twin.DownBytes++
			return []simsx.SimAccount{account}, &types.MsgSubmitContradiction{
				Submitter: account.AddressBech32, HostId: host.Id, First: signReceipt(doc, key, key), Second: signReceipt(twin, key, key),
			}, mayRefuse
		})
}
