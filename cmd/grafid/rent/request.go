package rent

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"

	"github.com/grafilab/grafi/cmd/grafid/broadcast"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

const (
	flagClass     = "class"
	flagMinMemory = "min-memory-mib"
	flagMinWeight = "min-weight-ppm"
	flagRegion    = "region"
	flagMinTier   = "min-trust-tier"
	flagPlacement = "placement"
	flagDryRun    = flags.FlagDryRun
)

// placements are the values of --placement.
var placements = map[string]markettypes.Placement{
	"one-host": markettypes.PLACEMENT_ONE_HOST,
	"gang":     markettypes.PLACEMENT_GANG,
	"spread":   markettypes.PLACEMENT_SPREAD,
}

// requested is what request prints.
type requested struct {
	TxHash  string   `json:"tx_hash"`
	Rentals []rented `json:"rentals"`
}

func requestCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "request [manifest]",
		Short: "Let the chain find and rent the cheapest GPUs that fit",
		Long: `request says what is needed, and the chain rents the cheapest open offers of the General
Cloud that have it, in one transaction. Of equal prices the higher trust tier wins,
then the more reliable host, then the older listing.

--placement one-host takes all GPUs of one host, gang takes several hosts and all or
nothing, spread takes as many as fit. --dry-run rents nothing: it prints what would be
taken, and for each candidate passed over the reason; it fails when nothing fits. It
needs no manifest and no key.`,
		Example: `  grafid rent request --class nvidia-h100-80gb-sxm --gpus 2 --duration 2h --max-price 2500000ugrafi --dry-run
  grafid rent request job.yaml --class nvidia-h100-80gb-sxm --gpus 2 --duration 2h --max-price 2500000ugrafi --region DE --from renter
  grafid rent request job.yaml --min-memory-mib 40000 --gpus 16 --placement gang --max-price 2500000ugrafi --yes --from renter --output json`,
		Args: cobra.MaximumNArgs(1),
		RunE: runRequest,
	}
	addOrderFlags(cmd)
	f := cmd.Flags()
	addTermsFlags(f)
	f.String(flagMaxPrice, "", "most to pay per GPU and hour, such as 2500000ugrafi")
	f.String(flagClass, "", "hardware class")
	f.Uint64(flagMinMemory, 0, "least memory of a GPU in MiB, instead of a class")
	f.Uint64(flagMinWeight, 0, "least mining weight of a GPU's class in PPM, instead of a class")
	f.String(flagRegion, "", "country such as DE, or subdivision such as DE-BY; anywhere when empty")
	f.Uint32(flagMinTier, 0, "least trust tier of the host")
	f.String(flagPlacement, "one-host", "one-host, gang (several hosts, all or nothing) or spread (several hosts, as many as fit)")
	f.Lookup(flagDryRun).Usage = "rent nothing; show what would be rented, and why not the rest"
	return cmd
}

func runRequest(cmd *cobra.Command, args []string) error {
	dry, err := cmd.Flags().GetBool(flagDryRun)
	if err != nil {
		return err
	}
	// The SDK means a simulated transaction by it and wants an address as --from.
	if err := cmd.Flags().Set(flagDryRun, "false"); err != nil {
		return err
	}
	c, err := client.GetClientTxContext(cmd)
	if err != nil {
		return err
	}
	if !dry {
		if err := chainOnly(cmd, c, "request-compute"); err != nil {
			return err
		}
		if len(args) != 1 {
			return errors.New("no manifest named; only --dry-run works without")
		}
	}
	o, err := requestOrder(cmd, args)
	if err != nil {
		return err
	}
	request, err := readRequest(cmd, c, o)
	if err != nil {
		return err
	}
	match, err := markettypes.NewQueryClient(c).MatchCompute(cmd.Context(), &markettypes.QueryMatchComputeRequest{
		Renter: c.FromAddress.String(), Request: request,
	})
	if err != nil {
		return fmt.Errorf("match: %w", err)
	}
	if dry {
		return printMatch(cmd, c, *match)
	}
	if match.Obstacle != "" {
		return fmt.Errorf("nothing was rented: %s (--%s shows each candidate)", match.Obstacle, flagDryRun)
	}
	for _, v := range match.Offers {
		cmd.PrintErrf("%d GPU(s) of host %d (listing %d) at %s per GPU and hour: at most %s\n", len(v.Gpus), v.HostId, v.ListingId, v.Price, v.Escrow)
		if err := probe(cmd, c, v.HostId); err != nil {
			return err
		}
	}
	if err := confirm(cmd, c, fmt.Sprintf("rent for at most %s?", match.Cost)); err != nil {
		return err
	}
	var resp markettypes.MsgRequestComputeResponse
	txHash, err := broadcast.Send(cmd, c, &markettypes.MsgRequestCompute{Renter: c.FromAddress.String(), Request: request}, &resp)
	if err != nil {
		return err
	}
	all := requested{TxHash: txHash, Rentals: []rented{}}
	var failures []error // each host gets its manifest, whatever becomes of the others
	for _, id := range resp.RentalIds {
		v, err := deliver(cmd, c, id, o.doc, args[0], txHash)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		all.Rentals = append(all.Rentals, v)
	}
	err = output(cmd, c, all, func(w io.Writer) error {
		for _, v := range all.Rentals {
			if err := v.print(w, c.FromName); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(append(failures, err)...)
}

// requestOrder is readOrder, or for a dry run without a manifest what stands for it.
func requestOrder(cmd *cobra.Command, args []string) (order, error) {
	if len(args) == 1 {
		return readOrder(cmd, args[0])
	}
	gpus, err := cmd.Flags().GetUint32(flagGPUs)
	return order{gpus: gpus, digest: make([]byte, 32)}, err
}

func readRequest(cmd *cobra.Command, c client.Context, o order) (r markettypes.ComputeRequest, err error) {
	t, err := readTerms(cmd, c)
	if err != nil {
		return r, err
	}
	f := cmd.Flags()
	r = markettypes.ComputeRequest{
		GpuCount: o.gpus, DurationSeconds: t.seconds, StartAt: t.startAt, ManifestDigest: o.digest,
		CloseOnExit: o.closeOnExit, FailoverMaxPrice: t.failover, Interruptible: t.interruptible,
	}
	if r.Class, err = f.GetString(flagClass); err != nil {
		return r, err
	}
	if r.MinMemoryMib, err = f.GetUint64(flagMinMemory); err != nil {
		return r, err
	}
	if r.MinWeightPpm, err = f.GetUint64(flagMinWeight); err != nil {
		return r, err
	}
	if (r.Class != "") == (r.MinMemoryMib > 0 || r.MinWeightPpm > 0) {
		return r, fmt.Errorf("want either --%s, or --%s and --%s", flagClass, flagMinMemory, flagMinWeight)
	}
	if r.Region, err = f.GetString(flagRegion); err != nil {
		return r, err
	}
	if r.MinTrustTier, err = f.GetUint32(flagMinTier); err != nil {
		return r, err
	}
	limit, err := coinFlag(f, flagMaxPrice)
	if err != nil {
		return r, err
	}
	if limit == nil {
		return r, fmt.Errorf("--%s: how much a GPU may cost per hour is needed, such as 2500000ugrafi", flagMaxPrice)
	}
	r.MaxPrice = *limit
	name, err := f.GetString(flagPlacement)
	if err != nil {
		return r, err
	}
	var ok bool
	if r.Placement, ok = placements[name]; !ok {
		return r, fmt.Errorf("--%s: got %q, want one-host, gang or spread", flagPlacement, name)
	}
	return r, nil
}
