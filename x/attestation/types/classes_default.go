package types

// DefaultClasses returns the hardware classes of a new network. The weights are
// the specification's estimates: nothing was measured on a card yet. Memory is
// what NVML reports, with a few percent of room for ECC and driver versions.
func DefaultClasses() []HardwareClass {
	const spec = "estimate: specification of x/attestation, not measured"
	return []HardwareClass{
		class("nvidia-a100-40gb", 4_000_000, 39_000, 42_000,
			"estimate: between the RTX 4090 and the A100 80GB, not measured",
			"NVIDIA A100-SXM4-40GB", "A100-SXM4-40GB", "NVIDIA A100-PCIE-40GB", "A100-PCIE-40GB"),
		class("nvidia-a100-80gb", 5_000_000, 79_000, 83_000, spec,
			"NVIDIA A100-SXM4-80GB", "A100-SXM4-80GB", "NVIDIA A100 80GB PCIe", "NVIDIA A100-SXM-80GB"),
		class("nvidia-b200", 30_000_000, 178_000, 196_000, spec, "NVIDIA B200"),
		class("nvidia-h100-80gb-pcie", 7_600_000, 79_000, 83_000,
			"estimate: H100 SXM × 756/989 (dense FP16 tensor TFLOPS of NVIDIA's data sheet), not measured",
			"NVIDIA H100 PCIe"),
		class("nvidia-h100-80gb-sxm", 10_000_000, 79_000, 83_000, spec, "NVIDIA H100 80GB HBM3"),
		class("nvidia-h200", 12_000_000, 140_000, 147_000, spec, "NVIDIA H200", "NVIDIA H200 NVL"),
		class("nvidia-l40s", 3_000_000, 44_000, 50_000, spec, "NVIDIA L40S"),
		class("nvidia-rtx-3090", 1_750_000, 24_000, 25_000, spec,
			"NVIDIA GeForce RTX 3090", "GeForce RTX 3090", "NVIDIA GeForce RTX 3090 Ti"),
		class("nvidia-rtx-4090", 2_500_000, 24_000, 25_000, spec, "NVIDIA GeForce RTX 4090"),
	}
}

// SimClassKey is the key of the class of simulated GPUs.
const SimClassKey = "sim"

// SimClass returns the class of simulated GPUs, for the genesis of local and
// test networks only: such a GPU computes on a CPU.
func SimClass() HardwareClass {
	return class(SimClassKey, 1_000, 1, 1<<20, "simulated on a CPU: local and test networks only", "Grafilab SIM GPU*")
}

func class(key string, weightPPM, minMiB, maxMiB uint64, source string, patterns ...string) HardwareClass {
	return HardwareClass{
		Key: key, NamePatterns: patterns, MinMemoryMib: minMiB, MaxMemoryMib: maxMiB,
		WeightPpm: weightPPM, Source: source,
	}
}
