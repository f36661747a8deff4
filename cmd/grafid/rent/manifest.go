package rent

import (
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"

	"github.com/grafilab/grafi/offchain/executor/gateway"
	"github.com/grafilab/grafi/offchain/executor/manifest"
)

func manifestCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "manifest",
		Short: "Check a workload's manifest and compute its digest",
		Long: `A manifest says what to run on a rented GPU: the image by digest, the command, its
resources, volumes and result files. The chain records its SHA-256; the document
itself goes to the host alone.`,
		Example: `  grafid manifest validate job.yaml
  grafid manifest digest job.yaml`,
		RunE: client.ValidateCmd,
	}
	cmd.AddCommand(manifestDigestCmd(), manifestValidateCmd(), manifestSendCmd())
	return cmd
}

func manifestDigestCmd() *cobra.Command {
	return &cobra.Command{
		Use: "digest [file]", Short: "Print the SHA-256 that goes on chain (- reads standard input)",
		Args: cobra.ExactArgs(1), Example: "  grafid manifest digest job.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			m, _, err := readManifest(cmd, args[0])
			if err != nil {
				return err
			}
			digest, err := m.DigestHex()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), digest)
			return err
		},
	}
}

func manifestValidateCmd() *cobra.Command {
	var canonical bool
	cmd := &cobra.Command{
		Use: "validate [file]", Short: "Say whether a manifest is valid, and what is wrong if not (- reads standard input)",
		Args: cobra.ExactArgs(1), Example: "  grafid manifest validate job.yaml --canonical",
		RunE: func(cmd *cobra.Command, args []string) error {
			m, _, err := readManifest(cmd, args[0])
			if err != nil {
				return err
			}
			if !canonical {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), "valid")
				return err
			}
			doc, err := m.Canonical()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", doc)
			return err
		},
	}
	cmd.Flags().BoolVar(&canonical, "canonical", false, "print the canonical form that the digest covers")
	return cmd
}

func manifestSendCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "send [rental-id] [file]", Short: "Send a rental's manifest to its host again",
		Long: `rent sends the manifest by itself. send is for when the host could not be reached
then; the digest must be the one that the rent put on chain.`,
		Args: cobra.ExactArgs(2), Example: "  grafid manifest send 16777216 job.yaml --from renter",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := client.GetClientTxContext(cmd)
			if err != nil {
				return err
			}
			id, err := parseID("rental", args[0])
			if err != nil {
				return err
			}
			_, doc, err := readManifest(cmd, args[1])
			if err != nil {
				return err
			}
			_, g, err := rentalGateway(cmd, c, id)
			if err != nil {
				return err
			}
			accepted, err := sendManifest(cmd, g, doc, 10*time.Second)
			if err != nil {
				return err
			}
			return output(cmd, c, accepted, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "host has manifest %s of rental %d\n", accepted.Digest, accepted.RentalID)
				return err
			})
		},
	}
	addQueryFlags(cmd)
	addKeyFlags(cmd)
	return cmd
}

// readManifest returns the checked manifest and the document as it is.
func readManifest(cmd *cobra.Command, path string) (manifest.Manifest, []byte, error) {
	var doc []byte
	var err error
	if path == "-" {
		doc, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), manifest.MaxBytes+1))
	} else {
		doc, err = os.ReadFile(path)
	}
	if err != nil {
		return manifest.Manifest{}, nil, err
	}
	m, err := manifest.Parse(doc)
	if err != nil {
		return manifest.Manifest{}, nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, doc, nil
}

// sendManifest tries until the host has it: the host's node may be a block behind.
func sendManifest(cmd *cobra.Command, g *gateway.Client, doc []byte, patience time.Duration) (gateway.Accepted, error) {
	until := time.Now().Add(patience)
	for {
		accepted, err := g.PutManifest(cmd.Context(), doc)
		if err == nil || !passing(err) || time.Now().After(until) {
			return accepted, err
		}
		if err := pause(cmd.Context(), 500*time.Millisecond); err != nil {
			return accepted, err
		}
	}
}

func digestOf(m manifest.Manifest) (raw []byte, text string, err error) {
	sum, err := m.Digest()
	return sum[:], hex.EncodeToString(sum[:]), err
}
