package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/oci"
	"github.com/grafilab/grafi/offchain/executor/engine/process"
	"github.com/grafilab/grafi/offchain/executor/image"
	"github.com/grafilab/grafi/offchain/executor/manifest"
	"github.com/grafilab/grafi/offchain/executor/store"
)

// reexec becomes one of a workload's own processes (its supervisor, its first
// instructions) when an engine started this program as that.
func reexec() {
	oci.Reexec()
	process.Reexec()
}

// probeEngines finds out what each engine can do here, the strongest first.
func probeEngines(ctx context.Context, c config) []candidate {
	options := oci.Options{
		StateDir: filepath.Join(c.WorkloadDir, oci.Kind), Network: oci.Network(c.Network), CgroupParent: cgroupParent(c),
		CDISpecDirs: []string{"/etc/cdi", "/var/run/cdi", cdiDir(c.Home)},
	}
	capabilities, err := oci.Probe(ctx, options)
	if err != nil {
		capabilities.Usable, capabilities.Reasons = false, append(capabilities.Reasons, err.Error())
	}
	// Isolation is as strong as the network that the operator chose.
	capabilities.Isolated = capabilities.Isolated && options.Network != oci.NetworkHost
	return []candidate{
		{
			Kind: engineOCI, Capabilities: capabilities, Allowed: true,
			open: func(ctx context.Context) (engine.Engine, error) { return oci.New(ctx, options) },
		},
		{
			Kind: engineProcess, Capabilities: (&process.Engine{}).Capabilities(), Allowed: c.AllowUnisolated,
			open: func(context.Context) (engine.Engine, error) {
				return process.New(process.Options{
					StateDir: filepath.Join(c.WorkloadDir, process.Kind), AllowUnisolated: c.AllowUnisolated,
				})
			},
		},
	}
}

// cgroupParent is this executor's own, so that two on one machine never meet in
// one rental's control group.
func cgroupParent(c config) string {
	if c.CgroupParent != "" || os.Geteuid() != 0 {
		return c.CgroupParent
	}
	sum := sha256.Sum256([]byte(c.WorkloadDir))
	return fmt.Sprintf("/grafi-%x", sum[:4])
}

func openImages(c config) (*image.Store, error) {
	return image.NewStore(filepath.Join(c.Home, "images"), image.Options{AllowPrivate: c.PrivateRegistries})
}

// pruneImages removes the images that no rental needs. It runs before the loop
// does, so that no start finds its image gone. It does nothing while there is a
// workload without a record: nobody knows that one's image.
func pruneImages(ctx context.Context, images *image.Store, eng engine.Engine, db *store.Store) ([]string, error) {
	records, err := db.All()
	if err != nil {
		return nil, err
	}
	var keep []string
	for _, r := range records {
		if len(r.Manifest) == 0 {
			continue
		}
		m, err := manifest.Parse(r.Manifest)
		if err != nil {
			return nil, fmt.Errorf("rental %d: %w", r.RentalID, err)
		}
		_, digest, _ := strings.Cut(m.Image, "@")
		keep = append(keep, digest)
	}
	workloads, err := eng.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, w := range workloads {
		if len(records[w.RentalID].Manifest) == 0 {
			return nil, nil
		}
	}
	return images.Prune(keep)
}
