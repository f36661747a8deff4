// Package arch checks the shape of the repository: which package may import
// which. The rules are those of docs/architecture.md; golangci-lint has them
// too, and this test finds a breach without any tool.
package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/grafilab/grafi/"

// goFile is a source file with what it imports.
type goFile struct {
	path    string // from the repository root, with slashes
	test    bool
	imports []string
}

// breach returns why the file may not import the package, or "".
func breach(f goFile, imported string) string {
	for _, rule := range rules {
		if reason := rule(f, imported); reason != "" {
			return reason
		}
	}
	return ""
}

var rules = []func(f goFile, imported string) string{
	foreignKeeper, typesStayPure, nothingAboveX, offchainSeesContractsOnly, rulesStayPure,
	consensusIsDeterministic, chaininfoIsABase, testRootStaysInTests,
}

// foreignKeeper: a module calls another through its own expected_keepers.go.
func foreignKeeper(f goFile, imported string) string {
	owner, ok := moduleOf(f.path)
	other, isModule := moduleOf(strings.TrimPrefix(imported, module))
	if !ok || !isModule || owner == other || f.test || !strings.HasPrefix(imported, module) {
		return ""
	}
	if !strings.HasSuffix(imported, "/types") {
		return "a module imports only the types of another module"
	}
	return ""
}

// typesStayPure: pure rules and messages need no state.
func typesStayPure(f goFile, imported string) string {
	if isUnder(f.path, "x/*/types") && !f.test && strings.HasPrefix(imported, module) && strings.HasSuffix(imported, "/keeper") {
		return "types import no keeper"
	}
	return ""
}

// nothingAboveX: dependencies of the chain go down.
func nothingAboveX(f goFile, imported string) string {
	if !strings.HasPrefix(f.path, "x/") || f.test {
		return ""
	}
	for _, above := range []string{"app", "cmd", "agent", "offchain", "tests"} {
		if isPackage(imported, module+above) {
			return "x/ never imports " + above
		}
	}
	return ""
}

// offchainSeesContractsOnly: programs beside the chain know its messages and
// not how it works.
func offchainSeesContractsOnly(f goFile, imported string) string {
	top, _, _ := strings.Cut(f.path, "/")
	if (top != "agent" && top != "offchain") || f.test || !strings.HasPrefix(imported, module) {
		return ""
	}
	inner := strings.TrimPrefix(imported, module)
	if isPackage(inner, top) || isPackage(inner, "internal") || isUnder(inner, "x/*/types") || pureRules(inner) {
		return ""
	}
	return top + "/ imports only x/*/types, pure rules, internal/ and itself"
}

// pureRules: packages of the chain without state, which whoever is judged by them
// shares, and the known answers with which the agent tests its machine.
// rulesStayPure keeps the SDK out of them.
func pureRules(inner string) bool {
	return inner == "x/attestation/compute" || inner == "x/attestation/device" || inner == "testutil/golden"
}

// rulesStayPure: they run in the agent, whose memory is small, and in consensus.
func rulesStayPure(f goFile, imported string) string {
	if f.test || !pureRules(path.Dir(f.path)) {
		return ""
	}
	// What a processor can is not in the standard library's public part.
	if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") && imported != "golang.org/x/sys/cpu" {
		return "pure rules import the standard library only"
	}
	return ""
}

// testRootStaysInTests: no binary may hold an issuer of device reports.
func testRootStaysInTests(f goFile, imported string) string {
	const testIssuer = "x/attestation/device/devicetest"
	if f.test || path.Dir(f.path) == testIssuer || imported != module+testIssuer {
		return ""
	}
	return "only tests import " + testIssuer
}

// consensusIsDeterministic: what these packages return differs between nodes.
func consensusIsDeterministic(f goFile, imported string) string {
	generated := strings.HasSuffix(f.path, ".pb.gw.go") // the REST gateway, which runs in the API server
	client := isUnder(f.path, "x/*/client")             // commands, which run on a person's machine
	if !strings.HasPrefix(f.path, "x/") || f.test || generated || client || strings.Contains(f.path, "/simulation/") {
		return ""
	}
	for _, p := range []string{"math/rand", "math/rand/v2", "os", "net", "crypto/rand", "unsafe", "sync"} {
		if imported == p || strings.HasPrefix(imported, p+"/") {
			return "consensus code may not use " + p
		}
	}
	return ""
}

// chaininfoIsABase: everything may import it, so it imports nothing of ours.
func chaininfoIsABase(f goFile, imported string) string {
	if strings.HasPrefix(f.path, "internal/chaininfo/") && strings.HasPrefix(imported, module) {
		return "internal/chaininfo imports nothing of this repository"
	}
	return ""
}

func TestImportDirections(t *testing.T) {
	files := sources(t)
	require.NotEmpty(t, files)
	for _, f := range files {
		for _, imported := range f.imports {
			if reason := breach(f, imported); reason != "" {
				t.Errorf("%s imports %s: %s", f.path, imported, reason)
			}
		}
	}
}

// TestRulesFind shows that each rule can fail.
func TestRulesFind(t *testing.T) {
	for path, imported := range map[string]string{
		"x/gpumarket/keeper/rent.go":      module + "x/attestation/keeper",
		"x/gpumarket/types/billing.go":    module + "x/gpumarket/keeper",
		"x/attestation/module.go":         module + "app",
		"x/attestation/keeper/host.go":    module + "offchain/executor",
		"x/staking-ext/keeper/slash.go":   "math/rand/v2",
		"x/staking-ext/types/slash.go":    "net/http",
		"agent/attest/loop.go":            module + "x/attestation/keeper",
		"agent/config/config.go":          module + "offchain/executor",
		"offchain/executor/plan/plan.go":  module + "app",
		"x/attestation/compute/work.go":   "github.com/cosmos/cosmos-sdk/types",
		"internal/chaininfo/chaininfo.go": module + "x/gpumarket/types",
		"app/keepers.go":                  module + "x/attestation/device/devicetest",
	} {
		require.NotEmpty(t, breach(goFile{path: path}, imported), "%s imports %s", path, imported)
	}
	for path, imported := range map[string]string{
		"x/gpumarket/keeper/keeper.go":            module + "x/attestation/types",
		"x/gpumarket/module.go":                   module + "x/gpumarket/keeper",
		"x/gpumarket/simulation/rent.go":          "math/rand",
		"agent/attest/loop.go":                    module + "internal/chainclient",
		"agent/prove/cpu.go":                      module + "x/attestation/compute",
		"agent/device/request.go":                 module + "x/attestation/device",
		"agent/prove/selftest.go":                 module + "testutil/golden",
		"offchain/executor/watch/watch.go":        module + "x/gpumarket/types",
		"offchain/executor/gateway/gateway.go":    "net/http",
		"app/keepers.go":                          module + "x/gpumarket/keeper",
		"x/attestation/keeper/genesis.go":         "cosmossdk.io/math",
		"x/attestation/keeper/submit_verifier.go": "crypto/sha256",
	} {
		require.Empty(t, breach(goFile{path: path}, imported), "%s imports %s", path, imported)
	}
}

// sources reads the imports of every Go file.
func sources(t *testing.T) []goFile {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	var out []goFile
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "build") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if os.IsNotExist(err) {
			return nil
		} else if err != nil {
			return err
		}
		f := goFile{path: filepath.ToSlash(rel), test: strings.HasSuffix(path, "_test.go")}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, imported)
		}
		out = append(out, f)
		return nil
	}))
	return out
}

// moduleOf returns the x/ module that a path is in.
func moduleOf(path string) (string, bool) {
	parts := strings.Split(path, "/")
	if len(parts) < 2 || parts[0] != "x" {
		return "", false
	}
	return parts[1], true
}

func isPackage(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// isUnder matches x/*/types and what is below it.
func isUnder(path, pattern string) bool {
	have, want := strings.Split(path, "/"), strings.Split(pattern, "/")
	if len(have) < len(want) {
		return false
	}
	for i := range want {
		if want[i] != "*" && want[i] != have[i] {
			return false
		}
	}
	return true
}
