package keeper

import (
	"context"
	"crypto/sha256"
	"slices"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// starter begins the challenges of one block.
type starter struct {
	k        *Keeper
	params   types.Params
	clock    *types.ChallengeClock
	beacon   [sha256.Size]byte
	profiles map[string]types.ChallengeProfile
}

func (k *Keeper) newStarter(ctx context.Context, params types.Params, clock *types.ChallengeClock) *starter {
	return &starter{
		k: k, params: params, clock: clock, profiles: make(map[string]types.ChallengeProfile),
		beacon: types.BlockBeacon(sdk.UnwrapSDKContext(ctx), types.DomainChallengeBeacon),
	}
}

// startDue begins the challenges that wait for this block.
func (s *starter) startDue(ctx context.Context) error {
	hosts, err := firstKeys(ctx, s.k.challenge.due.Iterate, nil, types.ChallengeBudget)
	if err != nil {
		return err
	}
	for _, hostID := range hosts {
		due, err := s.k.challenge.due.Get(ctx, hostID)
		if err != nil {
			return err
		}
		if err := s.k.challenge.due.Remove(ctx, hostID); err != nil {
			return err
		}
		host, err := s.k.Host(ctx, hostID)
		if err != nil {
			return err
		}
		if err := s.start(ctx, &host, due); err != nil {
			return err
		}
	}
	return nil
}

// start begins a challenge of those GPUs that have a profile and aren't excused. A
// host that can't answer, or answers a challenge already, is left alone.
func (s *starter) start(ctx context.Context, host *types.Host, due types.DueChallenge) error {
	keys := host.SigningKeys(s.params.SlotAt(blockTime(ctx)))
	open, err := s.k.challenge.open.Has(ctx, host.Id)
	if err != nil || open || len(keys) == 0 {
		return err
	}
	gpus, err := s.challenged(ctx, host, due)
	if err != nil || len(gpus) == 0 {
		return err
	}
	last, err := s.k.challenge.ids.Get(ctx, host.Id)
	if err != nil && !isNotFound(err) {
		return err
	}
	c := types.Challenge{
		HostId: host.Id, Id: last + 1, Reason: due.Reason, State: types.CHALLENGE_STATE_OPEN, Gpus: gpus,
		AgentKey: keys[0], Height: sdk.UnwrapSDKContext(ctx).BlockHeight(), Beacon: s.beacon[:],
		StartedAt: blockTime(ctx), StartedMs: s.clock.Ms, Requester: due.Requester, Samples: s.params.Challenge.Samples,
	}
	for i := range gpus {
		c.CommitByMs = max(c.CommitByMs, c.StartedMs+gpus[i].Profile.WindowMs)
	}
	if err := s.k.challenge.ids.Set(ctx, host.Id, c.Id); err != nil {
		return err
	}
	if err := s.k.setChallenge(ctx, &c, nil); err != nil {
		return err
	}
	return emit(ctx, &types.EventChallenged{HostId: host.Id, ChallengeId: c.Id, Reason: c.Reason.String(), Ordinals: c.Ordinals()})
}

// challenged lists the GPUs of a new challenge. A renter's own wish is not excused
// by his rental.
func (s *starter) challenged(ctx context.Context, host *types.Host, due types.DueChallenge) ([]types.ChallengedGpu, error) {
	var gpus []types.ChallengedGpu
	for _, ordinal := range due.Ordinals {
		if ordinal >= host.GpuCount { // taken out since
			continue
		}
		gpu, err := s.k.GPU(ctx, host.Id, ordinal)
		if err != nil {
			return nil, err
		}
		profile, err := s.profile(ctx, gpu.DeclaredClass())
		if err != nil {
			return nil, err
		}
		if !profile.IsZero() {
			gpus = append(gpus, types.ChallengedGpu{Ordinal: ordinal, Class: gpu.DeclaredClass(), Profile: profile})
		}
	}
	if due.Reason == types.CHALLENGE_REASON_RENTER || len(gpus) == 0 {
		return gpus, nil
	}
	ordinals := make([]uint32, len(gpus))
	for i := range gpus {
		ordinals[i] = gpus[i].Ordinal
	}
	excused, err := s.k.hooks.BeforeChallenge(ctx, host.Id, ordinals)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(gpus, func(g types.ChallengedGpu) bool { return slices.Contains(excused, g.Ordinal) }), nil
}

// profile returns the profile of a class; nothing for no class, or an unknown one.
func (s *starter) profile(ctx context.Context, class string) (types.ChallengeProfile, error) {
	if profile, ok := s.profiles[class]; ok || class == "" {
		return profile, nil
	}
	c, err := s.k.classOf(ctx, class)
	if err != nil {
		return types.ChallengeProfile{}, err
	}
	s.profiles[class] = c.Profile
	return c.Profile, nil
}

// ChallengeGPUs has these GPUs of the host challenged in the next block, on behalf
// of somebody who rents them.
//
// Errors: ErrHostNotFound, ErrHostNotActive, ErrGPUNotFound, ErrChallengeOpen,
// ErrNoProfile.
func (k *Keeper) ChallengeGPUs(ctx context.Context, hostID uint64, ordinals []uint32, requester sdk.AccAddress) error {
	host, err := k.Host(ctx, hostID)
	if err != nil {
		return err
	}
	if host.Status != types.HOST_STATUS_ACTIVE {
		return types.ErrHostNotActive.Wrapf("host %d is %s", hostID, host.Status)
	}
	name, err := k.addressCodec.BytesToString(requester)
	if err != nil {
		return err
	}
	open, err := k.challenge.open.Has(ctx, hostID)
	if err != nil {
		return err
	}
	waits, err := k.challenge.due.Has(ctx, hostID)
	if err != nil {
		return err
	}
	if open || waits {
		return types.ErrChallengeOpen.Wrapf("of host %d; ask again when it is over", hostID)
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(ordinals)))
	profiles := 0
	for _, ordinal := range sorted {
		gpu, err := k.GPU(ctx, hostID, ordinal)
		if err != nil {
			return err
		}
		class, err := k.classOf(ctx, gpu.DeclaredClass())
		if err != nil {
			return err
		}
		if !class.Profile.IsZero() {
			profiles++
		}
	}
	if profiles == 0 {
		return types.ErrNoProfile.Wrapf("GPUs %v of host %d", sorted, hostID)
	}
	return k.challenge.due.Set(ctx, hostID, types.DueChallenge{
		HostId: hostID, Reason: types.CHALLENGE_REASON_RENTER, Ordinals: sorted, Requester: name,
	})
}

// dueUnproven has the host's GPUs challenged in the next block whose proof is as
// told; while a challenge is open, or a renter's is due, nothing happens: its end
// looks again.
func (k *Keeper) dueUnproven(ctx context.Context, host *types.Host, is func(*types.ComputeProof) bool) error {
	open, err := k.challenge.open.Has(ctx, host.Id)
	if err != nil || open {
		return err
	}
	due, err := k.challenge.due.Get(ctx, host.Id)
	if err != nil && !isNotFound(err) {
		return err
	}
	if err == nil && due.Reason == types.CHALLENGE_REASON_RENTER {
		return nil
	}
	var ordinals []uint32
	for ordinal := range host.GpuCount {
		gpu, err := k.gpus.Get(ctx, collections.Join(host.Id, ordinal))
		if err != nil {
			return err
		}
		proof, err := k.proof(ctx, host.Id, ordinal)
		if err != nil {
			return err
		}
		class, err := k.classOf(ctx, gpu.DeclaredClass())
		if err != nil {
			return err
		}
		if !class.Profile.IsZero() && is(&proof) {
			ordinals = append(ordinals, ordinal)
		}
	}
	if len(ordinals) == 0 {
		return k.challenge.due.Remove(ctx, host.Id)
	}
	return k.challenge.due.Set(ctx, host.Id, types.DueChallenge{
		HostId: host.Id, Reason: types.CHALLENGE_REASON_REGISTRATION, Ordinals: ordinals,
	})
}
