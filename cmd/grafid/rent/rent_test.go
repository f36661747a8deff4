package rent

import (
	"bytes"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	"github.com/cosmos/cosmos-sdk/crypto/hd"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/offchain/executor/gateway"
	"github.com/grafilab/grafi/offchain/executor/token"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

func settled(t *testing.T, paid int64, provider, stakers, treasury, burned, rest string) abci.Event {
	t.Helper()
	e, err := sdk.TypedEventToEvent(&markettypes.EventRentalSettled{
		RentalId: 7, Paid: sdk.NewInt64Coin("ugrafi", paid), Provider: provider, Stakers: stakers, Treasury: treasury,
		Burned: burned, Rest: rest, PaidUntil: time.Unix(100, 0).UTC(),
	})
	require.NoError(t, err)
	// What a block adds to an event of its own.
	e = e.AppendAttributes(sdk.NewAttribute("mode", "EndBlock"))
	return abci.Event(e)
}

func rental(escrowed, paid, refunded, escrow int64) markettypes.Rental {
	return markettypes.Rental{
		Id: 7, Price: sdk.NewInt64Coin("ugrafi", 1), Escrowed: math.NewInt(escrowed), Paid: math.NewInt(paid),
		Refunded: math.NewInt(refunded), Escrow: math.NewInt(escrow), State: markettypes.RENTAL_STATE_CLOSED,
	}
}

func TestLedger(t *testing.T) {
	tests := map[string]struct {
		rental markettypes.Rental
		events []abci.Event
		wrong  []string
	}{
		"nothing paid":  {rental: rental(100, 0, 100, 0)},
		"two payments":  {rental: rental(100, 30, 70, 0), events: []abci.Event{settled(t, 10, "8", "1", "1", "0", "0"), settled(t, 20, "16", "1", "1", "1", "1")}},
		"still open":    {rental: rental(100, 10, 0, 90), events: []abci.Event{settled(t, 10, "10", "0", "0", "0", "")}},
		"parts are off": {rental: rental(100, 10, 90, 0), events: []abci.Event{settled(t, 10, "8", "1", "0", "0", "0")}, wrong: []string{"add up to 9, not 10"}},
		"event missing": {rental: rental(100, 10, 90, 0), wrong: []string{"the settlements paid 0, the rental says 10"}},
		"one is lost":   {rental: rental(100, 0, 99, 0), wrong: []string{"is 99, escrowed was 100"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var events story
			for _, e := range tc.events {
				require.NoError(t, events.add(e, 5, 7))
			}
			require.Len(t, events.settlements, len(tc.events))
			l := newLedger(tc.rental, events)
			require.Len(t, l.Wrong, len(tc.wrong), l.Wrong)
			for i := range tc.wrong {
				require.Contains(t, l.Wrong[i], tc.wrong[i])
			}
			var out bytes.Buffer
			require.NoError(t, l.print(&out))
			require.Equal(t, len(tc.wrong) == 0, bytes.Contains(out.Bytes(), []byte("every ugrafi adds up")))
		})
	}
}

func TestForeignEventsAreNotCounted(t *testing.T) {
	var events story
	require.NoError(t, events.add(settled(t, 1, "1", "0", "0", "0", "0"), 5, 8))
	require.NoError(t, events.add(abci.Event{Type: "transfer"}, 5, 7))
	require.Zero(t, events)
	require.ErrorContains(t, events.add(settled(t, 1, "one", "0", "0", "0", "0"), 5, 7), `"one" is no number`)
}

// What the operator's stake paid is told beside what the escrow paid.
func TestLedgerTellsOfTheStake(t *testing.T) {
	var events story
	for _, ev := range []proto.Message{
		&markettypes.EventServiceCredit{RentalId: 7, JudgedSlots: 10, MissedSlots: 3, Credit: "30", ToRenter: "30"},
		&markettypes.EventBondForfeited{RentalId: 7, Bond: "20", ToRenter: "19"},
		&markettypes.EventOfflinePenalty{RentalId: 7, FirstSlot: 4, Seconds: 1800, Penalty: "5", Taken: "5"},
		&markettypes.EventServiceCredit{RentalId: 8, Credit: "1", ToRenter: "1"},
	} {
		e, err := sdk.TypedEventToEvent(ev)
		require.NoError(t, err)
		require.NoError(t, events.add(abci.Event(e), 5, 7))
	}
	l := newLedger(rental(100, 0, 100, 0), events)
	var out bytes.Buffer
	require.NoError(t, l.print(&out))
	for _, line := range []string{
		"block 5: service credit of 30, 30 paid to the renter (3 of 10 judged slots missed)",
		"block 5: bond of 20, 19 paid to the renter\n",
		"block 5: offline penalty of 5, 5 paid (1800 s from slot 4 on)",
	} {
		require.Contains(t, out.String(), line)
	}
	require.Len(t, l.FromStake, 3)
}

// A rental that was re-placed took a part of its escrow with it.
func TestLedgerOfAReplacedRental(t *testing.T) {
	r := rental(100, 0, 40, 0)
	require.NotEmpty(t, newLedger(r, story{}).Wrong)
	r.Failover = &markettypes.Failover{Moved: math.NewInt(60)}
	require.Empty(t, newLedger(r, story{}).Wrong)
}

func TestLocalNames(t *testing.T) {
	files := func(paths ...string) []gateway.ResultFile {
		list := make([]gateway.ResultFile, len(paths))
		for i, p := range paths {
			list[i].Path = p
		}
		return list
	}
	require.Equal(t, []string{"a.png", "b.png"}, localNames(files("/out/a.png", "/data/x/b.png")))
	require.Equal(t, []string{"out/a.png", "data/a.png", "c"}, localNames(files("/out/a.png", "/data/a.png", "/out/c")))
	require.Equal(t, []string{"passwd", "etc/x", "y/x"}, localNames(files("/../../passwd", "/../etc/x", "/y/x")), "no path leaves the directory")
}

// What the keyring signs is what the gateway checks.
func TestTokensOfTheKeyring(t *testing.T) {
	registry := codectypes.NewInterfaceRegistry()
	cryptocodec.RegisterInterfaces(registry)
	ring := keyring.NewInMemory(codec.NewProtoCodec(registry))
	record, _, err := ring.NewMnemonic("renter", keyring.English, sdk.FullFundraiserPath, "", hd.Secp256k1)
	require.NoError(t, err)
	address, err := record.GetAddress()
	require.NoError(t, err)
	pub, err := record.GetPubKey()
	require.NoError(t, err)
	c := client.Context{}.WithKeyring(ring).WithFromName("renter").WithFromAddress(address)

	audience := token.Audience("grafi-1", 4, 7)
	issue, err := issuer(c, audience)
	require.NoError(t, err)
	raw, err := issue(token.ScopeLogs)
	require.NoError(t, err)
	_, err = token.Verify(raw, token.Expect{
		Audience: audience, Renter: address.String(), PubKey: pub, Scope: token.ScopeLogs, Now: time.Now(),
	})
	require.NoError(t, err)

	_, err = issuer(client.Context{}, audience)
	require.ErrorIs(t, err, errNoFrom)
}
