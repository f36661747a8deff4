package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/cosmos/cosmos-sdk/codec"

	"github.com/grafilab/grafi/x/attestation/types"
)

// challengeState holds what proofs of compute need.
type challengeState struct {
	clock  collections.Item[types.ChallengeClock]
	open   collections.Map[uint64, types.Challenge] // host id → its challenge
	ids    collections.Map[uint64, uint64]          // host id → last challenge id
	proofs collections.Map[gpuKey, types.ComputeProof]
	// queue holds one entry for each challenge: what it waits for, until when, and
	// its host. Derived from the challenges.
	queue collections.KeySet[queueKey]
	due   collections.Map[uint64, types.DueChallenge] // host id → challenge of the next block
	// operators counts the operators that have, or had, a host. Derived from hosts.
	operators collections.Item[uint64]
}

// gpuKey is (host, ordinal).
type gpuKey = collections.Pair[uint64, uint32]

// queueKey is (kind, at, host).
type queueKey = collections.Triple[uint32, uint64, uint64]

// Kinds of the queue.
const (
	// untilClock: at is the last millisecond of the challenge clock that is in time.
	untilClock = uint32(iota)
	// untilHeight: at is the first height whose beacon may be the sample.
	untilHeight
	// untilJudged: at is the slot that must be judged.
	untilJudged
)

func newChallengeState(sb *collections.SchemaBuilder, cdc codec.BinaryCodec) challengeState {
	return challengeState{
		clock:  collections.NewItem(sb, types.ChallengeClockPrefix, "challenge_clock", codec.CollValue[types.ChallengeClock](cdc)),
		open:   collections.NewMap(sb, types.ChallengesPrefix, "challenges", collections.Uint64Key, codec.CollValue[types.Challenge](cdc)),
		ids:    collections.NewMap(sb, types.ChallengeIDsPrefix, "challenge_ids", collections.Uint64Key, collections.Uint64Value),
		proofs: collections.NewMap(sb, types.ComputeProofsPrefix, "compute_proofs", collections.PairKeyCodec(collections.Uint64Key, collections.Uint32Key), codec.CollValue[types.ComputeProof](cdc)),
		queue: collections.NewKeySet(sb, types.ChallengeQueuePrefix, "challenge_queue",
			collections.TripleKeyCodec(collections.Uint32Key, collections.Uint64Key, collections.Uint64Key)),
		due:       collections.NewMap(sb, types.ChallengeDuePrefix, "challenge_due", collections.Uint64Key, codec.CollValue[types.DueChallenge](cdc)),
		operators: collections.NewItem(sb, types.OperatorCountPrefix, "operator_count", collections.Uint64Value),
	}
}

// queueEntry is what the challenge waits for.
func queueEntry(c *types.Challenge) queueKey {
	switch c.State {
	case types.CHALLENGE_STATE_COMMITTED:
		return collections.Join3(untilHeight, uint64(c.SampleHeight), c.HostId)
	case types.CHALLENGE_STATE_SAMPLED:
		return collections.Join3(untilClock, c.OpenByMs, c.HostId)
	case types.CHALLENGE_STATE_UNANSWERED:
		return collections.Join3(untilJudged, c.EndedSlot, c.HostId)
	default:
		return collections.Join3(untilClock, c.CommitByMs, c.HostId)
	}
}

// setChallenge writes a challenge and its queue entry; before is the entry that it
// had, or nil for a new one.
func (k *Keeper) setChallenge(ctx context.Context, c *types.Challenge, before *queueKey) error {
	after := queueEntry(c)
	if before != nil && *before != after {
		if err := k.challenge.queue.Remove(ctx, *before); err != nil {
			return err
		}
	}
	if before == nil || *before != after {
		if err := k.challenge.queue.Set(ctx, after); err != nil {
			return err
		}
	}
	return k.challenge.open.Set(ctx, c.HostId, *c)
}

// removeChallenge ends a challenge. GPUs that were declared while it was open and
// have no result yet are challenged next.
func (k *Keeper) removeChallenge(ctx context.Context, hostID uint64, entry queueKey) error {
	if err := k.challenge.queue.Remove(ctx, entry); err != nil {
		return err
	}
	if err := k.challenge.open.Remove(ctx, hostID); err != nil {
		return err
	}
	host, err := k.Host(ctx, hostID)
	if err != nil {
		return err
	}
	return k.dueUnproven(ctx, &host, func(p *types.ComputeProof) bool { return len(p.Days) == 0 })
}

// waiting returns the first entries of the kind that fulfil the condition on at,
// at most n; entries ascend, so the first that doesn't ends the search.
func (k *Keeper) waiting(ctx context.Context, kind uint32, n int, over func(at uint64) (bool, error)) ([]queueKey, error) {
	var keys []queueKey
	err := k.challenge.queue.Walk(ctx, collections.NewPrefixedTripleRange[uint32, uint64, uint64](kind), func(key queueKey) (bool, error) {
		ok, err := over(key.K2())
		if err != nil || !ok || len(keys) == n {
			return true, err
		}
		keys = append(keys, key)
		return false, nil
	})
	return keys, err
}

// proof returns what challenges have shown of a GPU; nothing when there were none.
func (k *Keeper) proof(ctx context.Context, hostID uint64, ordinal uint32) (types.ComputeProof, error) {
	p, err := k.challenge.proofs.Get(ctx, collections.Join(hostID, ordinal))
	if isNotFound(err) {
		return types.ComputeProof{HostId: hostID, Ordinal: ordinal}, nil
	}
	return p, err
}

func (k *Keeper) setProof(ctx context.Context, p *types.ComputeProof) error {
	return k.challenge.proofs.Set(ctx, collections.Join(p.HostId, p.Ordinal), *p)
}
