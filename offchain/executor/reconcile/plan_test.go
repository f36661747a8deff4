package reconcile_test

import (
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/reconcile"
	"github.com/grafilab/grafi/offchain/executor/store"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

var (
	epoch  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	policy = reconcile.Policy{
		ClockGrace: time.Minute, RenewalGrace: 10 * time.Minute, PrepareAhead: 5 * time.Minute,
		Retention: time.Hour, HandAgain: 30 * time.Second,
	}
	digest = []byte("0123456789abcdef0123456789abcdef")
	doc    = json.RawMessage(`{}`)
)

func at(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }

func rental(id uint64, state markettypes.RentalState, gpus ...uint32) markettypes.Rental {
	r := markettypes.Rental{
		Id: id, HostId: 4, Gpus: gpus, State: state, ManifestDigest: digest, DurationSeconds: 100, StartBy: at(50),
	}
	if state == markettypes.RENTAL_STATE_ACTIVE {
		ends := at(100)
		r.EndsAt = &ends
	}
	if state == markettypes.RENTAL_STATE_RESERVED {
		r.Reservation = &markettypes.Reservation{StartAt: at(1000)}
	}
	return r
}

func workload(id uint64, state engine.State, reason engine.Reason) engine.Status {
	st := engine.Status{RentalID: id, ManifestDigest: hex.EncodeToString(digest), State: state, Reason: reason, Deadline: at(160)}
	if state == engine.StateExited {
		st.ExitedAt = at(20)
	}
	return st
}

func TestPlan(t *testing.T) {
	const (
		pending = markettypes.RENTAL_STATE_PENDING
		active  = markettypes.RENTAL_STATE_ACTIVE
	)
	sent := store.Record{RentalID: 1, Manifest: doc}
	withEnd := store.Record{RentalID: 1, Manifest: doc, EndsAt: at(100)}
	running := workload(1, engine.StateRunning, "")
	completed := workload(1, engine.StateExited, engine.ReasonCompleted)

	tests := map[string]struct {
		chain  *markettypes.Rental // nil: closed
		noLook bool                // the chain could not be looked at
		record *store.Record
		work   *engine.Status
		now    int
		change func(*reconcile.View)
		want   reconcile.Kind // empty: nothing
	}{
		"no manifest yet":                   {chain: new(rental(1, pending)), record: &store.Record{RentalID: 1}},
		"manifest came":                     {chain: new(rental(1, pending)), record: &sent, want: reconcile.KindStart},
		"another action is under way":       {chain: new(rental(1, pending)), record: &sent, change: func(v *reconcile.View) { v.Busy[1] = true }},
		"start failed a moment ago":         {chain: new(rental(1, pending)), record: &sent, change: func(v *reconcile.View) { v.RetryAt[reconcile.Step{RentalID: 1, Kind: reconcile.KindStart}] = at(11) }},
		"can never start":                   {chain: new(rental(1, pending)), record: &store.Record{RentalID: 1, Manifest: doc, Failure: "no such command"}},
		"runs and is not confirmed":         {chain: new(rental(1, pending)), record: &sent, work: &running, want: reconcile.KindHandStart},
		"start was handed just now":         {chain: new(rental(1, pending)), record: &store.Record{RentalID: 1, Manifest: doc, StartHandedAt: at(0)}, work: &running},
		"start was handed long ago":         {chain: new(rental(1, pending)), record: &store.Record{RentalID: 1, Manifest: doc, StartHandedAt: at(-20)}, work: &running, want: reconcile.KindHandStart},
		"ended before it was confirmed":     {chain: new(rental(1, pending)), record: &sent, work: &completed, want: reconcile.KindHandStart},
		"never ran is never confirmed":      {chain: new(rental(1, pending)), record: &sent, work: new(workload(1, engine.StateExited, engine.ReasonStartFailed))},
		"active and runs":                   {chain: new(rental(1, active)), record: &withEnd, work: &running},
		"active and absent":                 {chain: new(rental(1, active)), record: &withEnd, want: reconcile.KindStart},
		"active, absent, ended before":      {chain: new(rental(1, active)), record: &store.Record{RentalID: 1, Manifest: doc, Result: &agentapi.Result{}}},
		"active, absent, nothing to run":    {chain: new(rental(1, active)), record: &store.Record{RentalID: 1}},
		"extended":                          {chain: new(extended(rental(1, active))), record: &withEnd, work: &running, want: reconcile.KindSetDeadline},
		"ended by itself":                   {chain: new(rental(1, active)), record: &withEnd, work: &completed, want: reconcile.KindHandResult},
		"ended while nobody watched":        {chain: new(rental(1, active)), record: &withEnd, work: new(workload(1, engine.StateExited, engine.ReasonLost)), want: reconcile.KindHandResult},
		"ended with the machine":            {chain: new(rental(1, active)), record: &withEnd, work: new(workload(1, engine.StateExited, engine.ReasonInterrupted)), want: reconcile.KindHandResult},
		"stopped by hand is no result":      {chain: new(rental(1, active)), record: &withEnd, work: new(workload(1, engine.StateExited, engine.ReasonStopped))},
		"result was handed":                 {chain: new(rental(1, active)), record: &store.Record{RentalID: 1, ResultHandedAt: at(0)}, work: &completed},
		"result is on chain":                {chain: new(withResult(rental(1, active))), record: &withEnd, work: &completed},
		"end reached by the chain's clock":  {chain: new(rental(1, active)), record: &withEnd, work: &running, now: 100, want: reconcile.KindStop},
		"end reached and absent":            {chain: new(rental(1, active)), record: &withEnd, now: 100},
		"another manifest than on chain":    {chain: new(rental(1, active)), record: &withEnd, work: &engine.Status{RentalID: 1, State: engine.StateRunning, ManifestDigest: "00"}, want: reconcile.KindStop},
		"closed and runs":                   {record: &withEnd, work: &running, want: reconcile.KindStop},
		"closed and runs, no record":        {work: &running, want: reconcile.KindStop},
		"closed and was stopped":            {record: &withEnd, work: new(workload(1, engine.StateExited, engine.ReasonStopped)), want: reconcile.KindRemove},
		"closed and ended by itself":        {record: &withEnd, work: &completed},
		"closed and ended long ago":         {record: &withEnd, work: &completed, now: 20 + 3600, want: reconcile.KindRemove},
		"closed and wiped":                  {record: &withEnd, want: reconcile.KindForget},
		"unknown workload is left alone":    {record: &withEnd, work: &engine.Status{RentalID: 1, State: engine.StateUnknown}},
		"chain away, runs":                  {noLook: true, record: &withEnd, work: &running},
		"chain away, end reached":           {noLook: true, record: &withEnd, work: &running, now: 160},
		"chain away, end and grace passed":  {noLook: true, record: &withEnd, work: &running, now: 161, want: reconcile.KindStop},
		"chain away, end not known":         {noLook: true, record: &sent, work: &running, now: 9999},
		"chain away, manifest came":         {noLook: true, record: &sent},
		"chain away, ended":                 {noLook: true, record: &withEnd, work: &completed, now: 9999},
		"engine away, closed":               {record: &withEnd, change: func(v *reconcile.View) { v.Workloads = nil }},
		"engine away, end and grace passed": {noLook: true, record: &withEnd, now: 9999, change: func(v *reconcile.View) { v.Workloads = nil }},
		"GPU is another workload's": {chain: new(rental(1, pending, 3)), record: &sent, change: func(v *reconcile.View) {
			v.Records[2] = store.Record{RentalID: 2, GPUs: []uint32{2, 3}}
			v.Workloads[2] = workload(2, engine.StateRunning, "")
			v.Busy[2] = true // is being stopped
		}},
		"GPU was another workload's": {chain: new(rental(1, pending, 3)), record: &sent, want: reconcile.KindStart, change: func(v *reconcile.View) {
			v.Records[2] = store.Record{RentalID: 2, GPUs: []uint32{2, 3}}
			v.Workloads[2] = workload(2, engine.StateExited, engine.ReasonStopped)
			v.Busy[2] = true
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if tc.now == 0 {
				tc.now = 10
			}
			v := reconcile.View{
				Now: at(tc.now), Workloads: map[uint64]engine.Status{}, Records: map[uint64]store.Record{},
				Busy: map[uint64]bool{}, RetryAt: map[reconcile.Step]time.Time{},
			}
			if !tc.noLook {
				v.Chain = &reconcile.ChainView{Time: at(tc.now), Open: map[uint64]markettypes.Rental{}, Closed: map[uint64]bool{}}
				if tc.chain != nil {
					v.Chain.Open[1] = *tc.chain
				} else {
					v.Chain.Closed[1] = true
				}
			}
			if tc.record != nil {
				v.Records[1] = *tc.record
			}
			if tc.work != nil {
				v.Workloads[1] = *tc.work
			}
			if tc.change != nil {
				tc.change(&v)
			}
			var got []reconcile.Kind
			for _, a := range reconcile.Plan(v, policy) {
				if a.RentalID == 1 {
					got = append(got, a.Kind)
				}
			}
			if tc.want == "" {
				require.Empty(t, got)
				return
			}
			require.Equal(t, []reconcile.Kind{tc.want}, got)
		})
	}
}

func extended(r markettypes.Rental) markettypes.Rental {
	ends := at(200)
	r.EndsAt = &ends
	return r
}

func withResult(r markettypes.Rental) markettypes.Rental {
	r.Result = &markettypes.WorkloadResult{}
	return r
}

func TestPlanDeadlines(t *testing.T) {
	v := reconcile.View{
		Now: at(10), Workloads: map[uint64]engine.Status{},
		Records: map[uint64]store.Record{1: {RentalID: 1, Manifest: doc}, 2: {RentalID: 2, Manifest: doc}},
		Chain: &reconcile.ChainView{Time: at(10), Open: map[uint64]markettypes.Rental{
			1: rental(1, markettypes.RENTAL_STATE_PENDING, 0), 2: rental(2, markettypes.RENTAL_STATE_ACTIVE, 1),
		}},
	}
	got := reconcile.Plan(v, policy)
	require.Len(t, got, 2)
	require.Equal(t, at(50+100+60), got[0].Deadline, "the latest start, the duration, the grace")
	require.Equal(t, at(100+60), got[1].Deadline)
}

// What is not known is never acted upon, whatever else is true.
func TestPlanNeverActsBlindly(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := drawView(rt)
		for _, a := range reconcile.Plan(v, policy) {
			st, there := v.Workloads[a.RentalID]
			if v.Workloads == nil || st.State == engine.StateUnknown || v.Busy[a.RentalID] {
				rt.Fatalf("%s of rental %d, whose workload could not be looked at or is acted upon", a.Kind, a.RentalID)
			}
			var r markettypes.Rental
			open, closed := false, false
			if v.Chain != nil {
				r, open = v.Chain.Open[a.RentalID]
				closed = v.Chain.Closed[a.RentalID]
			}
			over := open && r.EndsAt != nil && !v.Chain.Time.Before(*r.EndsAt)
			late := v.Chain == nil && v.Now.After(v.Records[a.RentalID].EndsAt.Add(policy.ClockGrace))
			foreign := open && there && st.ManifestDigest != hex.EncodeToString(r.ManifestDigest)
			switch a.Kind {
			case reconcile.KindStart:
				if !open || there || over {
					rt.Fatalf("start of rental %d: open %t, there %t, over %t", a.RentalID, open, there, over)
				}
			case reconcile.KindStop:
				if !closed && !over && !late && !foreign {
					rt.Fatalf("stop of rental %d, which is rented", a.RentalID)
				}
			case reconcile.KindRemove:
				if st.State != engine.StateExited || !closed && !foreign {
					rt.Fatalf("remove of rental %d in state %q, closed %t", a.RentalID, st.State, closed)
				}
			case reconcile.KindForget:
				if !closed || there {
					rt.Fatalf("forget of rental %d: closed %t, there %t", a.RentalID, closed, there)
				}
			}
		}
	})
}

func drawView(rt *rapid.T) reconcile.View {
	now := rapid.IntRange(0, 300).Draw(rt, "now")
	v := reconcile.View{
		Now: at(now), Records: map[uint64]store.Record{}, Busy: map[uint64]bool{}, RetryAt: map[reconcile.Step]time.Time{},
	}
	if rapid.Bool().Draw(rt, "engine") {
		v.Workloads = map[uint64]engine.Status{}
	}
	if rapid.Bool().Draw(rt, "chain") {
		v.Chain = &reconcile.ChainView{Time: at(now), Open: map[uint64]markettypes.Rental{}, Closed: map[uint64]bool{}}
	}
	for id := uint64(1); id <= 4; id++ {
		if rapid.Bool().Draw(rt, "record") {
			rec := store.Record{RentalID: id, GPUs: []uint32{uint32(id % 2)}}
			if rapid.Bool().Draw(rt, "sent") {
				rec.Manifest = doc
			}
			if rapid.Bool().Draw(rt, "ends") {
				rec.EndsAt = at(100)
			}
			v.Records[id] = rec
		}
		if v.Workloads != nil && rapid.Bool().Draw(rt, "workload") {
			st := workload(id, rapid.SampledFrom([]engine.State{
				engine.StateCreated, engine.StateRunning, engine.StateExited, engine.StateUnknown,
			}).Draw(rt, "state"), "")
			if st.State == engine.StateExited {
				st.Reason = rapid.SampledFrom([]engine.Reason{
					engine.ReasonCompleted, engine.ReasonStopped, engine.ReasonLost, engine.ReasonStartFailed, engine.ReasonDeadline,
				}).Draw(rt, "reason")
			}
			if rapid.Bool().Draw(rt, "foreign") {
				st.ManifestDigest = "00"
			}
			v.Workloads[id] = st
		}
		if v.Chain != nil {
			switch rapid.IntRange(0, 2).Draw(rt, "rented") {
			case 0:
				v.Chain.Closed[id] = true
			case 1:
				v.Chain.Open[id] = rental(id, rapid.SampledFrom([]markettypes.RentalState{
					markettypes.RENTAL_STATE_RESERVED, markettypes.RENTAL_STATE_PENDING, markettypes.RENTAL_STATE_ACTIVE,
				}).Draw(rt, "rental"), uint32(id%2))
			}
		}
		v.Busy[id] = rapid.Bool().Draw(rt, "busy")
	}
	return v
}
