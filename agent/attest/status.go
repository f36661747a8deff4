package attest

import (
	"fmt"
	"time"

	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/internal/agentapi"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// Status fills in what the loop knows.
func (a *Agent) Status(st *agentapi.Status) error {
	n, err := a.store.OutboxLen()
	if err != nil {
		return err
	}
	attested, err := a.store.LastAttested()
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	st.Outbox, st.ExecutorSeen, st.StartedAt = n, a.workloads.seen(), a.started.UTC()
	st.ChainID, st.FeePayer = a.chain.ChainID(), a.chain.Sender()
	st.ClockSkewSeconds = a.clock.skew().Seconds()
	st.DriverError = a.last.DriverError
	if a.chainErr != nil {
		st.ChainError = a.chainErr.Error()
	}
	if a.outboxErr != nil {
		st.OutboxError = a.outboxErr.Error()
	}
	var declared []attestation.Gpu
	if a.view != nil {
		st.HostID, declared = a.view.id.HostID, a.view.gpus
		if attested.Identity == a.view.id {
			st.LastSlot, st.LastAttestedAt = attested.Slot, attested.At
		}
	}
	st.GPUs = gpuStatus(declared, a.last)
	return nil
}

// Host returns what the chain last said of the host; ok is false before the first
// answer, and for a while after an outage it is what was said before.
func (a *Agent) Host() (id Identity, host attestation.Host, gpus []attestation.Gpu, params attestation.Params, ok bool) {
	v := a.snapshot()
	if v == nil {
		return id, host, nil, params, false
	}
	return v.id, v.host, v.gpus, v.params, true
}

// Now returns block time, as well as the agent knows it: the clock of the machine may be
// wrong.
func (a *Agent) Now() time.Time { return a.clock.now() }

// Key returns the agent key that is live now, or the newest one before the host is known.
func (a *Agent) Key() Signer {
	if v := a.snapshot(); v != nil {
		if s := signerFor(&v.host, v.params.SlotAt(a.clock.now()), a.signers); s != nil {
			return s
		}
	}
	return a.signers[len(a.signers)-1]
}

// gpuStatus joins what is declared on chain with the newest sample.
func gpuStatus(declared []attestation.Gpu, r Record) []agentapi.GPUStatus {
	byUUID := make(map[string]gpu.Reading, len(r.Readings))
	for _, g := range r.Readings {
		byUUID[g.UUID] = g
	}
	var out []agentapi.GPUStatus
	for _, d := range declared {
		reading, found := byUUID[d.Inventory.Uuid]
		delete(byUUID, d.Inventory.Uuid)
		s := one(reading)
		s.Ordinal, s.Name, s.UUID, s.Class = int(d.Ordinal), d.Inventory.Name, d.Inventory.Uuid, d.Class
		s.Up = up(r, d.Inventory.Uuid)
		if !found && r.DriverError == "" && !r.TakenAt.IsZero() {
			s.Flags = append(s.Flags, "missing")
		}
		out = append(out, s)
	}
	for _, g := range r.Readings {
		if _, undeclared := byUUID[g.UUID]; undeclared {
			s := one(g)
			s.Ordinal, s.UUID, s.Up = -1, g.UUID, up(r, g.UUID)
			out = append(out, s)
		}
	}
	return out
}

func one(g gpu.Reading) agentapi.GPUStatus {
	s := agentapi.GPUStatus{
		Flags: g.Flags.Names(), Unsupported: g.Unsupported.Names(), Utilization: g.UtilizationPercent,
		MemoryUsed: g.MemoryUsedMiB, MemoryTotal: g.MemoryTotalMiB, Temperature: g.TemperatureC, Power: g.PowerMilliwatt,
	}
	for _, x := range g.Xids {
		s.Flags = append(s.Flags, fmt.Sprintf("xid %d", x))
	}
	return s
}
