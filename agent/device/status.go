package device

import (
	"errors"
	"slices"

	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/internal/chainclient"
)

// explain says what stands in the way, and what mends it.
func explain(err error) string {
	if errors.Is(err, gpu.ErrNotHopper) {
		return "the card is older than NVIDIA Hopper: only H100 and later sign reports"
	}
	return err.Error()
}

// chainGone tells whether the error is the way to the chain's.
func chainGone(err error) bool {
	return errors.Is(err, chainclient.ErrUnreachable) || errors.Is(err, chainclient.ErrNotIncluded)
}

// Status returns the GPUs by ordinal, the host's trust tier, and why the chain
// could not be asked.
func (f *Flow) Status() (gpus []State, tier uint32, why string) {
	_, host, declared, _, known := f.host.Host()
	f.mu.Lock()
	defer f.mu.Unlock()
	if known {
		for i := range declared {
			if s := f.gpus[declared[i].Inventory.Uuid]; s != nil && s.generation == host.Generation {
				gpus = append(gpus, *s)
			}
		}
	}
	slices.SortFunc(gpus, func(a, b State) int { return int(a.Ordinal) - int(b.Ordinal) })
	return gpus, f.tier, f.lastError
}

// noteError keeps and logs the first of a row of equal errors.
func (f *Flow) noteError(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	f.mu.Lock()
	before := f.lastError
	f.lastError = text
	f.mu.Unlock()
	if err != nil && before != text {
		f.log.Warn("devices can't be looked at or reported now", "err", err)
	}
}
