package gpu

// The structs that NVML fills, as nvml.h lays them out. C and Go agree on them for
// every 64-bit system that we build for, which a test checks against go-nvml's.

type memory struct{ total, free, used uint64 } // bytes

type utilization struct{ gpu, memory uint32 } // percent

// pciInfo is nvmlPciInfo_t. Versions 1 and 2 of the call fill less of it, and
// domain, bus and device at the same places.
type pciInfo struct {
	_                   [16]byte // the older form of the id
	domain, bus, device uint32
	_                   [2]uint32 // ids of the card and its maker
	_                   [32]byte
}

// eventXid is nvmlEventTypeXidCriticalError.
const eventXid = 8

// eccType is nvmlMemoryErrorType_t; the counters are those since the driver was loaded.
type eccType uint32

const (
	eccCorrected   eccType = 0
	eccUncorrected eccType = 1
	eccVolatile            = 0 // nvmlEccCounterType_t
)

// archHopper is NVML_DEVICE_ARCH_HOPPER. Later ones are greater, unknown ones greatest.
const archHopper = 9

// ccCaps is nvmlConfComputeSystemCaps_t: 0 is "none" in both.
type ccCaps struct{ cpu, gpus uint32 }

// ccState is nvmlConfComputeSystemState_t.
type ccState struct{ environment, feature, devTools uint32 }

// ccSettings is nvmlSystemConfComputeSettings_t. Its version goes in with the call.
type ccSettings struct{ version, environment, feature, devTools, multiGPU uint32 }

// ccSettingsV1 is NVML_STRUCT_VERSION(SystemConfComputeSettings, 1): the size, and
// the version in the top byte.
const ccSettingsV1 = 20 | 1<<24

// certificate is nvmlConfComputeGpuCertificate_t. The chain that ends in the key of
// reports is the attestation chain, in PEM, leaf first.
type certificate struct {
	_                    uint32
	attestationChainSize uint32
	_                    [0x1000]byte
	attestationChain     [0x1400]byte
}

// report is nvmlConfComputeGpuAttestationReport_t. The other report in it is that of
// the board's CEC chip, of which nothing on chain knows.
type report struct {
	_      uint32
	size   uint32
	_      uint32
	nonce  [32]byte
	report [0x2000]byte
	_      [0x1000]byte
}
