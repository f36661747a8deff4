package keeper_test

import (
	"errors"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

var (
	errUnknownHost  = errors.New("unknown host")
	errBadSignature = errors.New("bad signature")
	errBank         = errors.New("bank refuses")
	errStake        = errors.New("not enough stake")
	errNoFreeStake  = errors.New("no free stake")
)

func createMsg() *types.MsgCreateListing {
	return &types.MsgCreateListing{
		Operator: str(operator), HostId: hostID, Tier: types.TIER_GENERAL, Price: coin(hourly), NoticeSeconds: 900,
	}
}

func rentMsg(listing uint64) *types.MsgRent {
	return &types.MsgRent{
		Renter: str(renter), ListingId: listing, GpuCount: 2, DurationSeconds: 3_600,
		MaxPrice: coin(hourly), ManifestDigest: digest,
	}
}

func confirmMsg(id uint64) *types.MsgConfirmStart {
	return &types.MsgConfirmStart{Sender: str(stranger), RentalId: id, AgentSignature: sign(types.DomainStart,
		&types.StartReport{ChainId: chainID, HostId: hostID, RentalId: id, ManifestDigest: digest})}
}

func resultMsg(id uint64) *types.MsgReportResult {
	result := types.WorkloadResult{ExitKnown: true, ExitCode: 3, OutputDigest: sha256Of("output"), Seconds: 30}
	return &types.MsgReportResult{Sender: str(stranger), RentalId: id, Result: result,
		AgentSignature: sign(types.DomainResult,
			&types.ResultReport{ChainId: chainID, HostId: hostID, RentalId: id, Result: result})}
}

// requireState compares the whole state with the wanted one, which is passed
// through its encoding first: a zero math.Int has more than one form in memory.
func requireState(t *testing.T, f *fixture, want types.GenesisState, why ...any) {
	t.Helper()
	if want.PriceBuckets == nil {
		indexClosed(&want)
	}
	bz, err := want.Marshal()
	require.NoError(t, err)
	var decoded types.GenesisState
	require.NoError(t, decoded.Unmarshal(bz))
	require.Equal(t, decoded, f.state(), why...)
}

// requireEvents compares the module's events of this block with the wanted ones.
func requireEvents(t *testing.T, f *fixture, want ...proto.Message) {
	t.Helper()
	var events sdk.Events
	for _, w := range want {
		e, err := sdk.TypedEventToEvent(w)
		require.NoError(t, err)
		events = append(events, e)
	}
	require.Equal(t, events, f.events())
}

// requireRefused delivers a message that must fail and leave no trace.
func requireRefused(t *testing.T, f *fixture, want error, send func() error) {
	t.Helper()
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
	before, paid := f.state(), f.balance(renter)
	require.ErrorIs(t, send(), want)
	requireState(t, f, before, "a failed message leaves no trace")
	require.Equal(t, paid, f.balance(renter))
	require.Empty(t, f.events())
	f.checkInvariants()
}
