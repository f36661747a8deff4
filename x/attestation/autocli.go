package attestation

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
)

// AutoCLIOptions implements autocli.HasAutoCLIConfig.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service:              "grafi.attestation.v1.Query",
			EnhanceCustomCommand: true,
			RpcCommandOptions:    queryCommands(),
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service:           "grafi.attestation.v1.Msg",
			RpcCommandOptions: txCommands(),
		},
	}
}

func args(fields ...string) []*autocliv1.PositionalArgDescriptor {
	out := make([]*autocliv1.PositionalArgDescriptor, len(fields))
	for i, field := range fields {
		out[i] = &autocliv1.PositionalArgDescriptor{ProtoField: field}
	}
	return out
}

func queryCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "Params", Use: "params", Short: "Show the params of slots, windows and classes",
			Example: "grafid query attestation params",
		},
		{
			RpcMethod: "Class", Use: "class [key]", Short: "Show a hardware class",
			Example: "grafid query attestation class nvidia-h100-80gb-sxm", PositionalArgs: args("key"),
		},
		{
			RpcMethod: "Classes", Use: "classes", Short: "List the hardware classes",
			Example: "grafid query attestation classes --output json",
		},
		{
			RpcMethod: "PendingClasses", Use: "pending-classes", Short: "List class changes that wait for their time-lock",
			Example: "grafid query attestation pending-classes",
		},
		{
			RpcMethod: "Host", Use: "host [host-id]", Short: "Show a host with its GPUs",
			Example: "grafid query attestation host 1", PositionalArgs: args("host_id"),
		},
		{
			RpcMethod: "HostByAgentKey", Use: "host-by-agent-key [agent-key]", Short: "Find the host that an agent key (hex) is bound to",
			Example:        "grafid query attestation host-by-agent-key 3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
			PositionalArgs: args("agent_key"),
		},
		{
			RpcMethod: "Hosts", Use: "hosts", Short: "List all hosts",
			Example: "grafid query attestation hosts --page-limit 20",
		},
		{
			RpcMethod: "HostsByOperator", Use: "hosts-by-operator [operator]", Short: "List the hosts of an operator",
			Example:        "grafid query attestation hosts-by-operator $(grafid keys show alice -a)",
			PositionalArgs: args("operator"),
		},
		{
			RpcMethod: "Anchor", Use: "anchor [slot]", Short: "Show the block that closed a slot",
			Example: "grafid query attestation anchor 2940000", PositionalArgs: args("slot"),
		},
		{
			RpcMethod: "Clock", Use: "clock", Short: "Show the slot and day of the latest block, and which slots can be attested",
			Example: "grafid query attestation clock",
		},
		{
			RpcMethod: "HostSlot", Use: "host-slot [host-id] [slot]", Short: "Show what a host attested for a slot",
			Example: "grafid query attestation host-slot 1 2940000", PositionalArgs: args("host_id", "slot"),
		},
		{
			RpcMethod: "HostDay", Use: "host-day [host-id] [day]", Short: "Show in how many slots of a day each GPU of a host was up",
			Example: "grafid query attestation host-day 1 20416", PositionalArgs: args("host_id", "day"),
		},
		{
			RpcMethod: "Slot", Use: "slot [slot]", Short: "List the bitmaps of a slot",
			Example: "grafid query attestation slot 2940000", PositionalArgs: args("slot"),
		},
		{
			RpcMethod: "Proofs", Use: "proofs [host-id]", Short: "Show how far a host is proven, GPU by GPU: its trust tier and what it rests on",
			Example: "grafid query attestation proofs 1", PositionalArgs: args("host_id"),
		},
		{
			RpcMethod: "Probers", Use: "probers [host-id] [slot]", Short: "Show who probes a host in a slot, and whom it probes",
			Example: "grafid query attestation probers 1 2940000", PositionalArgs: args("host_id", "slot"),
		},
		{
			RpcMethod: "Connection", Use: "connection [host-id]", Short: "Show what probers measured of a host, and the medians that count today",
			Example: "grafid query attestation connection 1", PositionalArgs: args("host_id"),
		},
		{
			RpcMethod: "Device", Use: "device [serial]", Short: "Show for which GPU a die answers, by the serial number (hex) of its certificate",
			Example: "grafid query attestation device 41431d480fe5e87274", PositionalArgs: args("serial"),
		},
		{
			RpcMethod: "Devices", Use: "devices", Short: "List the dies that answer for GPUs",
			Example: "grafid query attestation devices --page-limit 20",
		},
		{
			RpcMethod: "DeviceNonce", Use: "device-nonce [host-id] [ordinal]", Short: "Show the nonce that a report of a GPU must answer now, and what it is made of",
			Example: "grafid query attestation device-nonce 1 0", PositionalArgs: args("host_id", "ordinal"),
		},
		{
			RpcMethod: "Certificates", Use: "certificates", Short: "List the verified certificates that a report may name by their digest",
			Example: "grafid query attestation certificates",
		},
		{
			RpcMethod: "Revocations", Use: "revocations", Short: "List the revoked serial numbers of certificates",
			Example: "grafid query attestation revocations",
		},
		{
			RpcMethod: "Challenge", Use: "challenge [host-id]", Short: "Show what a host has to compute, until when, and what it answered",
			Example: "grafid query attestation challenge 1", PositionalArgs: args("host_id"),
		},
		{
			RpcMethod: "Invariants", Use: "invariants", Short: "Recompute the records from each other; broken is empty when all is well",
			Example: "grafid query attestation invariants",
		},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "RegisterHost", Use: "register-host [region] [endpoint]",
			Short: "Declare a machine with its GPUs and bind its agent key",
			Long: "Declare a machine with its GPUs and bind its agent key. The agent prints the keys, the GPUs and the signature " +
				"that proves it holds the key: grafi-agent register does all of this in one step.",
			Example: `grafid tx attestation register-host DE https://gpu1.example.com:8443 \
  --agent-key 3d40...660c --encryption-key 8520...4e6a --agent-signature 92a0...bb00 \
  --gpus '{"name":"NVIDIA H100 80GB HBM3","uuid":"GPU-1f2e","memory_mib":"81559","pci_bus_id":"0000:17:00.0","driver":"570.86.15"}' --from alice`,
			PositionalArgs: args("region", "endpoint"),
		},
		{
			RpcMethod: "UpdateHost", Use: "update-host [host-id] [region] [endpoint]", Short: "Change how a host is reached",
			Example:        "grafid tx attestation update-host 1 DE https://gpu1.example.com:9443 --probe-endpoint gpu1.example.com:9444 --encryption-key 8520...4e6a --from alice",
			PositionalArgs: args("host_id", "region", "endpoint"),
		},
		{
			RpcMethod: "UpdateInventory", Use: "update-inventory [host-id]", Short: "Replace the declared GPUs of a host",
			Example:        `grafid tx attestation update-inventory 1 --gpus '{"name":"NVIDIA L40S","uuid":"GPU-77aa","memory_mib":"46068"}' --from alice`,
			PositionalArgs: args("host_id"),
		},
		{
			RpcMethod: "RotateAgentKey", Use: "rotate-agent-key [host-id]", Short: "Bind a new agent key; the old one ends a slot later",
			Example:        "grafid tx attestation rotate-agent-key 1 --agent-key 3d40...660c --encryption-key 8520...4e6a --agent-signature 92a0...bb00 --from alice",
			PositionalArgs: args("host_id"),
		},
		{
			RpcMethod: "RevokeAgentKey", Use: "revoke-agent-key [host-id]", Short: "End every agent key of a host at once",
			Example: "grafid tx attestation revoke-agent-key 1 --from alice", PositionalArgs: args("host_id"),
		},
		{
			RpcMethod: "RetireHost", Use: "retire-host [host-id]", Short: "Take a host without live rentals out for good",
			Example: "grafid tx attestation retire-host 1 --from alice", PositionalArgs: args("host_id"),
		},
		{
			RpcMethod: "SubmitAttestations", Use: "submit-attestations", Short: "Carry attestations that agents have signed",
			Example: `grafid tx attestation submit-attestations --groups "$(cat group.json)" --from relayer`,
		},
		{
			RpcMethod: "SubmitEquivocation", Use: "submit-equivocation [first] [second]",
			Short:          "Prove that a host signed two documents for one slot",
			Example:        `grafid tx attestation submit-equivocation "$(cat first.json)" "$(cat second.json)" --from reporter`,
			PositionalArgs: args("first", "second"),
		},
		{
			RpcMethod: "RegisterDevice", Use: "register-device [report]",
			Short: "Prove which die answers for a GPU, or renew the proof",
			Long: "Prove which die answers for a GPU, or renew the proof. The agent does this by itself, every week and after a change " +
				"of the inventory; the command carries what it signed. A report that is forged costs its operator the stake.",
			Example:        `grafid tx attestation register-device "$(cat report.json)" --signature 92a0...bb00 --from relayer`,
			PositionalArgs: args("report"),
		},
		{
			RpcMethod: "SubmitDoubleDevice", Use: "submit-double-device [first] [second]",
			Short: "Prove that an operator claimed one die for two of his hosts at once",
			Example: `grafid tx attestation submit-double-device "$(cat first.json)" "$(cat second.json)" \
  --first-signature 92a0...bb00 --second-signature 17c4...e90d --from reporter`,
			PositionalArgs: args("first", "second"),
		},
		{
			RpcMethod: "SubmitProbes", Use: "submit-probes", Short: "Carry probe receipts that both agents have signed",
			Example: `grafid tx attestation submit-probes --receipts "$(cat receipt.json)" --from relayer`,
		},
		{
			RpcMethod: "SubmitContradiction", Use: "submit-contradiction [host-id] [first] [second]",
			Short:          "Prove that a host signed two receipts of one probe",
			Example:        `grafid tx attestation submit-contradiction 1 "$(cat first.json)" "$(cat second.json)" --from reporter`,
			PositionalArgs: args("host_id", "first", "second"),
		},
		{
			RpcMethod: "CommitChallenge", Use: "commit-challenge [host-id] [challenge-id]",
			Short: "Carry an agent's commitment to what its GPUs computed", PositionalArgs: args("host_id", "challenge_id"),
			Example: `grafid tx attestation commit-challenge 1 3 --commitments '{"ordinal":0,"commitment":"q83v...EjQ="}' \
  --signature 92a0...bb00 --from relayer`,
		},
		{
			RpcMethod: "OpenChallenge", Use: "open-challenge [host-id] [challenge-id] [ordinal]",
			Short: "Carry an agent's opening of what the beacon sampled", PositionalArgs: args("host_id", "challenge_id", "ordinal"),
			Example: "grafid tx attestation open-challenge 1 3 0 --opening 5f2c...91aa --signature 92a0...bb00 --from relayer",
		},
		{RpcMethod: "SetHardwareClass", Skip: true}, // by governance only
		{RpcMethod: "SetRevocation", Skip: true},    // by governance only
		{RpcMethod: "UpdateParams", Skip: true},     // by governance only
	}
}
