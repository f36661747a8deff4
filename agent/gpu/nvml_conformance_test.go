//go:build linux

package gpu_test

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/x/attestation/device"
)

// TestConformance holds every backend to one behaviour, on a library that a real
// loader loads.
func TestConformance(t *testing.T) {
	suite := []struct {
		name string
		run  func(*testing.T, backend)
	}{
		{"healthy driver", healthyDriver},
		{"library of the system", librarySystem},
		{"faults", faults},
		{"unsupported is not zero", unsupportedIsNotZero},
		{"driver comes and goes", driverComesAndGoes},
		{"hanging driver", hangingDriver},
		{"old driver", oldDriver},
		{"no driver", noDriver},
		{"auto never simulates beside a library", autoNeverSimulatesBesideALibrary},
		{"attestation", attestation},
		{"attestation refused", attestationRefused},
	}
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			b.prepare(t)
			for _, c := range suite {
				t.Run(c.name, func(t *testing.T) { c.run(t, b) })
			}
		})
	}
}

// xids is what a backend can't read: no Windows driver reports Xids.
func (b backend) xids() gpu.Unsupported {
	if b.windows {
		return gpu.NoXid
	}
	return 0
}

func healthyDriver(t *testing.T, b backend) {
	s := b.mustPlay(t, b.stub(t), "devices", "sample")
	require.Equal(t, []gpu.Device{
		{Index: 0, Name: "NVIDIA Stub H100 0", UUID: "GPU-stub-0", MemoryMiB: 81920, PCIBusID: "00000000:17:00.0", Driver: "550.54.14"},
		{Index: 1, Name: "NVIDIA Stub H100 1", UUID: "GPU-stub-1", MemoryMiB: 81920, PCIBusID: "00000000:18:00.0", Driver: "550.54.14"},
	}, s[0].Devices)
	require.Equal(t, gpu.Reading{
		UUID: "GPU-stub-0", UtilizationPercent: 42, MemoryUsedMiB: 20480, MemoryTotalMiB: 81920,
		TemperatureC: 55, PowerMilliwatt: 350_000, ECCCorrected: 5, Unsupported: b.xids(),
	}, s[1].Sample.Readings[0])
	require.Equal(t, gpu.KindNVML, s[1].Sample.Kind)
}

// librarySystem finds the library as in production: by name, through the loader.
func librarySystem(t *testing.T, b backend) {
	lib := b.stub(t)
	if b.windows {
		installed := filepath.Join(workshop.prefix, "drive_c/windows/system32/nvml.dll")
		content, err := os.ReadFile(lib)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(installed, content, 0o600))
		defer os.Remove(installed)
	} else {
		t.Setenv("LD_LIBRARY_PATH", filepath.Dir(lib))
	}
	s := b.mustPlay(t, "", "devices")
	require.Len(t, s[0].Devices, 2, s[0].Err)
}

func faults(t *testing.T, b backend) {
	tests := map[string]struct {
		state string
		want  [2]gpu.Flags
		xid   bool
	}{
		"GPU lost":                 {state: "lost=1", want: [2]gpu.Flags{0, gpu.FlagLost}},
		"GPU no longer listed":     {state: "count=1", want: [2]gpu.Flags{0, gpu.FlagLost}},
		"fatal Xid":                {state: "xid=1:79", want: [2]gpu.Flags{0, gpu.FlagXidFatal}, xid: true},
		"Xid of an application":    {state: "xid=0:13,0:31", want: [2]gpu.Flags{gpu.FlagXid, 0}, xid: true},
		"uncorrectable ECC":        {state: "ecc0=3", want: [2]gpu.Flags{gpu.FlagECC, 0}},
		"remap pending and failed": {state: "pending0=1;failed1=1", want: [2]gpu.Flags{gpu.FlagRemapPending, gpu.FlagRemapFailed}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := b.mustPlay(t, b.stub(t), "sample", "set "+tc.state, "sample", "set count=2", "sample")
			for i, want := range tc.want {
				if tc.xid && b.windows {
					want = 0
				}
				require.Len(t, s[2].Sample.Readings, 2, s[2].Err)
				require.Zero(t, s[0].Sample.Readings[i].Flags, "healthy before")
				require.Equal(t, want, s[2].Sample.Readings[i].Flags, "GPU %d", i)
				require.Equal(t, fmt.Sprintf("GPU-stub-%d", i), s[2].Sample.Readings[i].UUID)
				require.Zero(t, s[4].Sample.Readings[i].Flags, "healthy after")
			}
		})
	}
}

func unsupportedIsNotZero(t *testing.T, b backend) {
	s := b.mustPlay(t, b.stub(t), "set nosupport=1", "sample")
	ok, no := s[1].Sample.Readings[0], s[1].Sample.Readings[1]
	require.Equal(t, b.xids(), ok.Unsupported)
	require.True(t, no.Unsupported.Has(gpu.NoUtilization|gpu.NoTemperature|gpu.NoPower|gpu.NoECC|gpu.NoRemap))
	require.False(t, no.Unsupported.Has(gpu.NoMemory))
	require.Zero(t, no.Flags)
}

func driverComesAndGoes(t *testing.T, b backend) {
	s := b.mustPlay(t, b.stub(t),
		"set init=9", "sample", // not loaded yet
		"set count=2", "sample", // loaded
		"set gone=9;init=9", "sample", "sample", // unloaded
		"set gen=2", "sample", // loaded anew: old handles are stale, new ones work
		"set gen=3", "sample", "sample", // restarted between two samples
		"set gen=3;gone=18;init=18", "sample", "sample", // updated under our feet
	)
	require.True(t, s[1].is("gone"), s[1].Err)
	require.Len(t, s[3].Sample.Readings, 2)
	require.True(t, s[5].is("gone"), s[5].Err)
	require.True(t, s[6].is("gone"), s[6].Err)
	require.Len(t, s[8].Sample.Readings, 2)
	require.True(t, s[10].is("gone"), "the sample that meets the restart is lost: %s", s[10].Err)
	require.Len(t, s[11].Sample.Readings, 2, s[11].Err)
	require.True(t, s[13].is("gone"))
	require.True(t, s[14].is("updated"), s[14].Err)
}

func hangingDriver(t *testing.T, b backend) {
	s := b.mustPlay(t, b.stub(t), "sample", "set hang=1", "try", "try", "set hang=0", "sample")
	require.True(t, s[2].is("busy"), s[2].Err)
	require.True(t, s[3].is("busy"), "a second call does not pile up behind the first")
	require.Len(t, s[5].Sample.Readings, 2, s[5].Err)
}

func oldDriver(t *testing.T, b backend) {
	old := b.stub(t, "-DOLD")
	s := b.mustPlay(t, old, "devices", "sample", "attest 0 "+strings.Repeat("00", 32))
	require.Equal(t, "GPU-stub-1", s[0].Devices[1].UUID)
	r := s[1].Sample.Readings[0]
	require.Equal(t, gpu.NoUtilization|gpu.NoTemperature|gpu.NoPower|gpu.NoECC|gpu.NoRemap|gpu.NoXid|gpu.NoPCI, r.Unsupported)
	require.EqualValues(t, 20480, r.MemoryUsedMiB)
	require.True(t, s[2].is("unsupported"), s[2].Err)
	require.ErrorContains(t, fmt.Errorf("%s", s[2].Err), "driver 550.54.14 lacks nvmlDeviceGetConfCompute")

	s = b.mustPlay(t, b.stub(t, "-DOLD", "-DANCIENT"), "sample")
	require.True(t, s[0].is("old"), s[0].Err)
	require.Contains(t, s[0].Err, "nvmlDeviceGetMemoryInfo")
}

// TestUnguardedCallEndsTheProcess is the reason for the guards with go-nvml.
func TestUnguardedCallEndsTheProcess(t *testing.T) {
	b := backends[0]
	b.prepare(t)
	_, stderr, err := b.play(t, b.stub(t, "-DOLD"), "unguarded")
	require.Error(t, err)
	require.Contains(t, stderr, "symbol lookup error")
}

func noDriver(t *testing.T, b backend) {
	if _, err := os.Stat("/proc/driver/nvidia"); err == nil {
		t.Skip("this machine has an NVIDIA driver")
	}
	s := b.mustPlay(t, "", "sample", "auto", "attest 0 "+strings.Repeat("00", 32))
	require.True(t, s[0].is("nolib"), s[0].Err)
	require.True(t, s[0].is("gone"))
	require.Equal(t, gpu.KindSim, s[1].Kind)
	require.True(t, s[2].is("nolib"), s[2].Err)

	s = b.mustPlay(t, filepath.Join(t.TempDir(), "missing"), "sample")
	require.True(t, s[0].is("nolib"), s[0].Err)
}

func autoNeverSimulatesBesideALibrary(t *testing.T, b backend) {
	s := b.mustPlay(t, b.stub(t), "auto")
	require.Equal(t, gpu.KindNVML, s[0].Kind)
	s = b.mustPlay(t, b.stub(t), "set init=9", "auto")
	require.Equal(t, gpu.KindNVML, s[1].Kind, "the driver is away, not absent")
	s = b.mustPlay(t, b.stub(t, "-DOLD", "-DANCIENT"), "auto")
	require.True(t, s[0].is("old"), s[0].Err)
}

func attestation(t *testing.T, b backend) {
	want, nonce := goldenReport(t, "hopper-a.report.hex")
	text, err := os.ReadFile(golden("hopper-a.chain.pem"))
	require.NoError(t, err)
	var chain [][]byte
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		chain = append(chain, block.Bytes)
	}
	s := b.mustPlay(t, b.stub(t), "attest 1 "+nonce, "set cc=0;multigpu=1", "attest 1 "+nonce, "sample")
	for _, i := range []int{0, 2} {
		require.Empty(t, s[i].Err)
		require.Equal(t, want, s[i].Report.SPDM)
		require.Equal(t, chain[:4], s[i].Report.Chain, "without the root")
		_, err := device.Verify(device.NVIDIA(), s[i].Report.SPDM, s[i].Report.Chain, [32]byte(want[4:36]))
		require.NoError(t, err, "as the chain verifies it")
	}
	require.Len(t, s[3].Sample.Readings, 2)
}

func attestationRefused(t *testing.T, b backend) {
	_, nonce := goldenReport(t, "hopper-a.report.hex")
	tests := map[string]struct {
		state, script, is, says string
	}{
		"another nonce":      {"", "attest 0 " + strings.Repeat("ab", 32), "badreport", "over nonce"},
		"no such GPU":        {"", "attest 2 " + nonce, "nogpu", "index 2 of 2"},
		"GPU lost":           {"lost=0", "attest 0 " + nonce, "nogpu", "lost"},
		"Ampere":             {"arch=7;cc=0;ccgpu=0", "attest 0 " + nonce, "nothopper", "Ampere"},
		"CC off":             {"cc=0", "attest 0 " + nonce, "ccoff", "CC mode"},
		"CC off, plain host": {"cc=0;cccpu=0", "attest 0 " + nonce, "ccoff", "SEV-SNP"},
		"GPU without CC":     {"cc=0;ccgpu=0;arch=10", "attest 0 " + nonce, "unsupported", "no GPU here"},
		"driver says no":     {"cert=3", "attest 0 " + nonce, "unsupported", "nvmlDeviceGetConfComputeGpuCertificate"},
		"driver fails":       {"report=999", "attest 0 " + nonce, "", "nvmlDeviceGetConfComputeGpuAttestationReport: unknown error"},
		"driver gone":        {"report=1", "attest 0 " + nonce, "gone", "uninitialized"},
		"size over buffer":   {"oversize=1", "attest 0 " + nonce, "badreport", "5121 bytes"},
	}
	var script, names []string
	for name, tc := range tests {
		names = append(names, name)
		script = append(script, "set "+tc.state, tc.script, "set count=2", "sample")
	}
	all := b.mustPlay(t, b.stub(t), script...)
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			tc, s := tests[name], all[4*i:]
			require.Contains(t, s[1].Err, tc.says)
			if tc.is != "" {
				require.True(t, s[1].is(tc.is), "%s is %v", s[1].Err, s[1].Is)
			} else {
				require.Empty(t, s[1].Is)
			}
			require.Len(t, s[3].Sample.Readings, 2, "and samples go on: %s", s[3].Err)
		})
	}
	s := b.mustPlay(t, b.stub(t, "-DNOATTEST"), "attest 0 "+nonce, "set arch=8", "attest 0 "+nonce)
	require.True(t, s[0].is("unsupported"), s[0].Err)
	require.False(t, s[0].is("nothopper"))
	require.True(t, s[2].is("nothopper"), "an update would not help an Ada card: %s", s[2].Err)
}
