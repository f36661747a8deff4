package gpu

import "time"

// sample reads every device that the driver lists now, and marks as lost those
// that it listed before and does not list any more.
func (s *NVML) sample() (Sample, error) {
	if err := s.open(); err != nil {
		return Sample{}, err
	}
	n, r := s.lib.deviceCount()
	if r != success {
		return Sample{}, s.fail("nvmlDeviceGetCount", r)
	}
	if n > len(s.known) { // a card came back, or was added
		if err := s.list(); err != nil {
			return Sample{}, err
		}
		s.subscribe()
	}
	s.drainEvents()

	out := Sample{TakenAt: time.Now().UTC(), Kind: KindNVML}
	seen := make(map[string]bool, n)
	for i := range n {
		g, r := s.reading(i)
		if r.driverLost() {
			return Sample{}, s.fail("device reading", r)
		}
		if g.UUID != "" && !seen[g.UUID] {
			seen[g.UUID] = true
			out.Readings = append(out.Readings, g)
		}
	}
	for _, d := range s.known {
		if !seen[d.UUID] {
			out.Readings = append(out.Readings, s.finish(Reading{UUID: d.UUID, Flags: FlagLost, Unsupported: noneRead}))
		}
	}
	return out, nil
}

// reading reads one device. It returns success, or what a lost driver answered.
func (s *NVML) reading(i int) (Reading, ret) {
	h, r := s.lib.device(i)
	var uuid string
	if r == success {
		uuid, r = h.uuid()
	}
	if r != success {
		if r.driverLost() {
			return Reading{}, r
		}
		return Reading{}, success // its UUID is unknown: found missing by sample
	}
	g := Reading{UUID: uuid}
	// note files one call's outcome: read, unsupported, or this GPU lost.
	note := func(r ret, bit Unsupported) (ok bool) {
		if r == success {
			return true
		}
		if r.gpuLost() {
			g.Flags |= FlagLost
		}
		g.Unsupported |= bit
		return false
	}

	mem, r := h.memory()
	if r.driverLost() {
		return g, r
	}
	if note(r, NoMemory) {
		g.MemoryUsedMiB, g.MemoryTotalMiB = mem.used>>20, mem.total>>20
	}
	if v, r := guarded(s.lib, callUtilization, h.utilization); note(r, NoUtilization) {
		g.UtilizationPercent = v.gpu
	}
	if v, r := guarded(s.lib, callTemperature, h.temperature); note(r, NoTemperature) {
		g.TemperatureC = v
	}
	if v, r := guarded(s.lib, callPower, h.power); note(r, NoPower) {
		g.PowerMilliwatt = v
	}
	s.readFaults(h, &g, note)
	if s.events == nil {
		g.Unsupported |= NoXid
	}
	if !s.lib.has(callPCI) {
		g.Unsupported |= NoPCI
	}
	return s.finish(g), success
}

// readFaults reads the counters of memory errors.
func (s *NVML) readFaults(h libraryDevice, g *Reading, note func(ret, Unsupported) bool) {
	ecc := func(t eccType) (uint64, ret) {
		return guarded(s.lib, callECC, func() (uint64, ret) { return h.eccErrors(t) })
	}
	if v, r := ecc(eccUncorrected); note(r, NoECC) {
		g.ECCUncorrected = v
		if v > 0 {
			g.Flags |= FlagECC
		}
	}
	if v, r := ecc(eccCorrected); note(r, NoECC) {
		g.ECCCorrected = v
	}
	if !s.lib.has(callRemapped) {
		g.Unsupported |= NoRemap
		return
	}
	pending, failed, r := h.remapped()
	if note(r, NoRemap) {
		if pending {
			g.Flags |= FlagRemapPending
		}
		if failed {
			g.Flags |= FlagRemapFailed
		}
	}
}

// guarded makes the call when the library has it, and answers "not supported" otherwise.
func guarded[T any](lib library, c call, fn func() (T, ret)) (T, ret) {
	if !lib.has(c) {
		var zero T
		return zero, notSupported
	}
	return fn()
}

// finish adds the Xids that came since the sample before.
func (s *NVML) finish(r Reading) Reading {
	r.Xids = s.xids[r.UUID]
	delete(s.xids, r.UUID)
	r.Flags |= xidFlags(r.Xids)
	return r
}

// subscribe asks for Xid events of every device. Cards that don't offer them are
// left out; without any, NoXid is set. On Windows no driver offers them.
func (s *NVML) subscribe() {
	if s.events != nil {
		s.events.free()
		s.events = nil
	}
	for _, c := range []call{callEventCreate, callEventFree, callEventAdd, callEventWait} {
		if !s.lib.has(c) {
			return
		}
	}
	set, r := s.lib.newEvents()
	if r != success {
		return
	}
	registered := 0
	for _, d := range s.known {
		if h, r := s.lib.device(d.Index); r == success && set.add(h) == success {
			registered++
		}
	}
	if registered == 0 {
		set.free()
		return
	}
	s.events = set
}

// maxEvents bounds the events taken at one sample.
const maxEvents = 256

// drainEvents takes the waiting events without waiting for more.
func (s *NVML) drainEvents() {
	if s.events == nil {
		return
	}
	for range maxEvents {
		e, r := s.events.next()
		if r != success {
			return // a timeout: there is none, or a fault that the next reading finds
		}
		if e.device == nil {
			continue
		}
		if uuid, r := e.device.uuid(); r == success {
			s.xids[uuid] = append(s.xids[uuid], e.xid)
			continue
		}
		// The GPU is too far gone to say who it is: blame every one, since the
		// attestation must not claim more than is known.
		for _, d := range s.known {
			s.xids[d.UUID] = append(s.xids[d.UUID], e.xid)
		}
	}
}
