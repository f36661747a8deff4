package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

func TestRegisterHost(t *testing.T) {
	f := newFixture(t)
	before := f.state()
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
	msg := registration(t, operator, agentKey(1), h100s(1, 2))
	msg.Capacity = 8
	msg.Gpus[1].Name = "Homemade GPU"

	resp, err := f.msg.RegisterHost(f.ctx, msg)

	require.NoError(t, err)
	require.EqualValues(t, 1, resp.HostId)
	want := before
	want.NextHostId, want.NextGpu = 2, 8
	want.Hosts = []types.Host{{
		Id: 1, Operator: text(operator), Status: types.HOST_STATUS_ACTIVE, Region: "DE", Endpoint: msg.Endpoint,
		AgentKeys:     []types.AgentKey{{PublicKey: public(agentKey(1)), FromSlot: startSlot}},
		EncryptionKey: encryptionKey(1), Capacity: 8, GpuCount: 2, Generation: 1, RegisteredAt: start,
	}}
	want.Gpus = []types.Gpu{
		{HostId: 1, Ordinal: 0, Class: "nvidia-h100-80gb-sxm", Inventory: msg.Gpus[0]},
		{HostId: 1, Ordinal: 1, Class: "", Inventory: msg.Gpus[1]},
	}
	require.Equal(t, want, f.state())
	require.Equal(t, map[string]uint64{"1/0": 10_000_000, "1/1": 0}, f.staking.weights, "no class weighs nothing")
	event, err := sdk.TypedEventToEvent(&types.EventHostRegistered{HostId: 1, Operator: text(operator), Gpus: 2})
	require.NoError(t, err)
	f.told(event)
	f.sound()
}

func TestRegisterHostRefused(t *testing.T) {
	f := newFixture(t)
	f.register(1)
	for name, tc := range map[string]struct {
		change func(*types.MsgRegisterHost)
		want   error
	}{
		"not an operator":             {func(m *types.MsgRegisterHost) { m.Operator = text(gov) }, types.ErrNotOperator},
		"binding of another operator": {func(m *types.MsgRegisterHost) { m.Operator = text(other) }, types.ErrInvalidSignature},
		"region in words":             {func(m *types.MsgRegisterHost) { m.Region = "Germany" }, types.ErrInvalidRegion},
		"plain http":                  {func(m *types.MsgRegisterHost) { m.Endpoint = "http://gpu1.example.com" }, types.ErrInvalidEndpoint},
		"no GPUs":                     {func(m *types.MsgRegisterHost) { m.Gpus = nil }, types.ErrInvalidInventory},
		"17 GPUs":                     {func(m *types.MsgRegisterHost) { m.Gpus = h100s(2, 17) }, types.ErrInvalidInventory},
		"one GPU twice":               {func(m *types.MsgRegisterHost) { m.Gpus = append(m.Gpus, m.Gpus[0]) }, types.ErrInvalidInventory},
		"GPU without memory":          {func(m *types.MsgRegisterHost) { m.Gpus[0].MemoryMib = 0 }, types.ErrInvalidInventory},
		"capacity under the GPUs":     {func(m *types.MsgRegisterHost) { m.Capacity = 1 }, types.ErrInvalidHost},
		"capacity over the most":      {func(m *types.MsgRegisterHost) { m.Capacity = 17 }, types.ErrInvalidHost},
		"largest capacity":            {func(m *types.MsgRegisterHost) { m.Capacity = 1<<32 - 1 }, types.ErrInvalidHost},
		"agent key in use":            {func(m *types.MsgRegisterHost) { m.AgentKey = public(agentKey(1)) }, types.ErrAgentKeyInUse},
		"no agent key":                {func(m *types.MsgRegisterHost) { m.AgentKey = nil }, types.ErrInvalidAgentKey},
		"key that is no point":        {func(m *types.MsgRegisterHost) { m.AgentKey = append([]byte{2}, make([]byte, 31)...) }, types.ErrInvalidAgentKey},
		"zero encryption key":         {func(m *types.MsgRegisterHost) { m.EncryptionKey = make([]byte, 32) }, types.ErrInvalidHost},
		"foreign signature":           {func(m *types.MsgRegisterHost) { m.AgentSignature[0] ^= 1 }, types.ErrInvalidSignature},
	} {
		t.Run(name, func(t *testing.T) {
			msg := registration(t, operator, agentKey(2), h100s(2, 2))
			tc.change(msg)
			f.failsWithoutTrace(tc.want, func() error { _, err := f.msg.RegisterHost(f.ctx, msg); return err })
		})
	}
}

// TestRangesSkipToTheNextBucket: a host that would straddle two records of 4,096
// starts in the second.
func TestRangesSkipToTheNextBucket(t *testing.T) {
	gs := genesis()
	gs.NextGpu = 4_090
	f := newFixtureWith(t, gs)
	for i, want := range []struct{ gpus, first uint64 }{{4, 4_090}, {2, 4_094}, {1, 4_096}} {
		id := f.register(int(want.gpus))
		host, err := f.k.Host(f.ctx, id)
		require.NoError(t, err)
		require.Equal(t, want.first, host.FirstGpu, "host %d", i)
	}
	f2 := newFixtureWith(t, gs)
	f2.register(8)
	require.EqualValues(t, 4_096, f2.state().Hosts[0].FirstGpu)
	require.EqualValues(t, 4_104, f2.state().NextGpu)
	f2.slot(startSlot + 1)
	f2.mustSubmit(f2.group(startSlot, f2.good(1, startSlot)))
	require.Equal(t, []types.SlotBitmap{{Slot: startSlot, Bucket: 1, Bits: []byte{0xff}}}, f2.state().Up)
	f2.sound()
}

func TestUpdateHost(t *testing.T) {
	f := newFixture(t)
	f.register(1)
	msg := func() *types.MsgUpdateHost {
		return &types.MsgUpdateHost{
			Operator: text(operator), HostId: 1, Region: "US-CA", Endpoint: "https://[2001:db8::1]:443", EncryptionKey: encryptionKey(7),
		}
	}
	for name, tc := range map[string]struct {
		change func(*types.MsgUpdateHost)
		want   error
	}{
		"foreign owner":     {func(m *types.MsgUpdateHost) { m.Operator = text(other) }, types.ErrNotOwner},
		"unknown host":      {func(m *types.MsgUpdateHost) { m.HostId = 2 }, types.ErrHostNotFound},
		"no region":         {func(m *types.MsgUpdateHost) { m.Region = "" }, types.ErrInvalidRegion},
		"endpoint and path": {func(m *types.MsgUpdateHost) { m.Endpoint += "/x" }, types.ErrInvalidEndpoint},
		"no encryption key": {func(m *types.MsgUpdateHost) { m.EncryptionKey = nil }, types.ErrInvalidHost},
	} {
		t.Run(name, func(t *testing.T) {
			m := msg()
			tc.change(m)
			f.failsWithoutTrace(tc.want, func() error { _, err := f.msg.UpdateHost(f.ctx, m); return err })
		})
	}
	want := f.state()
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
	_, err := f.msg.UpdateHost(f.ctx, msg())
	require.NoError(t, err)
	want.Hosts[0].Region, want.Hosts[0].Endpoint, want.Hosts[0].EncryptionKey = "US-CA", "https://[2001:db8::1]:443", encryptionKey(7)
	require.Equal(t, want, f.state())
	event, err := sdk.TypedEventToEvent(&types.EventHostUpdated{HostId: 1})
	require.NoError(t, err)
	f.told(event)
}

func TestUpdateInventory(t *testing.T) {
	f := newFixture(t)
	msg := registration(t, operator, agentKey(1), h100s(1, 3))
	msg.Capacity = 4
	_, err := f.msg.RegisterHost(f.ctx, msg)
	require.NoError(t, err)
	update := func(gpus []types.GpuInventory) error {
		_, err := f.msg.UpdateInventory(f.ctx, &types.MsgUpdateInventory{Operator: text(operator), HostId: 1, Gpus: gpus})
		return err
	}
	f.failsWithoutTrace(types.ErrInvalidInventory, func() error { return update(h100s(1, 5)) })
	f.failsWithoutTrace(types.ErrNotOwner, func() error {
		_, err := f.msg.UpdateInventory(f.ctx, &types.MsgUpdateInventory{Operator: text(other), HostId: 1, Gpus: h100s(1, 3)})
		return err
	})

	// A new driver is the same card: nobody is asked.
	gpus := h100s(1, 3)
	gpus[0].Driver, gpus[0].PciBusId = "580.1", "0000:ff:00.0"
	require.NoError(t, update(gpus))
	require.Empty(t, f.hooks.changed)
	require.EqualValues(t, 2, f.state().Hosts[0].Generation)

	// GPU 1 becomes another card, GPU 2 vanishes.
	gpus = gpus[:2]
	gpus[1] = types.GpuInventory{Name: "nvidia l40s", Uuid: "GPU-x", MemoryMib: 46_068}
	f.hooks.err = errRefused
	f.failsWithoutTrace(errRefused, func() error { return update(gpus) })
	f.hooks.err, f.hooks.changed = nil, nil
	require.NoError(t, update(gpus))
	require.Equal(t, [][]uint32{{1, 2}}, f.hooks.changed)
	require.Equal(t, map[string]uint64{"1/0": 10_000_000, "1/1": 3_000_000}, f.staking.weights)
	gs := f.state()
	require.Len(t, gs.Gpus, 2)
	require.Equal(t, "nvidia-l40s", gs.Gpus[1].Class)
	require.EqualValues(t, 2, gs.Hosts[0].GpuCount)
	require.EqualValues(t, 3, gs.Hosts[0].Generation)

	// New cards up to the capacity; those that stay are not asked about.
	f.hooks.changed = nil
	require.NoError(t, update(append(gpus, h100s(9, 2)[0], h100s(8, 2)[1])))
	require.Empty(t, f.hooks.changed)
	require.Len(t, f.staking.weights, 4)
	f.sound()
}

func TestRetireHost(t *testing.T) {
	f := newFixture(t)
	f.register(2)
	f.slot(startSlot + 1)
	f.mustSubmit(f.group(startSlot, f.good(1, startSlot)))
	retire := func() error {
		_, err := f.msg.RetireHost(f.ctx, &types.MsgRetireHost{Operator: text(operator), HostId: 1})
		return err
	}
	f.hooks.err = errRefused
	f.failsWithoutTrace(errRefused, retire)
	f.hooks.err = nil
	f.failsWithoutTrace(types.ErrNotOwner, func() error {
		_, err := f.msg.RetireHost(f.ctx, &types.MsgRetireHost{Operator: text(other), HostId: 1})
		return err
	})
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
	require.NoError(t, retire())
	event, err := sdk.TypedEventToEvent(&types.EventHostRetired{HostId: 1})
	require.NoError(t, err)
	f.told(event)
	host := f.state().Hosts[0]
	require.Equal(t, types.HOST_STATUS_RETIRED, host.Status)
	require.Zero(t, host.GpuCount)
	require.Equal(t, []types.AgentKey{{PublicKey: public(agentKey(1)), FromSlot: startSlot, UntilSlot: startSlot + 1, Revoked: true}}, host.AgentKeys)
	require.Empty(t, f.staking.weights)
	require.Empty(t, f.state().Gpus)
	f.sound()

	for name, run := range map[string]func() error{
		"again":     retire,
		"rotate":    func() error { return f.rotate(1, agentKey(5)) },
		"inventory": func() error { _, err := f.k.UpdateInventory(f.ctx, operator, 1, h100s(1, 1)); return err },
	} {
		t.Run(name, func(t *testing.T) { f.failsWithoutTrace(types.ErrHostRetired, run) })
	}
	require.EqualValues(t, 2, f.registerKey(1, agentKey(1)), "its key is free")
	up, err := f.k.GPUsUp(f.ctx, 1, startSlot, []uint32{0, 1})
	require.NoError(t, err)
	require.True(t, up, "history keeps its meaning")
}

func TestGPULookups(t *testing.T) {
	f := newFixture(t)
	f.register(2)
	gpu, err := f.k.GPU(f.ctx, 1, 1)
	require.NoError(t, err)
	require.Equal(t, "GPU-1-1", gpu.Inventory.Uuid)
	_, err = f.k.GPU(f.ctx, 1, 2)
	require.ErrorIs(t, err, types.ErrGPUNotFound)
	_, err = f.k.GPU(f.ctx, 9, 0)
	require.ErrorIs(t, err, types.ErrHostNotFound)
	f.slot(startSlot + 1)
	_, err = f.k.GPUsUp(f.ctx, 1, startSlot, []uint32{2})
	require.ErrorIs(t, err, types.ErrGPUNotFound)
	_, err = f.k.GPUsUp(f.ctx, 1, startSlot+1, []uint32{0})
	require.ErrorIs(t, err, types.ErrSlotOpen)
	slot, err := f.k.SlotAt(f.ctx, start)
	require.NoError(t, err)
	require.EqualValues(t, startSlot, slot)
	at, err := f.k.SlotStart(f.ctx, startSlot)
	require.NoError(t, err)
	require.Equal(t, start, at)
}
