package keeper_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
)

// fakeAttestation is a host whose agent attests every slot but those in dead.
type fakeAttestation struct {
	host    attestationtypes.Host
	classes []string
	anchors []anchor // ascending
	dead    map[uint64]bool
	// networkFault holds the slots that many hosts missed.
	networkFault map[uint64]bool
	// keptFrom is the oldest slot whose bits are kept.
	keptFrom   uint64
	more       map[uint64]fakeHost // other hosts
	challenges []challenge         // of ChallengeGPUs
	busy       error               // its error
	any        func(id uint64) attestationtypes.Host
}

type challenge struct {
	host      uint64
	ordinals  []uint32
	requester string
}

func (a *fakeAttestation) ChallengeGPUs(_ context.Context, host uint64, ordinals []uint32, requester sdk.AccAddress) error {
	if a.busy == nil {
		a.challenges = append(a.challenges, challenge{host, ordinals, str(requester)})
	}
	return a.busy
}

type anchor struct {
	slot uint64
	at   time.Time
}

func (a *fakeAttestation) Host(_ context.Context, id uint64) (attestationtypes.Host, error) {
	if id == a.host.Id {
		return a.host, nil
	}
	if h, ok := a.more[id]; ok {
		return h.Host, nil
	}
	if a.any != nil {
		return a.any(id), nil
	}
	return attestationtypes.Host{}, errUnknownHost
}

func (a *fakeAttestation) GPU(_ context.Context, id uint64, ordinal uint32) (attestationtypes.Gpu, error) {
	gpu := attestationtypes.Gpu{HostId: id, Ordinal: ordinal}
	if id == a.host.Id {
		gpu.Class = a.classes[ordinal]
	} else {
		gpu.Class = class
		if h, ok := a.more[id]; ok {
			gpu.Class = h.class
		}
	}
	return gpu, nil
}

func (a *fakeAttestation) VerifyAgentSignature(_ context.Context, _ uint64, domain string, doc, sig []byte) error {
	if sum := sha256.Sum256(doc); !ed25519.Verify(agent.Public().(ed25519.PublicKey), append([]byte(domain), sum[:]...), sig) {
		return errBadSignature
	}
	return nil
}

func (a *fakeAttestation) SlotAt(_ context.Context, t time.Time) (uint64, error) {
	return slotAt(t), nil
}

func (a *fakeAttestation) SlotStart(_ context.Context, slot uint64) (time.Time, error) {
	return slotStart(slot), nil
}

func (a *fakeAttestation) JudgedAt(_ context.Context, slot uint64) (time.Time, bool, error) {
	for i := len(a.anchors) - 1; i >= 0 && a.anchors[i].slot >= slot; i-- {
		if i == 0 || a.anchors[i-1].slot < slot {
			return a.anchors[i].at.Add(window + time.Second), true, nil
		}
	}
	return slotStart(slot + 1).Add(window + time.Second), false, nil
}

func (a *fakeAttestation) GPUsUp(_ context.Context, id, slot uint64, _ []uint32) (bool, error) {
	if h, ok := a.more[id]; ok {
		return !h.down, nil
	}
	if slot < a.keptFrom {
		return false, attestationtypes.ErrSlotPruned.Wrapf("slot %d", slot)
	}
	return !a.dead[slot], nil
}

func (a *fakeAttestation) NetworkFault(_ context.Context, slot uint64) (bool, error) {
	return a.networkFault[slot], nil
}

func slotAt(t time.Time) uint64       { return uint64(t.Unix()) / slotLen }
func slotStart(slot uint64) time.Time { return time.Unix(int64(slot*slotLen), 0).UTC() }
func judged(slot uint64) time.Time    { return slotStart(slot + 1).Add(window + time.Second) }
func after(s int64) time.Time         { return start.Add(time.Duration(s) * time.Second) }
func sign(domain string, doc interface{ Marshal() ([]byte, error) }) []byte {
	bz, err := doc.Marshal()
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(bz)
	return ed25519.Sign(agent, append([]byte(domain), sum[:]...))
}

// failingBank is the real bank that refuses to pay one account.
type failingBank struct {
	bankkeeper.BaseKeeper
	refuse sdk.AccAddress
	panics bool
}

func (b *failingBank) SendCoinsFromModuleToAccount(ctx context.Context, module string, to sdk.AccAddress, amt sdk.Coins) error {
	if to.Equals(b.refuse) {
		if b.panics {
			panic("bank broke")
		}
		return errBank
	}
	return b.BaseKeeper.SendCoinsFromModuleToAccount(ctx, module, to, amt)
}
