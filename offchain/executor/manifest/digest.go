package manifest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Canonical returns the document's only JSON form: RFC 8785 (members sorted,
// no white space, shortest escapes), with zero, empty and absent members left
// out. It is what the digest covers, so any language can compute it.
func (m Manifest) Canonical() ([]byte, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	var out bytes.Buffer
	if err := writeCanonical(&out, prune(tree)); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Digest returns the SHA-256 of the canonical form. This is what the chain records.
func (m Manifest) Digest() ([sha256.Size]byte, error) {
	canonical, err := m.Canonical()
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return sha256.Sum256(canonical), nil
}

// DigestHex returns the digest as 64 lower-case hex digits.
func (m Manifest) DigestHex() (string, error) {
	sum, err := m.Digest()
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(sum[:]), nil
}

// prune drops the members of objects that say nothing. Elements of lists stay:
// an empty argument is an argument.
func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			member = prune(member)
			if isEmpty(member) {
				delete(v, name)
				continue
			}
			v[name] = member
		}
		return v
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
		return v
	default:
		return v
	}
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case json.Number:
		return v == "0"
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	default:
		return false
	}
}

// writeCanonical knows the types that a manifest has: objects, lists, strings
// and integers. Sorting bytes equals RFC 8785's sorting of UTF-16 units here,
// because member names are ASCII (validated).
func writeCanonical(out *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case map[string]any:
		out.WriteByte('{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				out.WriteByte(',')
			}
			writeString(out, name)
			out.WriteByte(':')
			if err := writeCanonical(out, v[name]); err != nil {
				return err
			}
		}
		out.WriteByte('}')
	case []any:
		out.WriteByte('[')
		for i, element := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := writeCanonical(out, element); err != nil {
				return err
			}
		}
		out.WriteByte(']')
	case string:
		writeString(out, v)
	case json.Number:
		out.WriteString(v.String())
	default:
		return fmt.Errorf("encode manifest: %T has no canonical form", v)
	}
	return nil
}

// shortEscapes are those that RFC 8785 §3.2.2.2 demands.
var shortEscapes = map[rune]string{
	'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`,
}

func writeString(out *bytes.Buffer, s string) {
	out.WriteByte('"')
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		if short, ok := shortEscapes[r]; ok {
			out.WriteString(short)
		} else if r < 0x20 {
			fmt.Fprintf(out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
}
