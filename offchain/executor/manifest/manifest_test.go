package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/offchain/executor/manifest"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

const fullYAML = `
image: registry.example.org:5000/team/render@` + digest + `
command: [/bin/render]
args: ["--out", "/data/out/picture.png", ""]
env:
  WIDTH: "640"
  GREETING: "tab\there, quote \" and é and \u2028"
working_dir: /work
ports:
  - {name: http, port: 8080}
resources:
  cpu_millis: 1500
  memory_mib: 256
  disk_mib: 64
  pids: 32
  gpus: 1
volumes:
  - name: out
    path: /data/out
health:
  http: {port: 8080, path: /healthz}
  period_seconds: 5
results: [/data/out/picture.png]
stop_grace_seconds: 3
`

// fullJSON has the same content, with other spacing, order and zero members.
const fullJSON = `{
  "stop_grace_seconds": 3, "results": ["/data/out/picture.png"],
  "health": {"period_seconds": 5, "failures": 0, "command": [], "http": {"path": "/healthz", "port": 8080}},
  "volumes": [{"path": "/data/out", "name": "out"}],
  "resources": {"gpus": 1, "pids": 32, "disk_mib": 64, "memory_mib": 256, "cpu_millis": 1500},
  "ports": [{"port": 8080, "name": "http"}],
  "working_dir": "/work",
  "env": {"GREETING": "tab\there, quote \" and \u00e9 and \u2028", "WIDTH": "640"},
  "args": ["--out", "\/data\/out\/picture.png", ""],
  "command": ["/bin/render"],
  "image": "registry.example.org:5000/team/render@` + digest + `"
}`

func TestSameDigestFromYAMLAndJSON(t *testing.T) {
	fromYAML, err := manifest.Parse([]byte(fullYAML))
	require.NoError(t, err)
	fromJSON, err := manifest.Parse([]byte(fullJSON))
	require.NoError(t, err)

	canonical, err := fromYAML.Canonical()
	require.NoError(t, err)
	// Written out, so that another language has something to compare with.
	require.Equal(t, `{"args":["--out","/data/out/picture.png",""],"command":["/bin/render"],`+
		`"env":{"GREETING":"tab\there, quote \" and é and `+"\u2028"+`","WIDTH":"640"},`+
		`"health":{"http":{"path":"/healthz","port":8080},"period_seconds":5},`+
		`"image":"registry.example.org:5000/team/render@`+digest+`",`+
		`"ports":[{"name":"http","port":8080}],`+
		`"resources":{"cpu_millis":1500,"disk_mib":64,"gpus":1,"memory_mib":256,"pids":32},`+
		`"results":["/data/out/picture.png"],"stop_grace_seconds":3,`+
		`"volumes":[{"name":"out","path":"/data/out"}],"working_dir":"/work"}`, string(canonical))

	want, err := fromYAML.DigestHex()
	require.NoError(t, err)
	got, err := fromJSON.DigestHex()
	require.NoError(t, err)
	require.Equal(t, want, got)

	again, err := manifest.Parse(canonical)
	require.NoError(t, err)
	require.Equal(t, fromYAML, again, "the canonical form is itself a manifest")
}

func TestParseRefuses(t *testing.T) {
	const head = "image: localhost/a@" + digest + "\nresources: {cpu_millis: 1000, memory_mib: 64}\n"
	tests := map[string]struct{ doc, want string }{
		"empty":                 {"", "empty document"},
		"too large":             {strings.Repeat("#", manifest.MaxBytes+1), "at most 65536"},
		"not UTF-8":             {"image: \xff", "not UTF-8"},
		"a list":                {"- a", "want an object"},
		"unknown member":        {head + "imagee: x", "imagee: unknown member, allowed: args, command"},
		"unknown nested member": {head + "health: {tcp: 80}", "health.tcp: unknown member"},
		"other case":            {`{"Image": "x"}`, "Image: unknown member"},
		"twice in YAML":         {head + "image: x", "appears twice"},
		"twice in JSON":         {`{"image": "x", "image": "y"}`, `"image" appears twice`},
		"after the JSON":        {`{"image": "x"} {}`, "follows the JSON object"},
		"two YAML documents":    {head + "---\n" + head, "second YAML document"},
		"alias":                 {head + "args: &a [x]\ncommand: *a", "anchors and aliases"},
		"tag":                   {head + "working_dir: !!binary L3g=", "tag !!binary"},
		"number as env":         {head + "env: {PORT: 8080}", "env"},
		"bool as env":           {head + "env: {DEBUG: yes-no, ON: true}", "put it in quotes"},
		"fraction":              {head + "stop_grace_seconds: 1.5", "put it in quotes"},
		"negative":              {head + "stop_grace_seconds: -1", "stop_grace_seconds: got number -1"},
		"overflow":              {head + "stop_grace_seconds: 99999999999999999999", "put it in quotes"},
		"long grace":            {head + "stop_grace_seconds: 301", "got 301, at most 300"},
		"null in a list":        {head + "args: [a, null]", "args[1]: null"},
		"tag instead of digest": {"image: localhost/a:latest", "without a tag"},
		"tag and digest":        {"image: localhost/a:v1@" + digest, "without a tag"},
		"short digest":          {"image: localhost/a@sha256:abcd", "without a tag"},
		"no registry":           {"image: busybox@" + digest, "want registry/name"},
		"guessed registry":      {"image: library/busybox@" + digest, "is no host name"},
		"no resources":          {"image: localhost/a@" + digest, "resources.cpu_millis: got 0"},
		"too little memory":     {"image: localhost/a@" + digest + "\nresources: {cpu_millis: 1, memory_mib: 1}", "got 1, want 16 to"},
		"env name":              {head + "env: {a-b: x}", `got name "a-b"`},
		"reserved env":          {head + "env: {GRAFI_X: x}", "reserved"},
		"zero byte":             {head + `args: ["a\0b"]`, "zero byte"},
		"empty program":         {head + `command: [""]`, "want a program"},
		"relative directory":    {head + "working_dir: a", "want an absolute path"},
		"dots in a path":        {head + "volumes: [{name: a, path: /data/../etc}]", "without .."},
		"volume over /proc":     {head + "volumes: [{name: a, path: /proc/sys}]", "is the host's to mount"},
		"volume at the root":    {head + "volumes: [{name: a, path: /}]", "root itself"},
		"volume in volume":      {head + "volumes: [{name: a, path: /d}, {name: b, path: /d/e}]", "lie in one another"},
		"volume name twice":     {head + "volumes: [{name: a, path: /d}, {name: a, path: /e}]", "appears twice"},
		"volume name":           {head + "volumes: [{name: ../x, path: /d}]", "volumes[0].name"},
		"result outside":        {head + "results: [/etc/passwd]", "not inside a volume"},
		"result is the volume":  {head + "volumes: [{name: a, path: /d}]\nresults: [/d]", "not inside a volume"},
		"port zero":             {head + "ports: [{name: a}]", "ports[0].port: got 0"},
		"port too high":         {head + "ports: [{name: a, port: 65536}]", "uint16"},
		"port twice":            {head + "ports: [{name: a, port: 1}, {name: b, port: 1}]", "1 appears twice"},
		"two probes":            {head + "health: {tcp_port: 1, command: [x]}", "2 probes"},
		"no probe":              {head + "health: {period_seconds: 1}", "0 probes"},
		"deep JSON":             {strings.Repeat(`{"a":`, 40), "nested deeper"},
		"deep YAML":             {"a: " + strings.Repeat("[", 40) + strings.Repeat("]", 40), "nested deeper"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := manifest.Parse([]byte(tc.doc))
			require.ErrorIs(t, err, manifest.ErrInvalid)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// TestDigestTellsManifestsApart: two manifests that differ in one member never
// share a digest.
func TestDigestTellsManifestsApart(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := drawManifest(rt, "a"), drawManifest(rt, "b")
		ca, err := a.Canonical()
		if err != nil {
			rt.Fatal(err)
		}
		cb, err := b.Canonical()
		if err != nil {
			rt.Fatal(err)
		}
		same := fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
		if same != (string(ca) == string(cb)) {
			rt.Fatalf("%#v\n%#v\n%s\n%s", a, b, ca, cb)
		}
	})
}

func drawManifest(rt *rapid.T, label string) manifest.Manifest {
	small := rapid.StringOfN(rapid.RuneFrom([]rune("ab\"\\\n\u2028é")), 0, 2, -1)
	args := rapid.SliceOfN(small, 1, 2).Draw(rt, label+"args")
	return manifest.Manifest{
		Image: "localhost/a@" + digest, Args: args, WorkingDir: small.Draw(rt, label+"dir"),
		Resources: manifest.Resources{CPUMillis: rapid.Uint32Range(0, 1).Draw(rt, label+"cpu")},
	}
}

// FuzzParse: what is accepted is valid, and its canonical form is accepted too,
// with the same digest.
func FuzzParse(f *testing.F) {
	f.Add([]byte(fullYAML))
	f.Add([]byte(fullJSON))
	f.Add([]byte("image: &a localhost/a@" + digest + "\nargs: [*a]"))
	f.Add([]byte(`{"image":1e400}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		m, err := manifest.Parse(doc)
		if err != nil {
			require.ErrorIs(t, err, manifest.ErrInvalid)
			return
		}
		require.NoError(t, m.Validate())
		canonical, err := m.Canonical()
		require.NoError(t, err)
		again, err := manifest.Parse(canonical)
		if len(canonical) > manifest.MaxBytes {
			return // YAML can be shorter than the canonical form
		}
		require.NoError(t, err)
		want, err := m.DigestHex()
		require.NoError(t, err)
		got, err := again.DigestHex()
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
