package app

import (
	"os"
	"path/filepath"

	"github.com/grafilab/grafi/internal/chaininfo"
)

// DefaultNodeHome is where a node keeps its files unless --home says otherwise.
var DefaultNodeHome = nodeHome()

// The SDK reads prefixes and the bond denom from process-wide variables, while
// default geneses are made and addresses are printed: they are set before
// anything in this package can do either.
func init() { chaininfo.ConfigureSDK() }

func nodeHome() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return "." + chaininfo.AppName
	}
	return filepath.Join(home, "."+chaininfo.AppName)
}
