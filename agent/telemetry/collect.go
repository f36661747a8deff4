package telemetry

import (
	"bytes"
	"fmt"
	"time"

	"github.com/grafilab/grafi/agent/attest"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// position is the newest slot whose batch was made.
type position struct {
	Slot uint64 `json:"slot"`
}

// collect makes the batches of the roots that are new.
func (f *Flow) collect() error {
	id, _, _, params, ok := f.host.Host()
	if !ok {
		return nil
	}
	key := fmt.Appendf(nil, "%s/%d", id.ChainID, id.HostID)
	var at position
	if _, err := f.cursor.GetJSON(key, &at); err != nil {
		return err
	}
	for {
		r, ok, err := f.samples.NextRooted(id, at.Slot)
		if err != nil || !ok {
			return err
		}
		samples, err := f.under(r, params)
		if err != nil {
			return err
		}
		at.Slot = r.Slot
		if len(samples) > 0 {
			b, err := NewBatch(id.ChainID, id.HostID, r.Slot, samples, f.cfg.Recipients)
			if err != nil {
				return err
			}
			dropped, err := f.spool.put(b)
			if err != nil {
				return err
			}
			f.drop(dropped, "the spool is full")
		}
		if err := f.cursor.PutJSON(key, at); err != nil {
			return err
		}
	}
}

// maxRootSlots is how many slots of samples one root covers at most, whatever the
// setting: see the bound of the agent's detail roots.
const maxRootSlots = 4 * 144

// under returns the samples under the root, or none when they are not kept any more.
func (f *Flow) under(r attest.Rooted, params attestation.Params) ([][]byte, error) {
	after := r.From
	if after.IsZero() {
		after = time.Unix(0, 0)
	}
	from := after
	// After a long time without a root the agent leaves the oldest samples out: it
	// begins at the start of a slot then.
	for back := uint64(0); back <= min(maxRootSlots, r.Slot+1); back++ {
		if back > 0 {
			if from = params.SlotStart(r.Slot + 1 - back); !from.After(after) {
				break
			}
		}
		samples, err := f.samples.Raw(from, r.To)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(attest.DetailRoot(samples), r.Root) {
			return samples, nil
		}
	}
	f.log.Warn("samples under a root are not kept any more", "slot", r.Slot)
	return nil, nil
}
