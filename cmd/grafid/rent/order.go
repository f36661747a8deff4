package rent

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/cmd/grafid/broadcast"
)

const (
	flagGPUs          = "gpus"
	flagDuration      = "duration"
	flagMaxPrice      = "max-price"
	flagCloseOnExit   = "close-on-exit"
	flagWait          = "wait"
	flagStart         = "start"
	flagInterruptible = "interruptible"
	flagFailover      = "failover-max-price"
)

// order is what a renter wants, whatever the way to rent.
type order struct {
	gpus        uint32
	closeOnExit bool
	// doc is the manifest as it is, digest that of its canonical form.
	doc    []byte
	digest []byte
}

// terms are of a rental with a given length.
type terms struct {
	seconds       uint64
	startAt       *time.Time // nil for now
	interruptible bool
	failover      *sdk.Coin // nil for none
}

func addOrderFlags(cmd *cobra.Command) {
	broadcast.Flags(cmd)
	f := cmd.Flags()
	f.Uint32(flagGPUs, 1, "number of GPUs")
	f.Bool(flagCloseOnExit, false, "close the rental, and stop paying, as soon as the workload has ended")
	f.Bool(flagWait, false, "wait until the workload has started")
	addGatewayFlag(cmd)
}

func addTermsFlags(f *pflag.FlagSet) {
	f.Duration(flagDuration, time.Hour, "how long, in whole seconds")
	f.String(flagStart, "", "reserve for later: a time such as 2026-12-01T08:00:00Z, or in how long, such as 36h")
	f.Bool(flagInterruptible, false, "at the interruptible price; another rental may take the GPUs after a notice")
	f.String(flagFailover, "", "re-place the rental on another host if this one fails, at most at this price per GPU and hour; the difference is held in reserve")
}

// chainOnly is the error of a command that speaks to the host as well.
func chainOnly(cmd *cobra.Command, c client.Context, instead string) error {
	if c.FromName == "" {
		return errNoFrom
	}
	if c.GenerateOnly || c.Offline {
		return fmt.Errorf("%s speaks to the host and can't work with --%s or --%s; use: grafid tx gpumarket %s",
			cmd.Name(), flags.FlagGenerateOnly, flags.FlagOffline, instead)
	}
	return nil
}

func readOrder(cmd *cobra.Command, path string) (o order, err error) {
	m, doc, err := readManifest(cmd, path)
	if err != nil {
		return o, err
	}
	o.doc = doc
	if o.digest, _, err = digestOf(m); err != nil {
		return o, err
	}
	f := cmd.Flags()
	if o.gpus, err = f.GetUint32(flagGPUs); err != nil {
		return o, err
	}
	if m.Resources.GPUs > o.gpus {
		return o, fmt.Errorf("--gpus: got %d, the manifest wants %d", o.gpus, m.Resources.GPUs)
	}
	o.closeOnExit, err = f.GetBool(flagCloseOnExit)
	return o, err
}

func readTerms(cmd *cobra.Command, c client.Context) (t terms, err error) {
	f := cmd.Flags()
	if t.seconds, err = wholeSeconds(f, flagDuration); err != nil {
		return t, err
	}
	if t.interruptible, err = f.GetBool(flagInterruptible); err != nil {
		return t, err
	}
	if t.failover, err = coinFlag(f, flagFailover); err != nil {
		return t, err
	}
	start, err := f.GetString(flagStart)
	if err != nil || start == "" {
		return t, err
	}
	if t.interruptible {
		return t, fmt.Errorf("--%s and --%s exclude each other: an interruptible rental starts now", flagStart, flagInterruptible)
	}
	now, err := blockTime(cmd.Context(), c)
	if err != nil {
		return t, err
	}
	at, err := parseStart(start, now)
	t.startAt = &at
	return t, err
}

// parseStart reads a time, or a duration from the newest block on. The chain's
// clock counts, in whole seconds.
func parseStart(s string, now time.Time) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		ahead, err := time.ParseDuration(s)
		if err != nil {
			return at, fmt.Errorf("--%s: got %q, want a time such as 2026-12-01T08:00:00Z or a duration such as 36h", flagStart, s)
		}
		at = now.Add(ahead).Truncate(time.Second)
	}
	if !at.After(now) {
		return at, fmt.Errorf("--%s: got %s, the chain's clock says %s already", flagStart, when(&at), when(&now))
	}
	return at.UTC(), nil
}

func wholeSeconds(f *pflag.FlagSet, name string) (uint64, error) {
	d, err := f.GetDuration(name)
	if err != nil {
		return 0, err
	}
	if d < time.Second || d%time.Second != 0 {
		return 0, fmt.Errorf("--%s: got %s, want whole seconds, at least one", name, d)
	}
	return uint64(d / time.Second), nil
}

// coinFlag returns nil when the flag is empty.
func coinFlag(f *pflag.FlagSet, name string) (*sdk.Coin, error) {
	s, err := f.GetString(name)
	if err != nil || s == "" {
		return nil, err
	}
	coin, err := sdk.ParseCoinNormalized(s)
	if err != nil {
		return nil, fmt.Errorf("--%s: got %q, want an amount such as 2500000ugrafi: %w", name, s, err)
	}
	return &coin, nil
}

// blockTime is the time of the node's newest block.
func blockTime(ctx context.Context, c client.Context) (time.Time, error) {
	node, err := c.GetNode()
	if err != nil {
		return time.Time{}, err
	}
	st, err := node.Status(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("time of the newest block: %w", err)
	}
	return st.SyncInfo.LatestBlockTime, nil
}
