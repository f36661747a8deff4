package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cosmossdk.io/math"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/config"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/agent/service"
	"github.com/grafilab/grafi/internal/chainclient"
	"github.com/grafilab/grafi/internal/chaininfo"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// lowFunds is the balance under which doctor warns: about a day of attestations
// at the default gas price.
const lowFunds = chaininfo.BasePerDisplay

func checkChain(ctx context.Context, r *report, cfg config.Config, keys service.Keys, devices []gpu.Device) {
	log, err := logger(cfg)
	if err != nil {
		return // said already
	}
	reached := 0
	for _, node := range cfg.Node {
		alone := cfg
		alone.Node = []string{node}
		if checkEndpoint(ctx, r, alone) {
			reached++
		}
	}
	if len(cfg.Node) == 1 {
		r.warn("endpoints", "give a second one, run by somebody else: --node A,B", "only one endpoint: the host is silent when it fails")
	}
	if reached == 0 {
		return
	}
	client, err := service.Chain(cfg, log)
	if err != nil {
		r.fail("chain", "mend the configuration", "%s", err)
		return
	}
	chain, err := attest.NewChain(client, keys.Fee)
	if err != nil {
		r.fail("chain", "", "%s", err)
		return
	}
	checkFunds(ctx, r, cfg, client, chain.Sender())
	checkHost(ctx, r, cfg, chain, keys, devices)
}

func checkEndpoint(ctx context.Context, r *report, cfg config.Config) bool {
	log, err := logger(cfg)
	if err != nil {
		return false
	}
	client, err := service.Chain(cfg, log)
	if err != nil {
		r.fail("endpoint", "mend --node, --chain-id or --gas-prices", "%s", err)
		return false
	}
	st, err := client.Status(ctx)
	if err != nil {
		r.fail("endpoint", "check the address and the firewall, or replace it", "%s", err)
		return false
	}
	skew := time.Since(st.BlockTime)
	switch {
	case st.CatchingUp:
		r.warn("endpoint", "wait, or use another", "%s is catching up at height %d", cfg.Node[0], st.Height)
	case skew > time.Minute || skew < -10*time.Second:
		r.warn("endpoint", "is the clock of this machine synchronised (timedatectl), and does the chain make blocks?",
			"%s: newest block %d is from %s, %s from local time", cfg.Node[0], st.Height, st.BlockTime.Format(time.RFC3339), skew.Round(time.Second))
	default:
		r.ok("endpoint", "%s, height %d", cfg.Node[0], st.Height)
	}
	return true
}

func checkFunds(ctx context.Context, r *report, cfg config.Config, client *chainclient.Client, account string) {
	balance, err := client.Balance(ctx, account, chaininfo.BaseDenom)
	if err != nil {
		r.fail("fees", "", "balance of %s: %s", account, err)
		return
	}
	funds := balance.String()
	switch {
	case cfg.FeeGranter != "":
		r.ok("fees", "%s pays by a fee grant to %s (which has %s)", cfg.FeeGranter, account, funds)
	case balance.Amount.IsZero():
		r.fail("fees", "send it some, or set fee-granter", "the fee account %s has nothing", account)
	case balance.Amount.LT(math.NewInt(lowFunds)):
		r.warn("fees", "send it some more", "the fee account %s has only %s", account, funds)
	default:
		r.ok("fees", "the fee account %s has %s", account, funds)
	}
}

func checkHost(ctx context.Context, r *report, cfg config.Config, chain attest.Chain, keys service.Keys, devices []gpu.Device) {
	found, err := chain.HostByKey(ctx, keys.Current.PublicKey())
	if errors.Is(err, attest.ErrNotRegistered) {
		r.fail("host", "let the operator sign: grafi-agent show-registration", "the chain has no host with this agent key")
		return
	}
	if err != nil {
		r.fail("host", "", "%s", err)
		return
	}
	if found.Host.Status != attestation.HOST_STATUS_ACTIVE {
		r.fail("host", "bind a new key: grafi-agent rotate-key", "host %d is %s", found.Host.Id, found.Host.Status)
		return
	}
	r.ok("host", "host %d of %s, region %s, gateway %s", found.Host.Id, found.Host.Operator, found.Host.Region, found.Host.Endpoint)
	checkProbeEndpoint(ctx, r, cfg, found.Host.ProbeEndpoint)
	if devices != nil {
		compareInventory(r, found.Gpus, devices)
	}
}

// compareInventory tells what the chain has otherwise than the machine.
func compareInventory(r *report, declared []attestation.Gpu, devices []gpu.Device) {
	const mend = "declare them anew: grafi-agent show-inventory"
	here := map[string]gpu.Device{}
	for _, d := range devices {
		here[d.UUID] = d
	}
	wrong := 0
	for _, g := range declared {
		d, ok := here[g.Inventory.Uuid]
		delete(here, g.Inventory.Uuid)
		switch {
		case !ok:
			wrong++
			r.fail("inventory", mend, "GPU %d (%s) is declared and not here: it is attested as down", g.Ordinal, g.Inventory.Uuid)
		case d.Name != g.Inventory.Name || d.MemoryMiB != g.Inventory.MemoryMib:
			wrong++
			r.warn("inventory", mend, "GPU %d is declared as %s with %d MiB and is %s with %d MiB",
				g.Ordinal, g.Inventory.Name, g.Inventory.MemoryMib, d.Name, d.MemoryMiB)
		case g.Class == "":
			wrong++
			r.warn("inventory", "ask the operators' channel for its class", "GPU %d (%s) is of no hardware class and can't be listed", g.Ordinal, d.Name)
		}
	}
	for _, d := range devices {
		if _, extra := here[d.UUID]; extra {
			wrong++
			r.warn("inventory", mend, "%s (%s) is here and not declared", d.UUID, d.Name)
		}
	}
	if wrong == 0 {
		r.ok("inventory", "%s as declared", fmt.Sprintf("%d GPUs", len(declared)))
	}
}
