package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

func TestUpdateParams(t *testing.T) {
	f := newFixture(t)
	want := f.state()
	want.Params.SilenceSlots, want.Params.RestAddress = 5, str(stranger)

	_, err := deliver(f, f.msg.UpdateParams, &types.MsgUpdateParams{Authority: str(authority), Params: want.Params})

	require.NoError(t, err)
	requireState(t, f, want)
	requireEvents(t, f, &types.EventParamsUpdated{Authority: str(authority)})
}

func TestUpdateParamsRefuses(t *testing.T) {
	tests := map[string]struct {
		authority string
		change    func(*types.Params)
		want      error
	}{
		"not the authority":        {authority: str(renter), change: func(*types.Params) {}, want: sdkerrors.ErrUnauthorized},
		"out of range":             {change: func(p *types.Params) { p.DeadlineBudget = 0 }, want: types.ErrInvalidParams},
		"bad rest address":         {change: func(p *types.Params) { p.RestAddress = "cosmos1" }, want: types.ErrInvalidParams},
		"rest to a module account": {change: func(p *types.Params) { p.RestAddress = moduleAccount() }, want: types.ErrInvalidParams},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			msg := &types.MsgUpdateParams{Authority: str(authority), Params: f.state().Params}
			if tc.authority != "" {
				msg.Authority = tc.authority
			}
			tc.change(&msg.Params)
			requireRefused(t, f, tc.want, func() error { _, err := deliver(f, f.msg.UpdateParams, msg); return err })
		})
	}
}
