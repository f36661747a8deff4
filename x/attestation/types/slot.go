package types

import "time"

// SlotAt returns the slot that t lies in: unix seconds / slot_seconds, floored.
// A time before 1970 lies in slot 0.
func (p Params) SlotAt(t time.Time) uint64 {
	unix := t.Unix()
	if unix < 0 || p.SlotSeconds == 0 {
		return 0
	}
	return uint64(unix) / uint64(p.SlotSeconds)
}

// MaxSlot is the last slot whose start and end are representable times. It is
// far beyond every block time.
func (p Params) MaxSlot() uint64 { return 1 << 36 }

// SlotStart returns the first second of the slot, and SlotStart(slot+1) its end.
// Slots over MaxSlot start where MaxSlot does.
func (p Params) SlotStart(slot uint64) time.Time {
	slot = min(slot, p.MaxSlot())
	return time.Unix(int64(slot*uint64(p.SlotSeconds)), 0).UTC()
}

// DayOf returns the day that the slot belongs to.
func (p Params) DayOf(slot uint64) uint64 {
	if p.SlotsPerDay == 0 {
		return 0
	}
	return slot / uint64(p.SlotsPerDay)
}

// FirstSlotOf returns the first slot of the day.
func (p Params) FirstSlotOf(day uint64) uint64 { return day * uint64(p.SlotsPerDay) }

// DayFrom returns the first second of the first day that starts at t or after it.
func (p Params) DayFrom(t time.Time) time.Time {
	day := p.DayOf(p.SlotAt(t))
	if start := p.SlotStart(p.FirstSlotOf(day)); !start.Before(t) {
		return start
	}
	return p.SlotStart(p.FirstSlotOf(day + 1))
}

// DayLength returns the length of a day of slots.
func (p Params) DayLength() time.Duration {
	return time.Duration(p.SlotSeconds) * time.Duration(p.SlotsPerDay) * time.Second
}

// LastClosable returns the newest slot whose end is at or before t: the slot
// that a block at t closes. ok is false while slot 0 is open.
func (p Params) LastClosable(t time.Time) (slot uint64, ok bool) {
	now := p.SlotAt(t)
	if now == 0 {
		return 0, false
	}
	return now - 1, true
}

// Accepts tells whether a block at now may still take attestations of a slot
// that was closed by the anchor.
func (p Params) Accepts(anchor *Anchor, now time.Time) bool {
	return !now.After(anchor.Time.Add(p.SubmitWindow))
}

// JudgedAt returns the first second at which the bits of a slot that was closed
// at this time can no longer change.
func (p Params) JudgedAt(closed time.Time) time.Time {
	return closed.Add(p.SubmitWindow + time.Second)
}

// Expired tells whether bitmaps of slots closed by the anchor may be pruned. The
// anchor's own time counts, and not the slot's: after a halt of days the slots
// it closes are kept as long as any other.
func (p Params) Expired(anchor *Anchor, now time.Time) bool {
	return !anchor.Time.Add(time.Duration(p.BitmapDays) * p.DayLength()).After(now)
}

// EvidenceExpired tells whether a fault in the slot is too old to be punished.
func (p Params) EvidenceExpired(slot uint64, now time.Time) bool {
	return now.After(p.SlotStart(slot).Add(p.EvidenceMaxAge))
}

// CanSign tells whether the key may sign an attestation of the slot.
func (k *AgentKey) CanSign(slot uint64) bool { return !k.Revoked && k.covers(slot) }

// Answers tells whether a signature by the key counts as evidence for the slot:
// a revoked or rotated key answers for the slots in which it was bound.
func (k *AgentKey) Answers(slot uint64) bool { return k.covers(slot) }

func (k *AgentKey) covers(slot uint64) bool {
	return k.FromSlot <= slot && (k.UntilSlot == 0 || slot <= k.UntilSlot)
}

// SigningKeys returns the host's keys that may sign for the slot, newest first.
// A host that is not active has none.
func (h *Host) SigningKeys(slot uint64) [][]byte {
	if h.Status != HOST_STATUS_ACTIVE {
		return nil
	}
	var keys [][]byte
	for i := len(h.AgentKeys) - 1; i >= 0; i-- {
		if h.AgentKeys[i].CanSign(slot) {
			keys = append(keys, h.AgentKeys[i].PublicKey)
		}
	}
	return keys
}
