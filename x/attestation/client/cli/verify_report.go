// Package cli has the module's commands that do more than one query.
package cli

import (
	"encoding/hex"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"

	"github.com/grafilab/grafi/x/attestation/device"
	"github.com/grafilab/grafi/x/attestation/types"
)

// maxFile bounds what is read of a file, in bytes.
const maxFile = 1 << 20

const flagNonce = "nonce"

// QueryCommand is the parent of the module's queries. The generated ones join it.
func QueryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:                        types.ModuleName,
		Short:                      "Query what exists and is alive, and how far it is proven",
		SuggestionsMinimumDistance: 2,
		RunE:                       client.ValidateCmd,
	}
	cmd.AddCommand(VerifyReportCommand())
	return cmd
}

// VerifyReportCommand verifies a device report as the chain does, without a node.
func VerifyReportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify-report [report.hex] [chain.pem]",
		Short: "Verify a GPU's attestation report offline, exactly as the chain does",
		Long: `Verify an SPDM 1.1 report (request and response, in hex) with its certificate chain
(PEM, leaf first, with or without the root at its end) up to NVIDIA's pinned root, and
print what it says. No node is asked, and no certificate is looked up anywhere: the
chain's own list of revocations is "grafid query attestation revocations".

Without --nonce the report may answer any request, so that it proves a die and not when
it answered.`,
		Example: `  grafid query attestation verify-report gpu0.report.hex gpu0.chain.pem
  grafid query attestation verify-report gpu0.report.hex gpu0.chain.pem --nonce $(openssl rand -hex 32)`,
		Args:         cobra.ExactArgs(2),
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			nonce, err := cmd.Flags().GetString(flagNonce)
			if err != nil {
				return err
			}
			return verifyReport(cmd, args[0], args[1], nonce)
		},
	}
	cmd.Flags().String(flagNonce, "", "32 bytes in hex that the report must answer")
	return cmd
}

func verifyReport(cmd *cobra.Command, reportFile, chainFile, wanted string) error {
	reportText, err := readFile(reportFile)
	if err != nil {
		return err
	}
	chainText, err := readFile(chainFile)
	if err != nil {
		return err
	}
	raw, err := device.DecodeReport(reportText)
	if err != nil {
		return fmt.Errorf("%s: %w", reportFile, err)
	}
	chain, err := device.DecodeChain(chainText)
	if err != nil {
		return fmt.Errorf("%s: %w", chainFile, err)
	}
	report, err := device.ParseReport(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", reportFile, err)
	}
	nonce := report.Nonce
	if wanted != "" {
		bz, err := hex.DecodeString(wanted)
		if err != nil || len(bz) != device.NonceSize {
			return fmt.Errorf("--%s %q: want %d bytes in hex", flagNonce, wanted, device.NonceSize)
		}
		nonce = [device.NonceSize]byte(bz)
	}
	result, err := device.Verify(device.NVIDIA(), raw, chain, nonce)
	if err != nil {
		return err
	}
	return printResult(cmd, result)
}

func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, want at most %d", name, info.Size(), maxFile)
	}
	return os.ReadFile(name)
}

func printResult(cmd *cobra.Command, result *device.Result) error {
	leaf := result.Chain.LeafDigest()
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"verified", "signed by the die, and by NVIDIA for it"},
		{"die", fmt.Sprintf("%s (%s)", result.Chain.Chip(), result.Chain.Architecture())},
		{"serial", hex.EncodeToString(result.Chain.Serial())},
		{"nonce", hex.EncodeToString(result.Report.Nonce[:])},
		{"driver", orNone(result.Report.Driver)},
		{"vbios", orNone(result.Report.VBIOS)},
		{"firmware", orNone(hex.EncodeToString(result.Report.FWID))},
		{"measurements", fmt.Sprint(len(result.Report.Measurements))},
		{"leaf", hex.EncodeToString(leaf[:])},
	} {
		if _, err := fmt.Fprintf(w, "%s\t%s\n", row[0], row[1]); err != nil {
			return err
		}
	}
	for i, c := range result.Chain.Certificates() {
		if _, err := fmt.Fprintf(w, "certificate %d\t%s, serial %x\n", i, c.CommonName, c.Serial); err != nil {
			return err
		}
	}
	return w.Flush()
}

func orNone(s string) string {
	if s == "" {
		return "not reported"
	}
	return s
}
