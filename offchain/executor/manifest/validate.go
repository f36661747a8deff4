package manifest

import (
	"path"
	"regexp"
	"strings"
	"unicode"
)

// The bounds of a manifest.
const (
	MaxImageBytes   = 512
	MaxArgs         = 256      // of command and args, each
	MaxEnv          = 256      // variables
	MaxPorts        = 32       //
	MaxVolumes      = 16       //
	MaxResults      = 64       //
	MaxPathBytes    = 1024     //
	MinMemoryMiB    = 16       //
	MaxMemoryMiB    = 64 << 20 // 64 TiB
	MaxCPUMillis    = 4096_000 // 4,096 CPUs
	MaxDiskMiB      = 64 << 20 // 64 TiB
	MaxPIDs         = 1 << 20  //
	MaxGPUs         = 64       //
	MaxGraceSeconds = 300      //
	MaxCheckSeconds = 3600     //
	MaxFailures     = 100      //
)

var (
	// imagePattern: a registry host with a dot, a port or the name localhost (so
	// that no registry is guessed), a repository, and a digest.
	imagePattern = regexp.MustCompile(`^([a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?((?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+)@sha256:[0-9a-f]{64}$`)
	namePattern  = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$`)
	envPattern   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
)

// reservedPaths are those that an engine mounts itself.
var reservedPaths = []string{"/proc", "/sys", "/dev", "/tmp"}

// Validate says whether the manifest is within all bounds; the error names the
// first value that is not, and what is allowed.
func (m Manifest) Validate() error {
	if err := checkImage(m.Image); err != nil {
		return err
	}
	if err := checkArgs("command", m.Command); err != nil {
		return err
	}
	if err := checkArgs("args", m.Args); err != nil {
		return err
	}
	if err := checkEnv(m.Env); err != nil {
		return err
	}
	if m.WorkingDir != "" {
		if err := checkPath("working_dir", m.WorkingDir); err != nil {
			return err
		}
	}
	if err := m.checkPorts(); err != nil {
		return err
	}
	if err := m.Resources.validate(); err != nil {
		return err
	}
	if err := m.checkVolumes(); err != nil {
		return err
	}
	if err := m.checkResults(); err != nil {
		return err
	}
	if m.StopGraceSeconds > MaxGraceSeconds {
		return invalid("stop_grace_seconds: got %d, at most %d is allowed", m.StopGraceSeconds, MaxGraceSeconds)
	}
	if m.Health != nil {
		return m.Health.validate()
	}
	return nil
}

func checkImage(image string) error {
	if len(image) > MaxImageBytes {
		return invalid("image: %d bytes, at most %d are allowed", len(image), MaxImageBytes)
	}
	parts := imagePattern.FindStringSubmatch(image)
	if parts == nil {
		return invalid("image: got %q, want registry/name@sha256:<64 hex digits>, without a tag", image)
	}
	if host := parts[1]; parts[2] == "" && host != "localhost" && !strings.ContainsAny(host, ".[") {
		return invalid("image: got %q, whose registry %q is no host name; write it in full, such as docker.io/library/name@sha256:…", image, host)
	}
	return nil
}

func checkArgs(member string, args []string) error {
	if len(args) > MaxArgs {
		return invalid("%s: %d elements, at most %d are allowed", member, len(args), MaxArgs)
	}
	for i, arg := range args {
		if strings.ContainsRune(arg, 0) {
			return invalid("%s[%d]: got %q, a zero byte is not allowed", member, i, arg)
		}
	}
	if member != "args" && len(args) > 0 && args[0] == "" {
		return invalid("%s[0]: empty, want a program", member)
	}
	return nil
}

func checkEnv(env map[string]string) error {
	if len(env) > MaxEnv {
		return invalid("env: %d variables, at most %d are allowed", len(env), MaxEnv)
	}
	for name, value := range env {
		if !envPattern.MatchString(name) {
			return invalid("env: got name %q, want letters, digits and _, at most 128, not beginning with a digit", name)
		}
		if strings.HasPrefix(name, "GRAFI_") {
			return invalid("env: name %q is reserved: the host sets what begins with GRAFI_", name)
		}
		if strings.ContainsRune(value, 0) {
			return invalid("env.%s: a zero byte is not allowed", name)
		}
	}
	return nil
}

// checkPath wants a clean absolute path, so that two spellings can't name one file.
func checkPath(member, p string) error {
	if len(p) > MaxPathBytes {
		return invalid("%s: %d bytes, at most %d are allowed", member, len(p), MaxPathBytes)
	}
	if !path.IsAbs(p) || path.Clean(p) != p || strings.ContainsFunc(p, unicode.IsControl) {
		return invalid("%s: got %q, want an absolute path without .., . or doubled slashes", member, p)
	}
	return nil
}

func within(p, dir string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

func (m Manifest) checkPorts() error {
	if len(m.Ports) > MaxPorts {
		return invalid("ports: %d elements, at most %d are allowed", len(m.Ports), MaxPorts)
	}
	names, ports := map[string]bool{}, map[uint16]bool{}
	for i, p := range m.Ports {
		switch {
		case !namePattern.MatchString(p.Name):
			return invalid("ports[%d].name: got %q, want 1 to 32 lower-case letters, digits and -, beginning with a letter", i, p.Name)
		case names[p.Name]:
			return invalid("ports[%d].name: %q appears twice", i, p.Name)
		case p.Port == 0:
			return invalid("ports[%d].port: got 0, want 1 to 65535", i)
		case ports[p.Port]:
			return invalid("ports[%d].port: %d appears twice", i, p.Port)
		}
		names[p.Name], ports[p.Port] = true, true
	}
	return nil
}

func (r Resources) validate() error {
	for _, b := range []struct {
		member        string
		got, min, max uint32
	}{
		{"cpu_millis", r.CPUMillis, 1, MaxCPUMillis},
		{"memory_mib", r.MemoryMiB, MinMemoryMiB, MaxMemoryMiB},
		{"disk_mib", r.DiskMiB, 0, MaxDiskMiB},
		{"pids", r.PIDs, 0, MaxPIDs},
		{"gpus", r.GPUs, 0, MaxGPUs},
	} {
		if b.got < b.min || b.got > b.max {
			return invalid("resources.%s: got %d, want %d to %d", b.member, b.got, b.min, b.max)
		}
	}
	return nil
}

func (m Manifest) checkVolumes() error {
	if len(m.Volumes) > MaxVolumes {
		return invalid("volumes: %d elements, at most %d are allowed", len(m.Volumes), MaxVolumes)
	}
	for i, v := range m.Volumes {
		if !namePattern.MatchString(v.Name) {
			return invalid("volumes[%d].name: got %q, want 1 to 32 lower-case letters, digits and -, beginning with a letter", i, v.Name)
		}
		if err := checkPath("volumes["+v.Name+"].path", v.Path); err != nil {
			return err
		}
		if v.Path == "/" {
			return invalid("volumes[%s].path: the root itself can't be a volume", v.Name)
		}
		for _, reserved := range reservedPaths {
			if within(v.Path, reserved) {
				return invalid("volumes[%s].path: got %q, %s is the host's to mount", v.Name, v.Path, reserved)
			}
		}
		for _, other := range m.Volumes[:i] {
			if other.Name == v.Name {
				return invalid("volumes[%d].name: %q appears twice", i, v.Name)
			}
			if within(v.Path, other.Path) || within(other.Path, v.Path) {
				return invalid("volumes[%s].path: %q and %q of volume %s lie in one another", v.Name, v.Path, other.Path, other.Name)
			}
		}
	}
	return nil
}

func (m Manifest) checkResults() error {
	if len(m.Results) > MaxResults {
		return invalid("results: %d elements, at most %d are allowed", len(m.Results), MaxResults)
	}
	seen := map[string]bool{}
	for i, r := range m.Results {
		if err := checkPath("results", r); err != nil {
			return err
		}
		if seen[r] {
			return invalid("results[%d]: %q appears twice", i, r)
		}
		seen[r] = true
		if _, _, ok := m.VolumeOf(r); !ok {
			return invalid("results[%d]: %q is not inside a volume", i, r)
		}
	}
	return nil
}

// VolumeOf returns the volume that has the path, and the path inside it.
func (m Manifest) VolumeOf(p string) (volume Volume, rel string, ok bool) {
	for _, v := range m.Volumes {
		if p != v.Path && within(p, v.Path) {
			return v, strings.TrimPrefix(p, v.Path+"/"), true
		}
	}
	return Volume{}, "", false
}

func (h HealthCheck) validate() error {
	set := 0
	if len(h.Command) > 0 {
		set++
		if err := checkArgs("health.command", h.Command); err != nil {
			return err
		}
	}
	if h.HTTP != nil {
		set++
		if h.HTTP.Port == 0 {
			return invalid("health.http.port: got 0, want 1 to 65535")
		}
		if !strings.HasPrefix(h.HTTP.Path, "/") || len(h.HTTP.Path) > MaxPathBytes || strings.ContainsFunc(h.HTTP.Path, unicode.IsControl) {
			return invalid("health.http.path: got %q, want a path that begins with /", h.HTTP.Path)
		}
	}
	if h.TCPPort != 0 {
		set++
	}
	if set != 1 {
		return invalid("health: %d probes, want exactly one of command, http and tcp_port", set)
	}
	for _, b := range []struct {
		member   string
		got, max uint32
	}{
		{"period_seconds", h.PeriodSeconds, MaxCheckSeconds},
		{"timeout_seconds", h.TimeoutSeconds, MaxCheckSeconds},
		{"start_seconds", h.StartSeconds, MaxCheckSeconds},
		{"failures", h.Failures, MaxFailures},
	} {
		if b.got > b.max {
			return invalid("health.%s: got %d, at most %d is allowed", b.member, b.got, b.max)
		}
	}
	return nil
}
