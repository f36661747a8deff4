package probe

import (
	"context"
	"fmt"
	"time"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// keepSlots is how long documents are kept: longer than evidence is accepted.
const keepSlots = 30 * 144

var keyStatus = []byte("status")

// Status is what is known of the probes. It outlives the process.
type Status struct {
	// Listening is the address at which probes are taken; empty for none.
	Listening string `json:"-"`
	// Day is the day of slots that the counts are of.
	Day    uint64 `json:"day"`
	Made   uint32 `json:"made"`  // as prober, signed by both
	Taken  uint32 `json:"taken"` // as target, signed by both
	Failed uint32 `json:"failed"`
	// The last probe that was signed.
	LastAt     time.Time `json:"last_at,omitzero"`
	LastPeer   uint64    `json:"last_peer,omitempty"`
	LastUpMbps uint64    `json:"last_up_mbps,omitempty"`
	LastDown   uint64    `json:"last_down_mbps,omitempty"`
	LastRTT    uint64    `json:"last_rtt_us,omitempty"`
	// LastError is why the last one failed.
	LastError string `json:"last_error,omitempty"`
	// ToDeliver counts the receipts that are not on chain yet.
	ToDeliver int `json:"-"`
}

// Status returns what is known, and why nothing can be planned or delivered now.
func (f *Flow) Status() (Status, string) {
	n := 0
	err := f.pending.Each(nil, func([]byte, []byte) bool { n++; return true })
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.status
	st.ToDeliver = n
	if err != nil {
		return st, err.Error()
	}
	return st, f.lastError
}

func (s *session) key() []byte {
	id := attest.Identity{ChainID: s.chain.ChainID(), HostID: s.own()}
	return id.Key(s.pair.slot, s.pair.prober, s.pair.target)
}

// keepReceipt puts the receipt among those that wait for delivery.
func (s *session) keepReceipt(key []byte, r attestation.ProbeReceipt) error {
	raw, err := r.Marshal()
	if err != nil {
		return err
	}
	if _, _, err := s.pending.Once(key, raw); err != nil {
		return &storeError{err}
	}
	return s.count(&r.Doc, func(st *Status) { st.Made++ })
}

// wasProbed notes a probe that the target has signed. The prober delivers it.
func (s *session) wasProbed(raw []byte) error {
	var doc attestation.ProbeDoc
	if err := doc.Unmarshal(raw); err != nil {
		return err
	}
	return s.count(&doc, func(st *Status) { st.Taken++ })
}

func (s *session) count(doc *attestation.ProbeDoc, add func(*Status)) error {
	s.log.Info("probe is signed by both", "slot", doc.Slot, "prober", doc.Prober, "target", doc.Target,
		"up_mbps", doc.UpBytes*8/max(doc.UpUs, 1), "down_mbps", doc.DownBytes*8/max(doc.DownUs, 1), "rtt_us", doc.RttUs)
	return s.note(doc.Slot, func(st *Status) {
		add(st)
		st.LastAt, st.LastPeer, st.LastError = time.Now().UTC(), s.peer.id, ""
		st.LastUpMbps, st.LastDown, st.LastRTT = doc.UpBytes*8/max(doc.UpUs, 1), doc.DownBytes*8/max(doc.DownUs, 1), doc.RttUs
	})
}

// failed notes a probe that is given up.
func (f *Flow) failed(p pair, err error) {
	f.observer.Probed(OutcomeFailed)
	f.log.Warn("probe is given up", "slot", p.slot, "prober", p.prober, "target", p.target, "err", err)
	if err := f.note(p.slot, func(st *Status) { st.Failed++; st.LastError = err.Error() }); err != nil {
		f.log.Warn("status of probes is not kept", "err", err)
	}
}

func (f *Flow) note(slot uint64, change func(*Status)) error {
	_, _, _, params, _ := f.host.Host()
	f.mu.Lock()
	defer f.mu.Unlock()
	if day := params.DayOf(slot); day > f.status.Day {
		f.status.Day, f.status.Made, f.status.Taken, f.status.Failed = day, 0, 0, 0
	}
	change(&f.status)
	if err := f.docs.PutJSON(keyStatus, f.status); err != nil {
		return &storeError{err}
	}
	return nil
}

func (f *Flow) prune(id attest.Identity, slot uint64) error {
	return f.docs.PruneBelow(id.Key(), id.Key(slot-min(slot, keepSlots)))
}

// deliver sends the receipts that wait, a batch at a time. Whatever the chain
// answers to a receipt is final.
func (f *Flow) deliver(ctx context.Context) error {
	id, _, _, params, known := f.host.Host()
	if !known {
		return nil
	}
	var keys [][]byte
	msg := attestation.MsgSubmitProbes{Submitter: f.chain.Sender()}
	var broken error
	err := f.pending.Each(id.Key(), func(k, v []byte) bool {
		var r attestation.ProbeReceipt
		if err := r.Unmarshal(v); err != nil {
			broken = fmt.Errorf("stored receipt %x: %w", k, err)
			return false
		}
		keys, msg.Receipts = append(keys, k), append(msg.Receipts, r)
		return len(keys) < max(1, int(params.Probe.MaxReceipts))
	})
	if err != nil || broken != nil {
		return &storeError{errorsFirst(err, broken)}
	}
	if len(keys) == 0 {
		return nil
	}
	res, err := f.chain.Submit(ctx, &msg)
	if r, ok := chainclient.AsRejected(err); ok && r.Codespace == attestation.ModuleName {
		f.log.Warn("receipts are refused", "receipts", len(keys), "why", r.Log)
		return f.forget(keys)
	}
	if err != nil {
		return fmt.Errorf("deliver %d receipts: %w", len(keys), err)
	}
	var answer attestation.MsgSubmitProbesResponse
	if err := res.Response(0, &answer); err != nil {
		return err
	}
	for _, r := range answer.Rejections {
		f.log.Warn("receipt is refused", "slot", r.Slot, "target", r.HostId, "why", r.Detail)
	}
	return f.forget(keys)
}

func errorsFirst(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (f *Flow) forget(keys [][]byte) error {
	for _, k := range keys {
		if err := f.pending.Delete(k); err != nil {
			return &storeError{err}
		}
	}
	return nil
}
