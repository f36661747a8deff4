package localnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Host is a machine with GPUs on the network: an agent and an executor.
type Host struct {
	// ID on chain.
	ID string
	// GPUs are the names of the declared GPUs.
	GPUs []string
	// Engine is what the executor runs workloads with, in its own words.
	Engine string
	// AgentHome and ExecutorHome hold their state.
	AgentHome, ExecutorHome string
	Agent, Executor         *Process

	net      *Network
	endpoint string
}

// HostOptions of a new host.
type HostOptions struct {
	Name string
	// Operator is the name of the account that owns the host and is registered
	// as an operator already.
	Operator string
	// Port of the executor's gateway on loopback.
	Port int
	// Engine is auto, oci or process.
	Engine string
	// Unisolated lets the process engine run.
	Unisolated bool
	// SimGPUs is the number of simulated GPUs where there is no driver; 0 for 1.
	SimGPUs int
	// NVML is the path of a management library that the agent reads the GPUs from;
	// empty for simulated ones.
	NVML string
}

// NewHost makes the keys of a host, funds its fee account, registers it on chain
// as its operator would, and starts nothing.
func NewHost(ctx context.Context, n *Network, o HostOptions) (*Host, error) {
	h := &Host{
		net: n, endpoint: fmt.Sprintf("https://127.0.0.1:%d", o.Port),
		AgentHome: filepath.Join(n.Dir, o.Name, "agent"), ExecutorHome: filepath.Join(n.Dir, o.Name, "executor"),
	}
	// Workloads of the process engine run as nobody and must reach theirs.
	if err := os.MkdirAll(h.ExecutorHome, 0o711); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(h.AgentHome, 0o700); err != nil {
		return nil, err
	}
	rpc := n.HTTP(0)
	socket := filepath.Join(h.AgentHome, "agent.sock")
	init := []string{
		"init", "--home", h.AgentHome, "--chain-id", n.ChainID, "--node", rpc,
		"--sim-gpus", strconv.Itoa(max(1, o.SimGPUs)), "--sample-every", "2s", "--metrics-listen", "", "--output", "json",
	}
	if o.NVML != "" {
		init = append(init, "--gpu-source", "nvml", "--nvml-library", o.NVML)
	}
	out, err := Run(ctx, n.Program("grafi-agent"), init...)
	if err != nil {
		return nil, err
	}
	var made struct {
		FeeAddress string `json:"fee_address"`
	}
	if err := json.Unmarshal(out, &made); err != nil {
		return nil, fmt.Errorf("grafi-agent init: %w in %s", err, out)
	}
	if _, err := n.Tx(ctx, o.Operator, "bank", "send", o.Operator, made.FeeAddress, "50000000ugrafi"); err != nil {
		return nil, err
	}
	if err := h.register(ctx, o.Operator); err != nil {
		return nil, err
	}

	logs := filepath.Join(n.Dir, "logs")
	h.Agent = NewProcess(logs, o.Name+"-agent", n.Program("grafi-agent"), "run", "--home", h.AgentHome)
	args := []string{
		"run", "--home", h.ExecutorHome, "--node", rpc, "--agent-socket", socket,
		"--listen", fmt.Sprintf("127.0.0.1:%d", o.Port), "--reconcile-interval", "2s", "--engine", o.Engine,
		"--allow-private-registries", // the demo's registry is on loopback
	}
	if o.Unisolated {
		args = append(args, "--allow-unisolated")
	}
	h.Executor = NewProcess(logs, o.Name+"-executor", n.Program("grafi-executor"), args...)
	h.Engine, err = h.engine(ctx, o)
	return h, err
}

// register lets the agent write the registration and the operator sign and send it.
func (h *Host) register(ctx context.Context, operator string) error {
	tx, err := Run(ctx, h.net.Program("grafi-agent"), "show-registration", "--home", h.AgentHome,
		"--operator", h.net.Accounts[operator], "--region", "DE", "--endpoint", h.endpoint, "--tx")
	if err != nil {
		return err
	}
	sent, err := h.net.SignAndSend(ctx, operator, tx)
	if err != nil {
		return err
	}
	h.ID = sent.Attribute("grafi.attestation.v1.EventHostRegistered", "host_id")
	var got struct {
		GPUs []struct {
			Inventory struct{ Name string }
		}
	}
	if err := h.net.Query(ctx, &got, "attestation", "host", h.ID); err != nil {
		return err
	}
	for _, g := range got.GPUs {
		h.GPUs = append(h.GPUs, g.Inventory.Name)
	}
	return nil
}

// engine asks which engine the executor would pick.
func (h *Host) engine(ctx context.Context, o HostOptions) (string, error) {
	args := []string{"engines", "--home", h.ExecutorHome, "--engine", o.Engine, "--output", "json"}
	if o.Unisolated {
		args = append(args, "--allow-unisolated")
	}
	out, err := Run(ctx, h.net.Program("grafi-executor"), args...)
	if err != nil {
		return "", err
	}
	var answer struct {
		Engines []struct {
			Kind     string
			Picked   bool
			Isolated bool
			Root     bool
			Cgroup   string
			Seccomp  bool
		}
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return "", fmt.Errorf("grafi-executor engines: %w in %s", err, out)
	}
	for _, e := range answer.Engines {
		switch {
		case !e.Picked:
		case !e.Isolated:
			return e.Kind + " (UNISOLATED)", nil
		default:
			return fmt.Sprintf("%s, isolated (root %t, cgroup %s, seccomp %t)", e.Kind, e.Root, e.Cgroup, e.Seccomp), nil
		}
	}
	return "", fmt.Errorf("grafi-executor engines picked none: %s", out)
}

// Start starts agent and executor and waits until the gateway answers.
func (h *Host) Start(ctx context.Context) error {
	if err := h.Agent.Start(); err != nil {
		return err
	}
	if err := h.Executor.Start(); err != nil {
		return err
	}
	return Until(ctx, "the gateway", func() (bool, error) {
		for _, p := range []*Process{h.Agent, h.Executor} {
			if !p.Running() {
				return false, fmt.Errorf("%s ended:\n%s", p.Name, p.LogTail(2000))
			}
		}
		return reachable(strings.TrimPrefix(h.endpoint, "https://")), nil
	})
}

// Stop ends the executor, then the agent.
func (h *Host) Stop(context.Context) error {
	return errors.Join(h.Executor.Stop(), h.Agent.Stop())
}
