package types

import (
	"time"

	"cosmossdk.io/core/address"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// DefaultGenesis has the default params, and nothing earned yet.
func DefaultGenesis() *GenesisState {
	return &GenesisState{Params: DefaultParams(), Mining: NewMining()}
}

// NewMining returns the state before the first block.
func NewMining() Mining {
	zero := math.ZeroInt()
	return Mining{Minted: zero, DatacenterCarry: zero, ContributorCarry: zero, DatacenterRho: zero, ContributorRho: zero}
}

// maxAmountBits bounds a stored amount, so that a sum of 2^90 of them stays
// inside the 256 bits of a math.Int.
const maxAmountBits = 160

func isAmount(n math.Int) bool {
	return !n.IsNil() && !n.IsNegative() && n.BigInt().BitLen() <= maxAmountBits
}

func isScaled(n math.Int) bool {
	return !n.IsNil() && !n.IsNegative() && n.BigInt().BitLen() <= maxScaledBits
}

// Validate checks the whole state: params, each record, and that no record
// appears twice. What the accounts hold is checked by InitGenesis.
//
// Errors: ErrInvalidParams, ErrInvalidGenesis.
func (gs GenesisState) Validate(addresses address.Codec) error {
	if err := gs.Params.Validate(); err != nil {
		return err
	}
	if err := gs.validateMining(addresses); err != nil {
		return err
	}
	if err := gs.validateTranches(addresses); err != nil {
		return err
	}
	if err := gs.validatePools(addresses); err != nil {
		return err
	}
	if gs.Stream == nil {
		return nil
	}
	return gs.Stream.validate()
}

func (gs GenesisState) validateTranches(addresses address.Codec) error {
	type key struct {
		operator string
		day      uint64
	}
	seen := map[key]bool{}
	for _, t := range gs.Tranches {
		if err := checkAddress(addresses, "tranche of", t.Operator); err != nil {
			return err
		}
		if seen[key{t.Operator, t.Day}] {
			return ErrInvalidGenesis.Wrapf("tranche of %s and day %d twice", t.Operator, t.Day)
		}
		seen[key{t.Operator, t.Day}] = true
		if !isAmount(t.Amount) || !isAmount(t.Paid) || t.Paid.GTE(t.Amount) {
			return ErrInvalidGenesis.Wrapf("tranche of %s and day %d: paid %s of %s, want less than all of it", t.Operator, t.Day, t.Paid, t.Amount)
		}
		if t.StartsAt.IsZero() || t.EndsAt.Before(t.StartsAt) || !isWholeSecond(t.StartsAt) || !isWholeSecond(t.EndsAt) {
			return ErrInvalidGenesis.Wrapf("tranche of %s and day %d: from %s to %s, want whole seconds in this order",
				t.Operator, t.Day, t.StartsAt.Format(time.RFC3339Nano), t.EndsAt.Format(time.RFC3339Nano))
		}
	}
	return nil
}

func isWholeSecond(t time.Time) bool { return t.Equal(t.Truncate(time.Second)) }

// poolKey identifies a pool of stakers.
type poolKey struct{ operator, denom string }

func (gs GenesisState) validatePools(addresses address.Codec) error {
	pools := map[poolKey]StakerPool{}
	for _, p := range gs.Pools {
		if err := checkAddress(addresses, "pool of", p.Operator); err != nil {
			return err
		}
		if err := sdk.ValidateDenom(p.Denom); err != nil {
			return ErrInvalidGenesis.Wrapf("pool of %s: %s", p.Operator, err)
		}
		if _, twice := pools[poolKey{p.Operator, p.Denom}]; twice {
			return ErrInvalidGenesis.Wrapf("pool of %s and %s twice", p.Operator, p.Denom)
		}
		if !isScaled(p.PerShare) || !isScaled(p.Remainder) || !isAmount(p.Unsettled) {
			return ErrInvalidGenesis.Wrapf("pool of %s and %s: per_share %s, remainder %s, unsettled %s, want none of them negative or too large",
				p.Operator, p.Denom, p.PerShare, p.Remainder, p.Unsettled)
		}
		if whole, _ := Earned(math.OneInt(), p.Remainder, math.ZeroInt()); whole.GT(p.Unsettled) {
			return ErrInvalidGenesis.Wrapf("pool of %s and %s: remainder of %s units, but only %s unsettled", p.Operator, p.Denom, whole, p.Unsettled)
		}
		pools[poolKey{p.Operator, p.Denom}] = p
	}
	type stakerKey struct{ delegator, operator string }
	seen := map[stakerKey]bool{}
	for _, s := range gs.Stakers {
		if err := checkAddress(addresses, "staker", s.Delegator); err != nil {
			return err
		}
		if err := checkAddress(addresses, "operator", s.Operator); err != nil {
			return err
		}
		if seen[stakerKey{s.Delegator, s.Operator}] {
			return ErrInvalidGenesis.Wrapf("staker %s of %s twice", s.Delegator, s.Operator)
		}
		seen[stakerKey{s.Delegator, s.Operator}] = true
		if err := s.validate(pools); err != nil {
			return err
		}
	}
	return nil
}

// validate checks a record against the pools it was settled in.
func (s Staker) validate(pools map[poolKey]StakerPool) error {
	if err := s.Claimable.Validate(); err != nil {
		return ErrInvalidGenesis.Wrapf("staker %s of %s: %s", s.Delegator, s.Operator, err)
	}
	for _, c := range s.Claimable {
		if !isAmount(c.Amount) {
			return ErrInvalidGenesis.Wrapf("staker %s of %s: claimable %s is too large", s.Delegator, s.Operator, c)
		}
	}
	if len(s.Marks) == 0 && s.Claimable.IsZero() {
		return ErrInvalidGenesis.Wrapf("staker %s of %s: neither a mark nor anything to claim", s.Delegator, s.Operator)
	}
	last := ""
	for _, m := range s.Marks {
		pool, known := pools[poolKey{s.Operator, m.Denom}]
		if !known || m.Denom <= last {
			return ErrInvalidGenesis.Wrapf("staker %s of %s: mark of %q, want pools of the operator in ascending order", s.Delegator, s.Operator, m.Denom)
		}
		last = m.Denom
		if !isScaled(m.PerShare) || m.PerShare.GT(pool.PerShare) {
			return ErrInvalidGenesis.Wrapf("staker %s of %s: mark at %s of %s, want 0 to %s", s.Delegator, s.Operator, m.PerShare, m.Denom, pool.PerShare)
		}
	}
	return nil
}

func (s Stream) validate() error {
	if !isAmount(s.Total) || !isAmount(s.Minted) || s.Minted.GT(s.Total) {
		return ErrInvalidGenesis.Wrapf("stream: minted %s of %s", s.Minted, s.Total)
	}
	if s.StartsAt.IsZero() || s.EndsAt.Before(s.StartsAt) || s.LastMintedAt.Before(s.StartsAt) ||
		!isWholeSecond(s.StartsAt) || !isWholeSecond(s.EndsAt) {
		return ErrInvalidGenesis.Wrapf("stream: from %s to %s, last minted at %s, want whole seconds in this order",
			s.StartsAt.Format(time.RFC3339Nano), s.EndsAt.Format(time.RFC3339Nano), s.LastMintedAt.Format(time.RFC3339Nano))
	}
	return nil
}

func checkAddress(addresses address.Codec, what, text string) error {
	if _, err := addresses.StringToBytes(text); err != nil {
		return ErrInvalidGenesis.Wrapf("%s %q: %s", what, text, err)
	}
	return nil
}
