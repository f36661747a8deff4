package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// simClass is the class of GPUs that do not exist, on local and test chains only.
const simClass = "sim"

// simKind is the CDI kind of simulated GPUs.
const simKind = "grafilab.com/sim"

// maxSim is the most GPUs that an agent simulates.
const maxSim = 64

// cdiDir is where the executor's own device specifications are.
func cdiDir(home string) string { return filepath.Join(home, "cdi") }

// writeSimSpec tells the engine about simulated GPUs in the way that it is told
// about real ones (CDI 0.5.0), so that the same path is taken: such a device is
// nothing but a variable in the workload's environment.
func writeSimSpec(home string) error {
	type edits struct {
		Env []string `json:"env"`
	}
	type device struct {
		Name  string `json:"name"`
		Edits edits  `json:"containerEdits"`
	}
	var devices []device
	for i := range maxSim {
		devices = append(devices, device{Name: fmt.Sprint(i), Edits: edits{Env: []string{fmt.Sprintf("GRAFI_SIM_GPU_%d=simulated", i)}}})
	}
	raw, err := json.Marshal(map[string]any{"cdiVersion": "0.5.0", "kind": simKind, "devices": devices})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cdiDir(home), 0o700); err != nil {
		return err
	}
	path := filepath.Join(cdiDir(home), "grafilab-sim.json")
	if err := os.WriteFile(path+".new", raw, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
