package types

import "cosmossdk.io/math"

const secondsPerDay = 86_400

// UseFree takes what it can of the day's free downtime and returns how many
// seconds of the incident are left to answer for. The day is that of the
// incident's first slot.
func (a *Availability) UseFree(day, offline, freePerDay uint64) (charged uint64) {
	if a.FreeDay != day {
		a.FreeDay, a.FreeUsedSeconds = day, 0
	}
	free := min(offline, freePerDay-min(a.FreeUsedSeconds, freePerDay))
	a.FreeUsedSeconds += free
	return offline - free
}

// OfflinePenalty returns what so many seconds without free ones cost:
//
//	⌊requirement × min(⌊charged / step_seconds⌋ × step_ppm, cap_ppm) / PPM⌋
//
// in the stake denom. Only full steps count.
//
// Source: README.md "Offline in a rental".
func (p Params) OfflinePenalty(requirement math.Int, charged uint64) math.Int {
	steps := charged / p.OfflineStepSeconds
	ppm := p.OfflineCapPpm
	if p.OfflineStepPpm == 0 || steps <= ppm/p.OfflineStepPpm { // also keeps the product from overflowing
		ppm = steps * p.OfflineStepPpm
	}
	return share(requirement, ppm)
}
