package attest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/internal/agentapi"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	market "github.com/grafilab/grafi/x/gpumarket/types"
)

// ErrNotObserved means that the agent did not watch the whole slot, so that it can
// say nothing about it. Such a slot is not attested.
var ErrNotObserved = errors.New("slot was not observed")

// Observation is everything that the document of a slot is made from.
type Observation struct {
	ChainID string
	Host    *attestation.Host
	GPUs    []attestation.Gpu
	Params  attestation.Params
	Anchor  attestation.Anchor
	Slot    uint64
	// Records are the samples around the slot, by time: those within it and the
	// last one before and first one after it, where they exist.
	Records []Record
	// Rentals are the host's open rentals now.
	Rentals    []market.Rental
	DetailRoot []byte
	// Unanswered are the GPUs whose challenge ended in the slot without an answer.
	Unanswered []uint32
}

// gapTolerance is the longest time between two samples within which the agent
// still vouches for the GPUs: a restart or an update of the agent fits in. On
// chains with short slots, which only tests have, it is half a minute.
func gapTolerance(slot time.Duration) time.Duration {
	return max(30*time.Second, min(90*time.Second, slot/2))
}

// BuildDocument says what the samples of a closed slot show. It is a pure
// function, so the same observation always gives the same document.
//
// A GPU is down when any sample of the slot shows it down, missing, or the driver
// gone, and when a challenge of it ended in the slot without an answer. A rental that was active is listed as not running when the executor was
// silent at the slot's end, or when at least as many samples show it down as show
// it served.
//
// Errors: ErrNotObserved.
//
// Source: x/attestation AttestationDoc; agent/README.md "What is attested".
func BuildDocument(o Observation) (attestation.AttestationDoc, error) {
	start, end := o.Params.SlotStart(o.Slot), o.Params.SlotStart(o.Slot+1)
	inside, err := observed(o.Records, start, end)
	if err != nil {
		return attestation.AttestationDoc{}, err
	}
	var down attestation.Bitmap
	for i := range o.GPUs {
		if slices.Contains(o.Unanswered, o.GPUs[i].Ordinal) || slices.ContainsFunc(inside, func(r Record) bool { return !up(r, o.GPUs[i].Inventory.Uuid) }) {
			down = down.Set(uint64(o.GPUs[i].Ordinal))
		}
	}
	if len(down) > 0 { // one statement has one encoding
		full := make(attestation.Bitmap, (o.Host.GpuCount+7)/8)
		copy(full, down)
		down = full
	}
	var stopped []uint64
	for _, r := range o.Rentals {
		if r.State == market.RENTAL_STATE_ACTIVE && r.StartedAt != nil && notRunning(inside, r.Id, *r.StartedAt) {
			stopped = append(stopped, r.Id)
		}
	}
	slices.Sort(stopped)
	return attestation.NewAttestationDoc(o.ChainID, o.Host, o.Slot, &o.Anchor, &attestation.Attestation{
		Down: down, NotRunning: slices.Compact(stopped), DetailRoot: o.DetailRoot,
	}), nil
}

// observed returns the records within [start, end), or ErrNotObserved when there
// is none or when too long a time around or within them is unwatched.
func observed(records []Record, start, end time.Time) ([]Record, error) {
	tolerance := gapTolerance(end.Sub(start))
	var inside []Record
	var last time.Time // newest sample before the one looked at
	for _, r := range records {
		// Only the part of a gap that lies within the slot counts.
		if gap := earlier(r.TakenAt, end).Sub(later(last, start)); gap > tolerance {
			return nil, fmt.Errorf("%w: no sample from %s for %s", ErrNotObserved, later(last, start).Format(time.TimeOnly), gap.Round(time.Second))
		}
		last = r.TakenAt
		if !r.TakenAt.Before(start) && r.TakenAt.Before(end) {
			inside = append(inside, r)
		}
	}
	if len(inside) == 0 {
		return nil, fmt.Errorf("%w: no sample within it", ErrNotObserved)
	}
	if gap := end.Sub(later(last, start)); gap > tolerance {
		return nil, fmt.Errorf("%w: no sample in its last %s", ErrNotObserved, gap.Round(time.Second))
	}
	return inside, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// up tells whether the record shows the GPU able to work.
func up(r Record, uuid string) bool {
	if r.DriverError != "" {
		return false
	}
	i := slices.IndexFunc(r.Readings, func(g gpu.Reading) bool { return g.UUID == uuid })
	return i >= 0 && !r.Readings[i].Flags.Down()
}

// notRunning judges one active rental over the records since its start.
func notRunning(records []Record, rental uint64, started time.Time) bool {
	served, failed, silentAtEnd := 0, 0, false
	for _, r := range records {
		if r.TakenAt.Before(started) {
			continue
		}
		silentAtEnd = r.Executor == ExecutorSilent
		switch {
		case r.Executor == ExecutorUnknown:
		case r.Executor == ExecutorHeard && servedState(r.Workloads[rental]):
			served++
		default:
			failed++
		}
	}
	return silentAtEnd || (failed > 0 && failed >= served)
}

// servedState tells whether the host does its part: a workload that ended by
// itself is no fault of the host.
func servedState(s agentapi.WorkloadState) bool {
	return s == agentapi.WorkloadRunning || s == agentapi.WorkloadExited
}
