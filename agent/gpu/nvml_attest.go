package gpu

import (
	"bytes"
	"fmt"
)

// attest asks a GPU for a report over the nonce. The questions go from what no
// setting can change to what one can, so that the first "no" is the reason.
func (s *NVML) attest(index int, nonce [32]byte) (Report, error) {
	if err := s.open(); err != nil {
		return Report{}, err
	}
	n, r := s.lib.deviceCount()
	if r != success {
		return Report{}, s.fail("nvmlDeviceGetCount", r)
	}
	if index < 0 || index >= n {
		return Report{}, fmt.Errorf("%w: index %d of %d", ErrNoGPU, index, n)
	}
	h, r := s.lib.device(index)
	if r != success {
		return Report{}, s.refused("nvmlDeviceGetHandleByIndex", index, r)
	}
	if arch, r := guarded(s.lib, callArchitecture, h.architecture); r == success && arch < archHopper {
		return Report{}, fmt.Errorf("%w: GPU %d is %s", ErrNotHopper, index, archName(arch))
	} else if r.gpuLost() || r.driverLost() {
		return Report{}, s.refused("nvmlDeviceGetArchitecture", index, r)
	}
	for _, c := range []call{callReport, callCertificate} {
		if !s.lib.has(c) {
			return Report{}, fmt.Errorf("%w: driver %s lacks %s: update it", ErrUnsupported, s.driver, calls[c].names[0])
		}
	}
	if err := s.confidential(); err != nil {
		return Report{}, err
	}
	return s.fetch(h, index, nonce)
}

// confidential returns the reason why the machine lets no GPU sign. Only in the
// confidential modes does the driver talk SPDM with a GPU: CC on, and the two modes
// for several GPUs (protected PCIe, NVLink encryption), which CC's own flag does not show.
func (s *NVML) confidential() error {
	state, r := guarded(s.lib, callCCState, s.lib.ccState)
	if r != success || state.feature != 0 {
		return nil // on, or it can't be told: the request itself will say
	}
	if settings, r := guarded(s.lib, callCCSettings, s.lib.ccSettings); r == success && settings.multiGPU != 0 {
		return nil
	}
	caps, r := guarded(s.lib, callCCCaps, s.lib.ccCaps)
	switch {
	case r == success && caps.gpus == 0:
		return fmt.Errorf("%w: driver %s says that no GPU here can do confidential computing", ErrUnsupported, s.driver)
	case r == success && caps.cpu == 0:
		return fmt.Errorf("%w, and this machine is no confidential VM (AMD SEV-SNP or Intel TDX), without which it can't be turned on", ErrConfidentialComputingOff)
	}
	return fmt.Errorf("%w: turn the GPU's CC mode on and restart it", ErrConfidentialComputingOff)
}

// fetch reads the certificates and the report.
func (s *NVML) fetch(h libraryDevice, index int, nonce [32]byte) (Report, error) {
	var cert certificate
	if r := h.certificate(&cert); r != success {
		return Report{}, s.refused("nvmlDeviceGetConfComputeGpuCertificate", index, r)
	}
	if int(cert.attestationChainSize) > len(cert.attestationChain) {
		return Report{}, fmt.Errorf("%w: certificate chain of %d bytes, the buffer has %d", ErrBadReport, cert.attestationChainSize, len(cert.attestationChain))
	}
	chain, err := parseChain(cert.attestationChain[:cert.attestationChainSize])
	if err != nil {
		return Report{}, err
	}
	rep := report{nonce: nonce}
	if r := h.report(&rep); r != success {
		return Report{}, s.refused("nvmlDeviceGetConfComputeGpuAttestationReport", index, r)
	}
	if int(rep.size) > len(rep.report) {
		return Report{}, fmt.Errorf("%w: %d bytes, the buffer has %d", ErrBadReport, rep.size, len(rep.report))
	}
	spdm := bytes.Clone(rep.report[:rep.size])
	if err := checkSPDM(spdm, nonce); err != nil {
		return Report{}, err
	}
	return Report{SPDM: spdm, Chain: chain}, nil
}

// refused turns a call's answer into the error that says what it means. UNKNOWN is
// what the attestation calls answer to any trouble of their own: it closes nothing,
// and a driver that is gone is found at the next sample.
func (s *NVML) refused(call string, index int, r ret) error {
	switch {
	case r == notSupported:
		return fmt.Errorf("%w: GPU %d, driver %s: %s: %s", ErrUnsupported, index, s.driver, call, r)
	case r.gpuLost(), r == invalidArgument:
		return fmt.Errorf("%w: GPU %d: %s: %s", ErrNoGPU, index, call, r)
	case r.driverLost() && r != unknownError:
		return s.fail(call, r)
	}
	return fmt.Errorf("GPU %d: %s: %s", index, call, r)
}

// archName names the architectures that sign nothing.
func archName(arch uint32) string {
	names := map[uint32]string{2: "Kepler", 3: "Maxwell", 4: "Pascal", 5: "Volta", 6: "Turing", 7: "Ampere", 8: "Ada"}
	if n, ok := names[arch]; ok {
		return n
	}
	return fmt.Sprintf("of architecture %d", arch)
}
