// Package systemd has the units of the programs beside the chain, as files for
// people and for "grafi-agent service install".
package systemd

import _ "embed"

// AgentUnit is the unit of grafi-agent.
//
//go:embed grafi-agent.service
var AgentUnit string
