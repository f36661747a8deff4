package rent

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"

	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// printMatch prints a dry run; an obstacle is an error after it.
func printMatch(cmd *cobra.Command, c client.Context, m markettypes.QueryMatchComputeResponse) error {
	raw, err := c.Codec.MarshalJSON(&m)
	if err != nil {
		return err
	}
	if err := output(cmd, c, json.RawMessage(raw), func(w io.Writer) error { return matchTable(w, m) }); err != nil {
		return err
	}
	if m.Obstacle != "" {
		return fmt.Errorf("nothing fits: %s", m.Obstacle)
	}
	return nil
}

// matchTable shows the candidates in the order of the search.
func matchTable(w io.Writer, m markettypes.QueryMatchComputeResponse) error {
	gpus := make(map[uint64][]uint32, len(m.Offers))
	for _, o := range m.Offers {
		gpus[o.ListingId] = o.Gpus
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "LISTING\tHOST\tPRICE\tTIER\tUP\tVERDICT\tWHY")
	for _, v := range m.Candidates {
		why := v.Reason
		if list, chosen := gpus[v.ListingId]; chosen && why == "" {
			why = "GPUs " + strings.Trim(fmt.Sprint(list), "[]")
		}
		fmt.Fprintf(t, "%d\t%d\t%s\tT%d\t%s\t%s\t%s\n", v.ListingId, v.HostId, v.Price, v.TrustTier,
			percent(v.ReliabilityPpm), short(v.Verdict.String(), "CANDIDATE_VERDICT_"), why)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(m.Candidates) == 0 {
		fmt.Fprintln(w, "(no offer of that class, price and denom)")
	}
	if m.Bounded {
		fmt.Fprintln(w, "The search ended at its bound: there are more offers that were not read.")
	}
	if m.Obstacle != "" {
		return nil
	}
	count := 0
	for _, o := range m.Offers {
		count += len(o.Gpus)
	}
	_, err := fmt.Fprintf(w, "\n%d GPU(s) of %d listing(s) for at most %s\n", count, len(m.Offers), m.Cost)
	return err
}

// percent prints PPM with as many digits as count in an availability.
func percent(ppm uint64) string { return fmt.Sprintf("%d.%02d %%", ppm/10_000, ppm/100%100) }

// short is an enum's name as people read it.
func short(name, prefix string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, prefix), "_", " "))
}
