package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

func h100Class() types.HardwareClass {
	for _, c := range types.DefaultClasses() {
		if c.Key == "nvidia-h100-80gb-sxm" {
			return c
		}
	}
	panic("no H100")
}

func (f *fixture) setClass(class types.HardwareClass) (time.Time, error) {
	resp, err := f.msg.SetHardwareClass(f.ctx, &types.MsgSetHardwareClass{Authority: text(gov), Class: class})
	if err != nil {
		return time.Time{}, err
	}
	return resp.AppliesAt, nil
}

func TestClassChange(t *testing.T) {
	f := newFixture(t)
	f.register(2)
	class := h100Class()
	class.WeightPpm = 12_000_000
	class.Calibrated, class.Source = true, "measured"
	before := f.state()
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())

	at, err := f.setClass(class)

	require.NoError(t, err)
	require.Equal(t, start.Add(14*24*time.Hour), at)
	want := before
	want.PendingClasses = []types.PendingClass{{Class: class, AppliesAt: at}}
	require.Equal(t, want, f.state())
	event, err := sdk.TypedEventToEvent(&types.EventClassChangeScheduled{Class: class.Key, AppliesAt: at})
	require.NoError(t, err)
	f.told(event)
	f.sound()

	f.at(at.Add(-time.Nanosecond))
	f.endBlock()
	require.Len(t, f.state().PendingClasses, 1, "a moment before the end of the lock")
	f.at(at)
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
	f.endBlock()
	event, err = sdk.TypedEventToEvent(&types.EventClassChanged{Class: class.Key, WeightPpm: 12_000_000})
	require.NoError(t, err)
	f.told(event)
	require.Empty(t, f.state().PendingClasses)
	require.Contains(t, f.state().Classes, class)
	require.Equal(t, map[string]uint64{"1/0": 12_000_000, "1/1": 12_000_000}, f.staking.weights)
	require.Zero(t, f.state().RefreshFromHost)
	f.sound()
}

func TestClassChangeRefused(t *testing.T) {
	f := newFixture(t)
	for name, tc := range map[string]struct {
		change func(*types.HardwareClass)
		want   error
	}{
		"up by more than 20 %":   {func(c *types.HardwareClass) { c.WeightPpm = 12_000_001 }, types.ErrWeightChange},
		"down by more than 20 %": {func(c *types.HardwareClass) { c.WeightPpm = 7_999_999 }, types.ErrWeightChange},
		"bad key":                {func(c *types.HardwareClass) { c.Key = "H100" }, types.ErrInvalidClass},
		"no patterns":            {func(c *types.HardwareClass) { c.NamePatterns = nil }, types.ErrInvalidClass},
		"memory upside down":     {func(c *types.HardwareClass) { c.MinMemoryMib = c.MaxMemoryMib + 1 }, types.ErrInvalidClass},
		"weight over the most":   {func(c *types.HardwareClass) { c.Key, c.WeightPpm = "new", types.MaxWeightPPM+1 }, types.ErrInvalidClass},
		"no source":              {func(c *types.HardwareClass) { c.Source = "" }, types.ErrInvalidClass},
	} {
		t.Run(name, func(t *testing.T) {
			class := h100Class()
			tc.change(&class)
			f.failsWithoutTrace(tc.want, func() error { _, err := f.setClass(class); return err })
		})
	}
	f.failsWithoutTrace(types.ErrUnauthorized, func() error {
		_, err := f.msg.SetHardwareClass(f.ctx, &types.MsgSetHardwareClass{Authority: text(operator), Class: h100Class()})
		return err
	})
}

// TestClassReplaced: a second change of a waiting one starts the wait anew.
func TestClassReplaced(t *testing.T) {
	f := newFixture(t)
	class := h100Class()
	class.WeightPpm = 11_000_000
	_, err := f.setClass(class)
	require.NoError(t, err)
	f.at(start.Add(time.Hour))
	class.WeightPpm = 9_000_000
	second, err := f.setClass(class)
	require.NoError(t, err)
	f.sound()
	f.at(start.Add(14 * 24 * time.Hour))
	f.endBlock()
	require.Equal(t, []types.PendingClass{{Class: class, AppliesAt: second}}, f.state().PendingClasses)
	f.at(second)
	f.endBlock()
	require.Contains(t, f.state().Classes, class)
}

// TestNewClassWaits: a new class is time-locked too, applies with a budget, and
// is found for GPUs declared from then on.
func TestNewClassWaits(t *testing.T) {
	f := newFixture(t)
	f.register(1)
	for i := range types.ClassBudget + 2 {
		class := h100Class()
		class.Key, class.NamePatterns = fmt.Sprintf("new-%02d", i), []string{fmt.Sprintf("Card %02d", i)}
		_, err := f.setClass(class)
		require.NoError(t, err)
	}
	f.at(start.Add(14 * 24 * time.Hour))
	f.endBlock()
	require.Len(t, f.state().PendingClasses, 2, "the rest carries over")
	f.endBlock()
	require.Empty(t, f.state().PendingClasses)
	require.Zero(t, f.state().RefreshFromHost, "no weight changed")
	_, err := f.k.UpdateInventory(f.ctx, operator, 1, []types.GpuInventory{{Name: "card 03", Uuid: "x", MemoryMib: 80_000}})
	require.NoError(t, err)
	require.Equal(t, "new-03", f.state().Gpus[0].Class)
}

func TestTooManyClasses(t *testing.T) {
	gs := genesis()
	for i := len(gs.Classes); i < types.MaxClasses-1; i++ {
		class := h100Class()
		class.Key = fmt.Sprintf("c-%d", i)
		gs.Classes = append(gs.Classes, class)
	}
	f := newFixtureWith(t, gs)
	class := h100Class()
	class.Key = "last"
	_, err := f.setClass(class)
	require.NoError(t, err)
	class.Key = "over"
	f.failsWithoutTrace(types.ErrTooManyClasses, func() error { _, err := f.setClass(class); return err })
	class.Key = "last"
	_, err = f.setClass(class)
	require.NoError(t, err, "changing what waits adds none")
}

// TestRefreshIsBounded: the stake of existing GPUs follows a class in the
// background, a budget a block; a host that fails stops nobody else.
func TestRefreshIsBounded(t *testing.T) {
	f := newFixture(t)
	const hosts = 12 // 17 units each: 3 hosts a block
	for range hosts {
		f.register(16)
	}
	class := h100Class()
	class.WeightPpm = 9_000_000
	at, err := f.setClass(class)
	require.NoError(t, err)
	f.at(at)
	f.staking.err, f.staking.failHost = errRefused, 2

	changed := func() (n int) {
		for _, w := range f.staking.weights {
			if w == 9_000_000 {
				n++
			}
		}
		return n
	}
	last := 0
	for block := range 4 {
		require.Equal(t, block == 0, f.state().RefreshFromHost == 0)
		f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
		f.endBlock()
		n := changed() - last
		require.LessOrEqual(t, n, types.RefreshBudget)
		require.Positive(t, n)
		last += n
		if block == 0 {
			event, err := sdk.TypedEventToEvent(&types.EventRefreshFailed{HostId: 2, Error: errRefused.Error()})
			require.NoError(t, err)
			require.Contains(t, f.ctx.EventManager().Events(), event)
			again := newFixtureWith(t, f.state())
			require.EqualValues(t, 4, again.state().RefreshFromHost, "an export in the middle goes on where it was")
		}
	}
	require.Zero(t, f.state().RefreshFromHost)
	require.Equal(t, (hosts-1)*16, last, "all but host 2")
}

func TestUpdateParams(t *testing.T) {
	f := newFixture(t)
	update := func(change func(*types.Params)) func() error {
		return func() error {
			params := types.DefaultParams()
			change(&params)
			_, err := f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: text(gov), Params: params})
			return err
		}
	}
	f.failsWithoutTrace(types.ErrImmutableParam, update(func(p *types.Params) { p.SlotSeconds = 300 }))
	f.failsWithoutTrace(types.ErrImmutableParam, update(func(p *types.Params) { p.SlotsPerDay = 100 }))
	f.failsWithoutTrace(types.ErrInvalidParams, update(func(p *types.Params) { p.MaxBatch = 0 }))
	f.failsWithoutTrace(types.ErrUnauthorized, func() error {
		_, err := f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: text(other), Params: types.DefaultParams()})
		return err
	})
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
	require.NoError(t, update(func(p *types.Params) { p.MaxBatch = 2 })())
	require.EqualValues(t, 2, f.state().Params.MaxBatch)
	event, err := sdk.TypedEventToEvent(&types.EventParamsUpdated{Authority: text(gov)})
	require.NoError(t, err)
	f.told(event)
}
