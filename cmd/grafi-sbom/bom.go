package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// bom is the part of CycloneDX 1.6 that is used here.
type bom struct {
	Schema       string       `json:"$schema"`
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Serial       string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp,omitempty"`
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn"`
}

// newBOM describes the programs. Their order does not matter, nor when it is made.
func newBOM(version string, at time.Time, programs []string) (bom, error) {
	b := bom{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", Spec: "1.6", Version: 1,
		Metadata: metadata{Component: component{Type: "application", Ref: "grafi", Name: "grafi", Version: version}},
	}
	if !at.IsZero() {
		b.Metadata.Timestamp = at.Format(time.RFC3339)
	}
	modules := map[string]component{}
	programs = slices.Sorted(slices.Values(programs))
	root := dependency{Ref: "grafi"}
	for _, path := range programs {
		c, info, err := program(path, version)
		if err != nil {
			return bom{}, err
		}
		b.Components = append(b.Components, c)
		root.On = append(root.On, c.Ref)
		needs := dependency{Ref: c.Ref, On: []string{}}
		for _, m := range append(info.Deps, &debug.Module{Path: "std", Version: info.GoVersion}) {
			lib := library(m)
			modules[lib.Ref] = lib
			needs.On = append(needs.On, lib.Ref)
		}
		slices.Sort(needs.On)
		b.Dependencies = append(b.Dependencies, needs)
	}
	b.Dependencies = append([]dependency{root}, b.Dependencies...)
	var libs []component
	for _, c := range modules {
		libs = append(libs, c)
	}
	slices.SortFunc(libs, func(x, y component) int { return strings.Compare(x.Ref, y.Ref) })
	b.Components = append(b.Components, libs...)
	return b, b.number()
}

// program describes one built program and what was built into it.
func program(path, version string) (component, *debug.BuildInfo, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return component{}, nil, fmt.Errorf("%s: %w", path, err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return component{}, nil, err
	}
	sum := sha256.Sum256(raw)
	name := filepath.Base(path)
	c := component{
		Type: "application", Ref: "file:" + name, Name: name, Version: version,
		Hashes:     []hash{{Algorithm: "SHA-256", Content: hex.EncodeToString(sum[:])}},
		Properties: []property{{Name: "go:package", Value: info.Path}, {Name: "go:version", Value: info.GoVersion}},
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "GOOS", "GOARCH", "CGO_ENABLED", "-tags", "-trimpath", "vcs.revision":
			c.Properties = append(c.Properties, property{Name: "go:" + s.Key, Value: s.Value})
		}
	}
	return c, info, nil
}

// library describes a module: what replaces it is what is built in.
func library(m *debug.Module) component {
	if m.Replace != nil {
		was := m.Path + "@" + m.Version
		c := library(m.Replace)
		c.Properties = append(c.Properties, property{Name: "go:replaces", Value: was})
		return c
	}
	purl := "pkg:golang/" + strings.ToLower(m.Path) + "@" + m.Version
	c := component{Type: "library", Ref: purl, Name: m.Path, Version: m.Version, PURL: purl}
	// go.sum's h1 is the SHA-256 over a module's list of files and their hashes.
	if raw, ok := strings.CutPrefix(m.Sum, "h1:"); ok {
		if sum, err := base64.StdEncoding.DecodeString(raw); err == nil {
			c.Properties = append(c.Properties, property{Name: "go:sum:h1", Value: hex.EncodeToString(sum)})
		}
	}
	return c
}

// number derives the serial number, a UUID, from the content, so that the same
// programs have the same file.
func (b *bom) number() error {
	b.Serial = ""
	raw, err := json.Marshal(b)
	if err != nil {
		return err
	}
	id := sha256.Sum256(raw)
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // version 8, variant of RFC 9562
	b.Serial = fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
	return nil
}

func (b bom) encode() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(b)
	return out.Bytes(), err
}
