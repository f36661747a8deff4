package rent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/grafilab/grafi/offchain/executor/gateway"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// fetched is a result file that is on this machine.
type fetched struct {
	gateway.ResultFile
	SavedAs string `json:"saved_as"`
}

type fetchedAll struct {
	RentalID uint64    `json:"rental_id,string"`
	Files    []fetched `json:"files"`
	// OutputDigest covers all files; OnChain is whether the agent reported the same.
	OutputDigest string `json:"output_digest"`
	OnChain      bool   `json:"on_chain"`
}

func resultsCmd() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "results [rental-id]", Short: "Fetch a rental's result files and check them against the chain",
		Long: `results downloads the files that the manifest names as results, checks each against
its SHA-256, and all of them against the output digest that the host's agent
signed on chain. They are kept for a while after the workload has ended.`,
		Example: "  grafid results 16777216 --out results --from renter",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := openRental(cmd, args[0])
			if err != nil {
				return err
			}
			all, err := fetchResults(cmd.Context(), s.rental, s.gateway, dir)
			if err != nil {
				return err
			}
			return output(cmd, s.ctx, all, func(w io.Writer) error {
				for _, f := range all.Files {
					fmt.Fprintf(w, "%s  %s (%d bytes)\n", f.SHA256, f.SavedAs, f.Bytes)
				}
				said := "not reported on chain yet"
				if all.OnChain {
					said = "as on chain"
				}
				_, err := fmt.Fprintf(w, "output digest %s (%s)\n", all.OutputDigest, said)
				return err
			})
		},
	}
	addQueryFlags(cmd)
	addKeyFlags(cmd)
	cmd.Flags().StringVar(&dir, "out", ".", "directory for the files")
	return cmd
}

func fetchResults(ctx context.Context, rental markettypes.Rental, g *gateway.Client, dir string) (fetchedAll, error) {
	list, err := g.Results(ctx)
	if err != nil {
		return fetchedAll{}, err
	}
	all := fetchedAll{RentalID: rental.Id, OutputDigest: list.OutputDigest, Files: []fetched{}}
	names := localNames(list.Files)
	for i, f := range list.Files {
		to := filepath.Join(dir, names[i])
		if err := fetchOne(ctx, g, f, to); err != nil {
			return fetchedAll{}, fmt.Errorf("%s: %w", f.Path, err)
		}
		all.Files = append(all.Files, fetched{ResultFile: f, SavedAs: to})
	}
	if rental.Result == nil {
		return all, nil
	}
	if want := hex.EncodeToString(rental.Result.OutputDigest); want != list.OutputDigest {
		return all, fmt.Errorf("output digest: the host has %q, its agent signed %q on chain", list.OutputDigest, want)
	}
	all.OnChain = true
	return all, nil
}

// localNames are the files' own names, or their whole paths where two would be the same.
func localNames(files []gateway.ResultFile) []string {
	count := make(map[string]int)
	for _, f := range files {
		count[path.Base(f.Path)]++
	}
	names := make([]string, len(files))
	for i, f := range files {
		// Cleaned from the root, so that no path leaves the directory.
		clean := path.Clean("/" + f.Path)
		if names[i] = path.Base(clean); count[path.Base(f.Path)] > 1 {
			names[i] = filepath.FromSlash(clean[1:])
		}
	}
	return names
}

// fetchOne downloads beside the name and moves it there when its digest is right.
func fetchOne(ctx context.Context, g *gateway.Client, f gateway.ResultFile, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	body, err := g.OpenResult(ctx, f.Path)
	if err != nil {
		return err
	}
	defer body.Close()
	tmp, err := os.CreateTemp(filepath.Dir(to), ".grafi-result-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	sum := sha256.New()
	// One byte more than was announced, to notice a longer file.
	n, err := io.Copy(io.MultiWriter(tmp, sum), io.LimitReader(body, f.Bytes+1))
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); n != f.Bytes || got != f.SHA256 {
		return fmt.Errorf("got %d bytes with SHA-256 %s, want %d with %s", n, got, f.Bytes, f.SHA256)
	}
	if err := os.Chmod(tmp.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), to)
}
