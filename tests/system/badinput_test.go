package system

import (
	"context"
	"maps"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	sdkmath "cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	errorsmod "cosmossdk.io/errors"

	"github.com/grafilab/grafi/internal/chainclient"
	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/testutil/localnet"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

const badInputPort = 27900

// TestBadInput gives the running programs what they must refuse. Each refusal
// says what is wrong and changes nothing.
func TestBadInput(t *testing.T) {
	ctx := newContext(t, 4*time.Minute)
	m := newMarket(t, ctx, badInputPort, localnet.Timing{Slot: 10 * time.Second, StartTimeout: 10 * time.Minute})
	image := counterImage(t, ctx)
	// The first challenge of the host changes what the market says of it.
	eventually(t, ctx, time.Minute, "a proven host", func() (bool, error) {
		resp, err := m.query().Listings(ctx, &markettypes.QueryListingsRequest{})
		return err == nil && len(resp.TrustTiers) == 1 && resp.TrustTiers[0] > 0, err
	})
	t.Run("messages", func(t *testing.T) { testBadMessages(t, ctx, m) })
	t.Run("manifests and tokens", func(t *testing.T) { testBadRequests(t, ctx, m, image) })
	t.Run("images", func(t *testing.T) { testBadImage(t, ctx, m, image) })
}

// testBadMessages sends transactions that pass the mempool and fail in a block.
func testBadMessages(t *testing.T, ctx context.Context, m *market) {
	listing, err := m.query().Listing(ctx, &markettypes.QueryListingRequest{ListingId: m.listing})
	require.NoError(t, err)
	all := uint32(len(listing.FreeGpus))
	poor := secp256k1.GenPrivKeyFromSecret([]byte("an account with one coin"))
	poorAddress, err := chainclient.Address(poor.PubKey())
	require.NoError(t, err)
	fund(t, ctx, m, poorAddress, chaininfo.BasePerDisplay)
	taken := openRental(t, ctx, m, all) // every GPU

	renter, stranger := keyOf(t, m.Network, "renter"), keyOf(t, m.Network, "stranger")
	rent := func(change func(*markettypes.MsgRent)) *markettypes.MsgRent {
		msg := m.rentMsg("stranger", 1)
		change(msg)
		return msg
	}
	tests := map[string]badInput{
		"unknown listing": {stranger, rent(func(r *markettypes.MsgRent) { r.ListingId = 99 }), markettypes.ErrListingNotFound, "99"},
		"GPU taken":       {stranger, rent(func(*markettypes.MsgRent) {}), markettypes.ErrNoFreeGPUs, "want 1"},
		"no GPUs":         {stranger, rent(func(r *markettypes.MsgRent) { r.GpuCount = 0 }), markettypes.ErrInvalidGPUs, "gpu_count is 0"},
		"more GPUs than there are": {stranger, rent(func(r *markettypes.MsgRent) { r.GpuCount = math.MaxUint32 }),
			markettypes.ErrInvalidGPUs, "4294967295"},
		"no time":       {stranger, rent(func(r *markettypes.MsgRent) { r.DurationSeconds = 0 }), markettypes.ErrInvalidDuration, "0"},
		"endless time":  {stranger, rent(func(r *markettypes.MsgRent) { r.DurationSeconds = math.MaxUint64 }), markettypes.ErrInvalidDuration, "18446744073709551615"},
		"wrong denom":   {stranger, rent(func(r *markettypes.MsgRent) { r.MaxPrice.Denom = "uatom" }), markettypes.ErrPriceTooHigh, "uatom"},
		"no price":      {stranger, rent(func(r *markettypes.MsgRent) { r.MaxPrice.Amount = sdkmath.ZeroInt() }), markettypes.ErrPriceTooHigh, "max_price is 0"},
		"price below 0": {stranger, rent(func(r *markettypes.MsgRent) { r.MaxPrice.Amount = sdkmath.NewInt(-1) }), markettypes.ErrPriceTooHigh, "-1"},
		"short digest":  {stranger, rent(func(r *markettypes.MsgRent) { r.ManifestDigest = []byte{1} }), markettypes.ErrInvalidDigest, "1 bytes"},
		"foreign rental": {stranger, &markettypes.MsgCloseRental{Sender: m.Accounts["stranger"], RentalId: taken},
			markettypes.ErrNotOwner, m.Accounts["renter"]},
		"foreign listing": {renter, &markettypes.MsgChangeListing{Operator: m.Accounts["renter"], ListingId: m.listing, Price: sdk.NewInt64Coin("ugrafi", 1)},
			markettypes.ErrNotOwner, m.Accounts["operator"]},
	}
	maps.Copy(tests, badTerms(m, stranger, keyOf(t, m.Network, "operator"), taken))
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) { requireRefused(t, ctx, m, tc.key, tc.msg, tc.want, tc.says) })
	}

	closeRental(t, ctx, m, taken)
	t.Run("not enough funds", func(t *testing.T) {
		msg := m.rentMsg("stranger", 1)
		msg.Renter = poorAddress
		requireRefused(t, ctx, m, poor, msg, sdkerrors.ErrInsufficientFunds, "escrow of "+strconv.Itoa(price)+"ugrafi")
	})
}

// requireRefused sends a message with enough gas, sees it fail in a block, and
// compares the market before and after. Only the fee is gone.
func requireRefused(t *testing.T, ctx context.Context, m *market, key cryptotypes.PrivKey, msg sdk.Msg, want *errorsmod.Error, says string) {
	t.Helper()
	before, rich := marketState(t, ctx, m), balanceOf(t, ctx, m, key)
	_, err := m.client.SubmitWith(ctx, key, chainclient.Options{GasLimit: sendGas}, msg)
	requireRefusedInBlock(t, err, want, says)
	require.Equal(t, before, marketState(t, ctx, m))
	require.Equal(t, rich-sendGas/100, balanceOf(t, ctx, m, key), "the fee, 0.01ugrafi for a unit of gas, and no more")
}

// requireRefusedInBlock checks that a transaction failed in a block, and with what.
func requireRefusedInBlock(t *testing.T, err error, want *errorsmod.Error, says string) {
	t.Helper()
	refused, ok := chainclient.AsRejected(err)
	require.True(t, ok, "%v", err)
	require.Equal(t, chainclient.StageDeliver, refused.Stage, "%s", refused.Log)
	require.Equal(t, want.Codespace(), refused.Codespace, "%s", refused.Log)
	require.Equal(t, want.ABCICode(), refused.Code, "%s", refused.Log)
	require.Contains(t, refused.Log, says)
}

// marketState is all that the market has in its state, as text.
func marketState(t *testing.T, ctx context.Context, m *market) string {
	t.Helper()
	var b strings.Builder
	listings, err := m.query().Listings(ctx, &markettypes.QueryListingsRequest{})
	require.NoError(t, err)
	b.WriteString(listings.String())
	for _, name := range []string{"renter", "stranger"} {
		rentals, err := m.query().RentalsByRenter(ctx, &markettypes.QueryRentalsByRenterRequest{Renter: m.Accounts[name]})
		require.NoError(t, err)
		b.WriteString(rentals.String())
	}
	m.requireSound(t, ctx)
	return b.String()
}

func balanceOf(t *testing.T, ctx context.Context, m *market, key cryptotypes.PrivKey) int64 {
	t.Helper()
	address, err := chainclient.Address(key.PubKey())
	require.NoError(t, err)
	resp, err := banktypes.NewQueryClient(m.client).Balance(ctx, &banktypes.QueryBalanceRequest{Address: address, Denom: chaininfo.BaseDenom})
	require.NoError(t, err)
	return resp.Balance.Amount.Int64()
}

func fund(t *testing.T, ctx context.Context, m *market, address string, amount int64) {
	t.Helper()
	_, err := m.client.Submit(ctx, keyOf(t, m.Network, "stranger"), &banktypes.MsgSend{
		FromAddress: m.Accounts["stranger"], ToAddress: address, Amount: sdk.NewCoins(sdk.NewInt64Coin(chaininfo.BaseDenom, amount)),
	})
	require.NoError(t, err)
}

// rentMsg is a good rent of an hour.
func (m *market) rentMsg(from string, gpus uint32) *markettypes.MsgRent {
	return &markettypes.MsgRent{
		Renter: m.Accounts[from], ListingId: m.listing, GpuCount: gpus, DurationSeconds: 3600,
		MaxPrice: sdk.NewInt64Coin(chaininfo.BaseDenom, price), ManifestDigest: make([]byte, markettypes.DigestSize),
	}
}

// openRental rents as the renter and sends no manifest.
func openRental(t *testing.T, ctx context.Context, m *market, gpus uint32) uint64 {
	t.Helper()
	return submitRent(t, ctx, m, m.rentMsg("renter", gpus))
}

func submitRent(t *testing.T, ctx context.Context, m *market, msg *markettypes.MsgRent) uint64 {
	t.Helper()
	res, err := m.client.Submit(ctx, keyOf(t, m.Network, "renter"), msg)
	require.NoError(t, err)
	var resp markettypes.MsgRentResponse
	require.NoError(t, res.Response(0, &resp))
	return resp.RentalId
}

// closeRental cancels a rental that has not started and sees all of it refunded.
func closeRental(t *testing.T, ctx context.Context, m *market, id uint64) {
	t.Helper()
	_, err := m.client.Submit(ctx, keyOf(t, m.Network, "renter"), &markettypes.MsgCloseRental{Sender: m.Accounts["renter"], RentalId: id})
	require.NoError(t, err)
	r, err := m.rental(ctx, id)
	require.NoError(t, err)
	require.Equal(t, markettypes.CLOSE_REASON_RENTER_CANCELLED, r.CloseReason)
	require.Equal(t, r.Escrowed, r.Refunded)
}
