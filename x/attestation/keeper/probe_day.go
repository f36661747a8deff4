package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/attestation/types"
)

// closeProbeDay ends the day of the measures: the medians are kept, when enough
// operators measured, and each measure counts for or against its operator. Scores of
// before decide whose measures are part of the medians.
func (k *Keeper) closeProbeDay(ctx context.Context, params types.ProbeParams, c *types.HostConnection) error {
	medians, err := k.medians(ctx, params, c)
	if err != nil {
		return err
	}
	if medians.Day != 0 {
		c.MedianDay, c.UpMbps, c.DownMbps, c.Operators = medians.Day, medians.UpMbps, medians.DownMbps, medians.Operators
		if err := k.scoreDay(ctx, params, c, medians); err != nil {
			return err
		}
	}
	c.Measures = nil
	return nil
}

// scoreDay counts the measures of a day for and against their operators, each
// operator's record once.
func (k *Keeper) scoreDay(ctx context.Context, params types.ProbeParams, c *types.HostConnection, medians types.Connection) error {
	for _, operator := range c.Voices() {
		addr, score, err := k.score(ctx, operator)
		if err != nil {
			return err
		}
		for i := range c.Measures {
			if m := &c.Measures[i]; m.Operator == operator {
				score.Add(m.Strays(medians, params.StrayPpm))
			}
		}
		if err := k.probes.scores.Set(ctx, addr, score); err != nil {
			return err
		}
	}
	return nil
}

// medians computes what the measures of the record's day say under the scores of now.
func (k *Keeper) medians(ctx context.Context, params types.ProbeParams, c *types.HostConnection) (types.Connection, error) {
	return c.Medians(params, func(operator string) (bool, error) {
		_, score, err := k.score(ctx, operator)
		return score.Counts(params), err
	})
}

// Connection returns what counts of a host's connection on a day: the medians of
// the latest day before it that has any, no more than max_age_days back. Its Day is 0
// when there are none. The measures of a day that is over but not closed yet, because no later
// receipt came, count as if it were.
func (k *Keeper) Connection(ctx context.Context, hostID, day uint64) (types.Connection, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Connection{}, err
	}
	return k.connectionOf(ctx, params.Probe, hostID, day)
}

func (k *Keeper) connectionOf(ctx context.Context, params types.ProbeParams, hostID, day uint64) (types.Connection, error) {
	record, err := k.connection(ctx, hostID)
	if err != nil {
		return types.Connection{}, err
	}
	return k.connectionOn(ctx, params, &record, day)
}

func (k *Keeper) connectionOn(ctx context.Context, params types.ProbeParams, record *types.HostConnection, day uint64) (types.Connection, error) {
	fresh := func(d uint64) bool { return d != 0 && d < day && day-d <= uint64(params.MaxAgeDays) }
	if fresh(record.Day) {
		c, err := k.medians(ctx, params, record)
		if err != nil || c.Day != 0 {
			return c, err
		}
	}
	if !fresh(record.MedianDay) {
		return types.Connection{}, nil
	}
	return types.Connection{
		Day: record.MedianDay, UpMbps: record.UpMbps, DownMbps: record.DownMbps, Operators: record.Operators,
	}, nil
}
