package gpu_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/gpu"
)

// amdTree is a copy of what sysfs shows for two cards and an integrated one, each file
// as the kernel writes it (Documentation/gpu/amdgpu).
func amdTree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		// An Instinct, with a number fused in and RAS.
		"sys/devices/pci0/0000:c3:00.0/vendor":                    "0x1002\n",
		"sys/devices/pci0/0000:c3:00.0/device":                    "0x74a1\n",
		"sys/devices/pci0/0000:c3:00.0/unique_id":                 "a1b2c3d4e5f60718\n",
		"sys/devices/pci0/0000:c3:00.0/product_name":              "AMD Instinct MI300X OAM\n",
		"sys/devices/pci0/0000:c3:00.0/mem_info_vram_total":       "206141652992\n",
		"sys/devices/pci0/0000:c3:00.0/mem_info_vram_used":        "297459712\n",
		"sys/devices/pci0/0000:c3:00.0/gpu_busy_percent":          "17\n",
		"sys/devices/pci0/0000:c3:00.0/hwmon/hwmon5/temp1_input":  "41000\n",
		"sys/devices/pci0/0000:c3:00.0/hwmon/hwmon5/power1_input": "133000000\n",
		"sys/devices/pci0/0000:c3:00.0/ras/umc_err_count":         "ue: 0\nce: 7\n",
		// A Radeon in a lower slot, without them and without a name.
		"sys/devices/pci0/0000:03:00.0/vendor":                      "0x1002\n",
		"sys/devices/pci0/0000:03:00.0/device":                      "0x744c\n",
		"sys/devices/pci0/0000:03:00.0/unique_id":                   "0000000000000000\n",
		"sys/devices/pci0/0000:03:00.0/mem_info_vram_total":         "25753026560\n",
		"sys/devices/pci0/0000:03:00.0/mem_info_vram_used":          "31457280\n",
		"sys/devices/pci0/0000:03:00.0/gpu_busy_percent":            "0\n",
		"sys/devices/pci0/0000:03:00.0/hwmon/hwmon3/temp1_input":    "-2000\n",
		"sys/devices/pci0/0000:03:00.0/hwmon/hwmon3/power1_average": "21000000\n",
		// Integrated graphics, and another maker's card.
		"sys/devices/pci0/0000:0a:00.0/vendor":              "0x1002\n",
		"sys/devices/pci0/0000:0a:00.0/device":              "0x164e\n",
		"sys/devices/pci0/0000:0a:00.0/mem_info_vram_total": "536870912\n",
		"sys/devices/pci0/0000:0b:00.0/vendor":              "0x10de\n",
		"sys/module/amdgpu/version":                         "6.12.12\n",
		"etc/machine-id":                                    "0123456789abcdef0123456789abcdef\n",
		"sys/class/drm/card0-DP-1/status":                   "connected\n",
	}
	for name, content := range files {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	for card, slot := range map[string]string{"card0": "0000:c3:00.0", "card1": "0000:03:00.0", "card2": "0000:0a:00.0", "card3": "0000:0b:00.0"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, "sys/class/drm", card), 0o700))
		require.NoError(t, os.Symlink(filepath.Join(root, "sys/devices/pci0", slot), filepath.Join(root, "sys/class/drm", card, "device")))
	}
	return root
}

func TestAMD(t *testing.T) {
	root := amdTree(t)
	s := gpu.NewAMD(root, slog.New(slog.DiscardHandler))
	devices, err := s.Devices(t.Context())
	require.NoError(t, err)
	require.Len(t, devices, 2, "discrete AMD cards only")
	radeon := devices[0].UUID
	require.Equal(t, []gpu.Device{
		{Index: 0, Name: "AMD GPU 0x744c", UUID: radeon, MemoryMiB: 24560, PCIBusID: "00000000:03:00.0", Driver: "amdgpu 6.12.12"},
		{Index: 1, Name: "AMD Instinct MI300X OAM", UUID: "AMD-a1b2c3d4e5f60718", MemoryMiB: 196592, PCIBusID: "00000000:C3:00.0", Driver: "amdgpu 6.12.12"},
	}, devices)
	require.Len(t, radeon, len("AMD-")+32)

	sample, err := s.Sample(t.Context())
	require.NoError(t, err)
	require.Equal(t, gpu.KindAMD, sample.Kind)
	require.Equal(t, []gpu.Reading{
		{UUID: radeon, MemoryUsedMiB: 30, MemoryTotalMiB: 24560, PowerMilliwatt: 21_000,
			Unsupported: gpu.NoTemperature | gpu.NoECC | gpu.NoRemap | gpu.NoXid},
		{UUID: "AMD-a1b2c3d4e5f60718", UtilizationPercent: 17, MemoryUsedMiB: 283, MemoryTotalMiB: 196592,
			TemperatureC: 41, PowerMilliwatt: 133_000, ECCCorrected: 7, Unsupported: gpu.NoRemap | gpu.NoXid},
	}, sample.Readings)

	_, err = s.Attest(t.Context(), 0, [32]byte{})
	require.ErrorIs(t, err, gpu.ErrUnsupported)
	require.NoError(t, s.Close())
}

func TestAMDFaults(t *testing.T) {
	root := amdTree(t)
	s := gpu.NewAMD(root, slog.New(slog.DiscardHandler))
	instinct := filepath.Join(root, "sys/devices/pci0/0000:c3:00.0")
	require.NoError(t, os.WriteFile(filepath.Join(instinct, "ras/umc_err_count"), []byte("ue: 2\nce: 7\n"), 0o600))
	sample, err := s.Sample(t.Context())
	require.NoError(t, err)
	require.Equal(t, gpu.FlagECC, sample.Readings[1].Flags)
	require.EqualValues(t, 2, sample.Readings[1].ECCUncorrected)

	// Off the bus: the folder stays for a while and reads nothing.
	away := filepath.Join(t.TempDir(), "away")
	require.NoError(t, os.Rename(filepath.Join(instinct, "mem_info_vram_total"), away))
	for range 2 {
		sample, err = s.Sample(t.Context())
		require.NoError(t, err)
		require.Len(t, sample.Readings, 2)
		require.Equal(t, "AMD-a1b2c3d4e5f60718", sample.Readings[1].UUID)
		require.Equal(t, gpu.FlagLost, sample.Readings[1].Flags)
		require.True(t, sample.Readings[1].Unsupported.Has(gpu.NoMemory|gpu.NoUtilization))
	}
	require.NoError(t, os.Rename(away, filepath.Join(instinct, "mem_info_vram_total")))
	sample, err = s.Sample(t.Context())
	require.NoError(t, err)
	require.Equal(t, gpu.FlagECC, sample.Readings[1].Flags, "it came back")

	// The driver unloaded: every card is lost, until it is loaded again.
	require.NoError(t, os.Rename(filepath.Join(root, "sys/class/drm"), filepath.Join(root, "drm")))
	sample, err = s.Sample(t.Context())
	require.NoError(t, err)
	require.Len(t, sample.Readings, 2)
	require.Equal(t, gpu.FlagLost, sample.Readings[0].Flags)
	_, err = s.Devices(t.Context())
	require.ErrorIs(t, err, gpu.ErrDriverGone)
}

func TestNoAMD(t *testing.T) {
	src, err := gpu.Open(t.Context(), gpu.Options{Source: "amd", Root: t.TempDir()}, slog.New(slog.DiscardHandler))
	require.NoError(t, err, "the driver may come later")
	_, err = src.Sample(t.Context())
	require.ErrorIs(t, err, gpu.ErrNoAMD)
	require.True(t, gpu.IsTransient(err))
}
