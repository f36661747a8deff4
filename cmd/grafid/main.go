// Command grafid is the node of the Grafilab chain and the wallet of its users.
package main

import (
	"fmt"
	"os"

	svrcmd "github.com/cosmos/cosmos-sdk/server/cmd"
	"github.com/cosmos/cosmos-sdk/version"

	"github.com/grafilab/grafi/app"
	"github.com/grafilab/grafi/internal/chaininfo"
)

// envPrefix starts the environment variables that set flags: GRAFID_HOME.
const envPrefix = "GRAFID"

func main() {
	// A release sets these at link time, a plain `go build` does not.
	if version.AppName == "" || version.AppName == "<appd>" {
		version.AppName = chaininfo.AppName
	}
	if version.Name == "" {
		version.Name = "grafi"
	}
	if err := svrcmd.Execute(newRootCmd(), envPrefix, app.DefaultNodeHome); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
