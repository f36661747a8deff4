package keeper

import (
	"cosmossdk.io/collections"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// matchState is what the search for offers, the invitations and the price index
// keep. The offers and the queue are derived from the listings, the calendar and
// the invitations.
type matchState struct {
	offers               collections.KeySet[offerKey]
	invitations          collections.Map[invitationKey, types.Invitation]
	invitationsByAccount collections.KeySet[collections.Pair[sdk.AccAddress, uint64]]
	invitationQueue      collections.KeySet[expiryKey]
	// GPU-seconds by price and hour, by pair of parties and day, and by day.
	prices      collections.Map[priceKey, uint64]
	pairVolumes collections.Map[pairKey, uint64]
	dayVolumes  collections.Map[dayKey, uint64]
}

func newMatchState(sb *collections.SchemaBuilder, cdc codec.BinaryCodec) matchState {
	return matchState{
		offers: collections.NewKeySet(sb, types.OffersPrefix, "offers", offerKeyCodec),
		invitations: collections.NewMap(sb, types.InvitationsPrefix, "invitations",
			invitationKeyCodec, codec.CollValue[types.Invitation](cdc)),
		invitationsByAccount: collections.NewKeySet(sb, types.InvitationsByAcctPrefix, "invitations_by_account",
			collections.PairKeyCodec(sdk.AccAddressKey, collections.Uint64Key)),
		invitationQueue: collections.NewKeySet(sb, types.InvitationQueuePrefix, "invitation_queue", expiryKeyCodec),
		prices: collections.NewMap(sb, types.PriceBucketsPrefix, "price_buckets",
			priceKeyCodec, collections.Uint64Value),
		pairVolumes: collections.NewMap(sb, types.PairVolumesPrefix, "pair_volumes",
			pairKeyCodec, collections.Uint64Value),
		dayVolumes: collections.NewMap(sb, types.DayVolumesPrefix, "day_volumes", dayKeyCodec, collections.Uint64Value),
	}
}
