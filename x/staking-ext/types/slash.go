package types

import (
	"time"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// SlashRequest asks to take stake for one fault.
type SlashRequest struct {
	Operator sdk.AccAddress
	Fault    Fault
	// FractionPPM of what is at risk is taken: own stake, and unbonding entries
	// begun after CommittedAt.
	FractionPPM uint64
	// CommittedAt is the time of the fault, not of its proof.
	CommittedAt time.Time
	// Victim is served first, up to VictimLoss; nil when nobody was injured.
	Victim     sdk.AccAddress
	VictimLoss math.Int
	// Reporter gets the reporter's share; nil when the chain itself found the
	// fault, and then the share is burned.
	Reporter sdk.AccAddress
}

// SlashResult tells where every unit went:
// Victim + Reporter + Insurance + Burned = FromOwnStake + FromUnbonding.
type SlashResult struct {
	FromOwnStake, FromUnbonding         math.Int
	Victim, Reporter, Insurance, Burned math.Int
}
