package keeper_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/types"
)

// fullState is a network in which every list and number of the genesis is filled.
func fullState(t testing.TB) *fixture {
	f := newFixture(t)
	f.register(2)
	f.register(16)
	f.register(1)
	require.NoError(t, f.rotate(1, agentKey(50)))
	_, err := f.k.RevokeAgentKey(f.ctx, operator, 2)
	require.NoError(t, err)
	f.slot(startSlot + 1)
	f.mustSubmit(f.group(startSlot, f.good(3, startSlot), f.attest(agentKey(50), 1, startSlot, types.Attestation{})))
	_, err = f.msg.SubmitEquivocation(f.ctx, contradiction(t, agentKey(1), agentKey(50), startSlot))
	require.NoError(t, err)
	class := h100Class()
	class.WeightPpm = 9_000_000
	_, err = f.setClass(class)
	require.NoError(t, err)
	return f
}

func TestGenesisRoundTrip(t *testing.T) {
	want := fullState(t).state()
	want.RefreshFromHost = 2
	require.NotContains(t, []int{
		len(want.Classes), len(want.PendingClasses), len(want.Hosts), len(want.Gpus), len(want.Anchors),
		len(want.Attested), len(want.Up), len(want.Counters), len(want.Faults), len(want.AttestedHosts), int(want.NextHostId), int(want.NextGpu), int(want.LastClosedSlot),
	}, 0, "every field is set")

	f := emptyFixture(t)
	f.ctx = f.ctx.WithBlockTime(start.Add(700 * time.Second))
	require.NoError(t, f.k.InitGenesis(f.ctx, want))
	require.Equal(t, want, f.state())
	f.sound()

	// What is derived works too: indexes, the floor, the class queue.
	host, err := f.k.Host(f.ctx, 3)
	require.NoError(t, err)
	f.at(start.Add(1200 * time.Second))
	f.mustSubmit(f.group(startSlot+1, f.good(host.Id, startSlot+1)))
	_, err = f.k.Anchor(f.ctx, startSlot-1)
	require.ErrorIs(t, err, types.ErrSlotPruned)
	_, err = f.msg.RegisterHost(f.ctx, registration(t, other, agentKey(50), h100s(9, 1)))
	require.ErrorIs(t, err, types.ErrAgentKeyInUse)
	f.at(start.Add(30 * 24 * time.Hour))
	f.endBlock()
	require.Empty(t, f.state().PendingClasses)
}

func TestGenesisRefused(t *testing.T) {
	valid := fullState(t).state()
	for name, change := range map[string]func(*types.GenesisState){
		"params":              func(gs *types.GenesisState) { gs.Params.SlotSeconds = 0 },
		"class twice":         func(gs *types.GenesisState) { gs.Classes = append(gs.Classes, gs.Classes[0]) },
		"pending class twice": func(gs *types.GenesisState) { gs.PendingClasses = append(gs.PendingClasses, gs.PendingClasses[0]) },
		"host twice":          func(gs *types.GenesisState) { gs.Hosts = append(gs.Hosts, gs.Hosts[2]) },
		"host over next id":   func(gs *types.GenesisState) { gs.NextHostId = 3 },
		"no next host id":     func(gs *types.GenesisState) { *gs = *types.DefaultGenesis(); gs.NextHostId = 0 },
		"GPU ranges overlap":  func(gs *types.GenesisState) { gs.Hosts[1].FirstGpu = 1 },
		"range over next GPU": func(gs *types.GenesisState) { gs.NextGpu = 5 },
		"huge GPU range":      func(gs *types.GenesisState) { gs.Hosts[2].FirstGpu = 1<<64 - 1 },
		"host without a GPU":  func(gs *types.GenesisState) { gs.Gpus = gs.Gpus[:len(gs.Gpus)-1] },
		"GPU without a host": func(gs *types.GenesisState) {
			gs.Gpus = append(gs.Gpus, types.Gpu{HostId: 9, Inventory: gs.Gpus[0].Inventory})
		},
		"GPU of an unknown class": func(gs *types.GenesisState) { gs.Gpus[0].Class = "nothing" },
		"agent key of two hosts":  func(gs *types.GenesisState) { gs.Hosts[2].AgentKeys[0].PublicKey = gs.Hosts[0].AgentKeys[0].PublicKey },
		"agent key of no point":   func(gs *types.GenesisState) { gs.Hosts[0].AgentKeys[0].PublicKey = bytes.Repeat([]byte{0xff}, 32) },
		"revoked host, live key":  func(gs *types.GenesisState) { gs.Hosts[1].AgentKeys[0].Revoked = false },
		"operator is no address":  func(gs *types.GenesisState) { gs.Hosts[0].Operator = "x" },
		"anchors out of order":    func(gs *types.GenesisState) { gs.Anchors[1].Slot = gs.Anchors[0].Slot },
		"last slot not the last":  func(gs *types.GenesisState) { gs.LastClosedSlot++ },
		"closed without anchors":  func(gs *types.GenesisState) { gs.Anchors = nil },
		"bitmap of an open slot":  func(gs *types.GenesisState) { gs.Up[0].Slot = gs.LastClosedSlot + 1 },
		"bitmap too long":         func(gs *types.GenesisState) { gs.Up[0].Bits = bytes.Repeat([]byte{1}, 513) },
		"bitmap ends in zero":     func(gs *types.GenesisState) { gs.Up[0].Bits = append(gs.Up[0].Bits, 0) },
		"bitmap twice":            func(gs *types.GenesisState) { gs.Attested = append(gs.Attested, gs.Attested[0]) },
		"counter over a day":      func(gs *types.GenesisState) { gs.Counters[0].Counts[0] = 145 },
		"fault twice":             func(gs *types.GenesisState) { gs.Faults = append(gs.Faults, gs.Faults[0]) },
		"fault of no host":        func(gs *types.GenesisState) { gs.Faults[0].HostId = 99 },
		"attested hosts twice":    func(gs *types.GenesisState) { gs.AttestedHosts = append(gs.AttestedHosts, gs.AttestedHosts[0]) },
		"no attested hosts":       func(gs *types.GenesisState) { gs.AttestedHosts[0].Hosts = nil },
		"too many slots":          func(gs *types.GenesisState) { gs.AttestedHosts[0].Hosts = make([]uint32, 145) },
		"refresh from nowhere":    func(gs *types.GenesisState) { gs.RefreshFromHost = 99 },
	} {
		t.Run(name, func(t *testing.T) {
			bz, err := valid.Marshal()
			require.NoError(t, err)
			var gs types.GenesisState
			require.NoError(t, gs.Unmarshal(bz))
			change(&gs)
			f := emptyFixture(t)
			require.Error(t, f.k.InitGenesis(f.ctx, gs))
		})
	}
	require.NoError(t, valid.Validate())
	require.NoError(t, types.DefaultGenesis().Validate())
}

// TestInvariantsCanFail: each kind of broken state is named.
func TestInvariantsCanFail(t *testing.T) {
	for name, change := range map[string]func(*types.GenesisState){
		"counter":        func(gs *types.GenesisState) { gs.Counters[0].Counts[0]++ },
		"host count":     func(gs *types.GenesisState) { gs.AttestedHosts[0].Hosts[0]++ },
		"no host count":  func(gs *types.GenesisState) { gs.AttestedHosts = nil },
		"bit of no GPU":  func(gs *types.GenesisState) { gs.Up[0].Bits = []byte{0xff, 0xff, 0xff} },
		"bit of no host": func(gs *types.GenesisState) { gs.Attested[0].Bits = []byte{0xff} },
	} {
		t.Run(name, func(t *testing.T) {
			f := fullState(t)
			gs := f.state()
			// A day of which every slot is kept, so that counters are exact.
			gs.Anchors[0].Slot -= 1
			change(&gs)
			f = emptyFixture(t)
			require.NoError(t, f.k.InitGenesis(f.ctx, gs))
			broken, err := f.k.CheckInvariants(f.ctx)
			require.NoError(t, err)
			require.NotEmpty(t, broken)
		})
	}
}
