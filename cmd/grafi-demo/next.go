package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/grafilab/grafi/testutil/localnet"
)

// printNext says what to try while everything stays up.
func (d *demo) printNext() {
	grafid := d.net.Program("grafid")
	node := "--node " + d.net.Nodes[0].RPC
	fmt.Fprintf(d.screen.out, `
Everything stays up. In another terminal:

  the rental        %[1]s rental %[2]s %[3]s
  the reserved one  %[1]s ledger %[12]s %[3]s
  all listings      %[1]s query gpumarket listings %[3]s
  a quote           %[1]s query gpumarket quote %[4]s 1 3600 %[3]s
  the host          %[1]s query attestation host %[5]s %[3]s
  the agent         %[6]s status --home %[7]s
  a later day       %[1]s query rewards mining %[3]s
  what was decided  %[1]s query dao decisions %[3]s
  rent again        %[1]s rent %[4]s %[8]s --gpus 1 --duration 3m --close-on-exit --wait %[9]s

Try to hurt it: kill -9 the node, the agent or the executor (pids %[10]s) and look again.
Logs are in %[11]s. Ctrl-C ends it.
`, grafid, d.rentalID, node, d.listingID, d.host.ID, d.net.Program("grafi-agent"), d.host.AgentHome,
		filepath.Join(d.dir, "manifest.json"), strings.Join(d.net.Signer("renter"), " "), d.pids(), filepath.Join(d.dir, "logs"), d.reservedID)
}

func (d *demo) pids() string {
	var ids []string
	for _, p := range []*localnet.Process{d.net.Nodes[0].Process, d.host.Agent, d.host.Executor} {
		ids = append(ids, fmt.Sprintf("%s %d", p.Name, p.PID()))
	}
	return strings.Join(ids, ", ")
}
