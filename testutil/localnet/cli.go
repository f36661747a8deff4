package localnet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// inclusion is how long a transaction may take to be in a block.
const inclusion = time.Minute

// Run runs a program to its end and returns its standard output. An error
// holds what it wrote to standard error.
func Run(ctx context.Context, path string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.Bytes(), fmt.Errorf("%s %s: %w\n%s", filepath.Base(path), strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}

// TxResult is what a transaction did.
type TxResult struct {
	Hash   string `json:"txhash"`
	Code   uint32 `json:"code"`
	RawLog string `json:"raw_log"`
	Events []struct {
		Type       string `json:"type"`
		Attributes []struct{ Key, Value string }
	} `json:"events"`
}

// Attribute returns an attribute of the first event of the type, without the
// quotes of a typed event; empty when there is none.
func (r TxResult) Attribute(event, key string) string {
	for _, e := range r.Events {
		if e.Type != event {
			continue
		}
		for _, a := range e.Attributes {
			if a.Key == key {
				return strings.Trim(a.Value, `"`)
			}
		}
	}
	return ""
}

// Tx sends a transaction from a named account as a user would, waits until it
// is in a block, and fails when the chain refused it.
func (n *Network) Tx(ctx context.Context, from string, args ...string) (TxResult, error) {
	out, err := Run(ctx, n.Program("grafid"), n.TxArgs(from, args...)...)
	if err != nil {
		return TxResult{}, err
	}
	return n.included(ctx, strings.Join(args, " "), out)
}

// SignAndSend signs an unsigned transaction as a named account, sends it and
// waits as Tx does.
func (n *Network) SignAndSend(ctx context.Context, from string, unsigned []byte) (TxResult, error) {
	dir, err := os.MkdirTemp(n.Dir, "tx-")
	if err != nil {
		return TxResult{}, err
	}
	defer os.RemoveAll(dir)
	file, signed := filepath.Join(dir, "tx.json"), filepath.Join(dir, "signed.json")
	if err := os.WriteFile(file, unsigned, 0o600); err != nil {
		return TxResult{}, err
	}
	args := append([]string{"tx", "sign", file, "--output-document", signed}, n.Signer(from)...)
	if _, err := Run(ctx, n.Program("grafid"), args...); err != nil {
		return TxResult{}, err
	}
	out, err := Run(ctx, n.Program("grafid"), "tx", "broadcast", signed, "--node", n.Nodes[0].RPC, "--output", "json")
	if err != nil {
		return TxResult{}, err
	}
	return n.included(ctx, "of a file", out)
}

// included waits until what a broadcast answered for is in a block.
func (n *Network) included(ctx context.Context, what string, answer []byte) (TxResult, error) {
	var sent, got TxResult
	if err := json.Unmarshal(answer, &sent); err != nil {
		return got, fmt.Errorf("tx %s: %w in %s", what, err, answer)
	}
	if sent.Code != 0 {
		return sent, fmt.Errorf("tx %s: refused with code %d: %s", what, sent.Code, sent.RawLog)
	}
	ctx, cancel := context.WithTimeout(ctx, inclusion)
	defer cancel()
	err := Until(ctx, "transaction "+sent.Hash, func() (done bool, err error) {
		got, done, err = n.lookup(ctx, sent.Hash)
		return done, err
	})
	if err != nil {
		return got, err
	}
	if got.Code != 0 {
		return got, fmt.Errorf("tx %s: failed with code %d: %s", what, got.Code, got.RawLog)
	}
	return got, nil
}

// TxArgs returns the arguments of grafid for a transaction.
func (n *Network) TxArgs(from string, args ...string) []string {
	return append(append([]string{"tx"}, args...), append(n.Signer(from),
		"--gas", "auto", "--gas-adjustment", "1.5", "--gas-prices", "0.01ugrafi", "--yes", "--output", "json")...)
}

// Signer returns the flags that sign as a named account on node 0.
func (n *Network) Signer(from string) []string {
	return []string{
		"--from", from, "--keyring-backend", "test", "--home", n.Nodes[0].Home,
		"--chain-id", n.ChainID, "--node", n.Nodes[0].RPC,
	}
}

// Query runs a query of grafid and decodes its JSON into out.
func (n *Network) Query(ctx context.Context, out any, args ...string) error {
	raw, err := Run(ctx, n.Program("grafid"), append(append([]string{"query"}, args...),
		"--node", n.Nodes[0].RPC, "--home", n.Nodes[0].Home, "--output", "json")...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("query %s: %w in %s", strings.Join(args, " "), err, raw)
	}
	return nil
}
