package types

import "slices"

// MaxScore is the number of receipts that an operator's score remembers: when it
// is reached both numbers are halved, so that what is long ago weighs less.
const MaxScore = 512

// Connection is what the probes of one day say of a host; Day is 0 for nothing.
type Connection struct {
	Day, UpMbps, DownMbps uint64
	// Operators that were counted.
	Operators uint32
}

// Medians computes the connection from the measures of the day. Each operator has
// one voice a direction, the median of its own measures, however many hosts it
// probed from; operators that don't count have none. The result is the median of
// the voices, and nothing under min_operators of them. Of an even number the lower
// of the two in the middle is the median.
func (c *HostConnection) Medians(p ProbeParams, counts func(operator string) (bool, error)) (Connection, error) {
	var ups, downs []uint64
	for _, operator := range c.Voices() {
		ok, err := counts(operator)
		if err != nil {
			return Connection{}, err
		}
		if !ok {
			continue
		}
		var up, down []uint64
		for i := range c.Measures {
			if m := &c.Measures[i]; m.Operator == operator {
				up, down = append(up, m.UpMbps), append(down, m.DownMbps)
			}
		}
		ups, downs = append(ups, lowerMedian(up)), append(downs, lowerMedian(down))
	}
	if len(ups) < max(int(p.MinOperators), 1) {
		return Connection{}, nil
	}
	return Connection{Day: c.Day, UpMbps: lowerMedian(ups), DownMbps: lowerMedian(downs), Operators: uint32(len(ups))}, nil
}

// Voices returns the operators among the measures, in the order of their first one.
func (c *HostConnection) Voices() []string {
	var operators []string
	for i := range c.Measures {
		if !slices.Contains(operators, c.Measures[i].Operator) {
			operators = append(operators, c.Measures[i].Operator)
		}
	}
	return operators
}

// Strays tells whether the measure is over stray_ppm away from the medians, in
// either direction.
func (m *ProbeMeasure) Strays(c Connection, strayPPM uint64) bool {
	return apart(m.UpMbps, c.UpMbps, strayPPM) || apart(m.DownMbps, c.DownMbps, strayPPM)
}

// apart tells whether |rate − median| > median × ppm. Both are at most MaxMbps.
func apart(rate, median, ppm uint64) bool {
	return (max(rate, median)-min(rate, median))*PPM > median*ppm
}

// Add counts one receipt.
func (s *ProberScore) Add(strayed bool) {
	if strayed {
		s.Strayed++
	} else {
		s.Agreed++
	}
	if s.Agreed+s.Strayed >= MaxScore {
		s.Agreed, s.Strayed = s.Agreed/2, s.Strayed/2
	}
}

// Counts tells whether the operator's measures are part of medians: before it has
// min_score receipts, and while no more of them strayed than max_strayed_ppm.
func (s *ProberScore) Counts(p ProbeParams) bool {
	all := s.Agreed + s.Strayed
	return all < uint64(p.MinScore) || s.Strayed*PPM <= all*p.MaxStrayedPpm
}

// lowerMedian sorts its argument, which is not empty.
func lowerMedian(rates []uint64) uint64 {
	slices.Sort(rates)
	return rates[(len(rates)-1)/2]
}
