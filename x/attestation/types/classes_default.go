package types

// DefaultClasses returns the hardware classes of a new network. The weights are
// the specification's estimates: nothing was measured on a card yet. Memory is
// what NVML reports, with a few percent of room for ECC and driver versions.
//
// Challenge profiles are estimates too. A GPU counts as slow only far under its data
// sheet: min_gops is a fifth of the dense INT8 tensor rate that NVIDIA states, for
// a kernel without the newest instructions reaches 40 to 60 % of it, and what is
// generated and hashed takes its share. The work is 20 s at min_gops, the window
// four times that. TOPS of the data sheets: 3090 284, A100 624, 4090 661, L40S 733,
// H100 PCIe 1,513, H100 SXM and H200 1,979, B200 4,500.
func DefaultClasses() []HardwareClass {
	const spec = "estimate: specification of x/attestation, not measured"
	return []HardwareClass{
		class("nvidia-a100-40gb", 4_000_000, 39_000, 42_000,
			"estimate: between the RTX 4090 and the A100 80GB, not measured", gemm(125_000),
			"NVIDIA A100-SXM4-40GB", "A100-SXM4-40GB", "NVIDIA A100-PCIE-40GB", "A100-PCIE-40GB"),
		class("nvidia-a100-80gb", 5_000_000, 79_000, 83_000, spec, gemm(125_000),
			"NVIDIA A100-SXM4-80GB", "A100-SXM4-80GB", "NVIDIA A100 80GB PCIe", "NVIDIA A100-SXM-80GB"),
		class("nvidia-b200", 30_000_000, 178_000, 196_000, spec, gemm(900_000), "NVIDIA B200"),
		class("nvidia-h100-80gb-pcie", 7_600_000, 79_000, 83_000,
			"estimate: H100 SXM × 756/989 (dense FP16 tensor TFLOPS of NVIDIA's data sheet), not measured", gemm(300_000),
			"NVIDIA H100 PCIe"),
		class("nvidia-h100-80gb-sxm", 10_000_000, 79_000, 83_000, spec, gemm(390_000), "NVIDIA H100 80GB HBM3"),
		class("nvidia-h200", 12_000_000, 140_000, 147_000, spec, gemm(390_000), "NVIDIA H200", "NVIDIA H200 NVL"),
		class("nvidia-l40s", 3_000_000, 44_000, 50_000, spec, gemm(145_000), "NVIDIA L40S"),
		class("nvidia-rtx-3090", 1_750_000, 24_000, 25_000, spec, walked(gemm(56_000)),
			"NVIDIA GeForce RTX 3090", "GeForce RTX 3090", "NVIDIA GeForce RTX 3090 Ti"),
		class("nvidia-rtx-4090", 2_500_000, 24_000, 25_000, spec, gemm(130_000), "NVIDIA GeForce RTX 4090"),
	}
}

// gemm is the profile of a card that computes at least so many 10^9 operations per
// second: products of the largest size for 20 s, a round being 2·N²·M operations.
func gemm(minGops uint64) ChallengeProfile {
	const n, m, seconds = 1 << 14, 1 << 15, 20
	const round = 2 * n * n * m / 1_000_000_000
	return ChallengeProfile{N: n, M: m, Rounds: uint32(minGops * seconds / round), WindowMs: 4 * seconds * 1_000, MinGops: minGops}
}

// walked adds the walk, for cards that a large server's CPUs could come near: a
// trace of 1 GiB, 2^28 dependent reads.
func walked(p ChallengeProfile) ChallengeProfile {
	p.WalkLanes, p.WalkSteps = 1<<16, 1<<12
	return p
}

// SimClassKey is the key of the class of simulated GPUs.
const SimClassKey = "sim"

// SimClass returns the class of simulated GPUs, for the genesis of local and
// test networks only: such a GPU computes on a CPU. Any CPU is fast enough, and so
// none is slow.
func SimClass() HardwareClass {
	profile := ChallengeProfile{N: 64, M: 256, Rounds: 4, WalkLanes: 16, WalkSteps: 64, WindowMs: 60_000}
	return class(SimClassKey, 1_000, 1, 1<<20, "simulated on a CPU: local and test networks only", profile, "Grafilab SIM GPU*")
}

func class(key string, weightPPM, minMiB, maxMiB uint64, source string, profile ChallengeProfile, patterns ...string) HardwareClass {
	return HardwareClass{
		Key: key, NamePatterns: patterns, MinMemoryMib: minMiB, MaxMemoryMib: maxMiB,
		WeightPpm: weightPPM, Source: source, Profile: profile,
	}
}
