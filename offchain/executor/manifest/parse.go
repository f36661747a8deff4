package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	// MaxBytes bounds the document.
	MaxBytes = 64 << 10
	// maxDepth bounds nesting; a valid manifest has 4 levels.
	maxDepth = 16
)

// ErrInvalid is what every refused document's error is.
var ErrInvalid = errors.New("invalid manifest")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// Parse reads one manifest in JSON (when it begins with a brace) or YAML and
// validates it. Unknown, repeated and differently spelt members are refused,
// and so are YAML's anchors, aliases and tags: what a reader sees is what runs.
func Parse(doc []byte) (Manifest, error) {
	if len(doc) > MaxBytes {
		return Manifest{}, invalid("%d bytes, at most %d are allowed", len(doc), MaxBytes)
	}
	if !utf8.Valid(doc) {
		return Manifest{}, invalid("not UTF-8")
	}
	var tree any
	var err error
	if bytes.HasPrefix(bytes.TrimLeft(doc, " \t\r\n"), []byte("{")) {
		tree, err = jsonTree(doc)
	} else {
		tree, err = yamlTree(doc)
	}
	if err != nil {
		return Manifest{}, err
	}
	if err := checkMembers("", tree, reflect.TypeFor[Manifest]()); err != nil {
		return Manifest{}, err
	}
	raw, err := json.Marshal(tree)
	if err != nil {
		return Manifest{}, invalid("%s", err)
	}
	var m Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		if typeErr, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return Manifest{}, invalid("%s: got %s, want %s", typeErr.Field, typeErr.Value, typeErr.Type)
		}
		return Manifest{}, invalid("%s", err)
	}
	if err := m.Validate(); err != nil {
		return Manifest{}, err
	}
	return m, nil
}

// jsonTree decodes by token, because encoding/json takes a repeated member's last value.
func jsonTree(doc []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	tree, err := jsonValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, invalid("something follows the JSON object at byte %d", dec.InputOffset())
	}
	return tree, nil
}

func jsonValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, invalid("nested deeper than %d levels", maxDepth)
	}
	token, err := dec.Token()
	if err != nil {
		return nil, invalid("JSON at byte %d: %s", dec.InputOffset(), err)
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return nil, invalid("JSON at byte %d: %s", dec.InputOffset(), err)
			}
			key := name.(string) // the decoder refuses every other kind of name
			if _, twice := object[key]; twice {
				return nil, invalid("member %q appears twice", key)
			}
			if object[key], err = jsonValue(dec, depth+1); err != nil {
				return nil, err
			}
		}
		return object, jsonClose(dec)
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			element, err := jsonValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, element)
		}
		return list, jsonClose(dec)
	default:
		return token, nil
	}
}

func jsonClose(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return invalid("JSON at byte %d: %s", dec.InputOffset(), err)
	}
	return nil
}

func yamlTree(doc []byte) (any, error) {
	dec := yaml.NewDecoder(bytes.NewReader(doc))
	var root yaml.Node
	if err := dec.Decode(&root); errors.Is(err, io.EOF) {
		return nil, invalid("empty document")
	} else if err != nil {
		return nil, invalid("%s", err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, invalid("a second YAML document follows the first")
	}
	return yamlValue(root.Content[0], 0)
}

func yamlValue(n *yaml.Node, depth int) (any, error) {
	switch {
	case depth > maxDepth:
		return nil, invalid("line %d: nested deeper than %d levels", n.Line, maxDepth)
	case n.Anchor != "" || n.Kind == yaml.AliasNode:
		return nil, invalid("line %d: anchors and aliases are not allowed", n.Line)
	case n.Style&yaml.TaggedStyle != 0:
		return nil, invalid("line %d: tag %s is not allowed", n.Line, n.Tag)
	}
	switch n.Kind {
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" || key.Anchor != "" {
				return nil, invalid("line %d: member name %q is not a plain string", key.Line, key.Value)
			}
			if _, twice := object[key.Value]; twice {
				return nil, invalid("line %d: member %q appears twice", key.Line, key.Value)
			}
			member, err := yamlValue(n.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			object[key.Value] = member
		}
		return object, nil
	case yaml.SequenceNode:
		list := []any{}
		for _, child := range n.Content {
			element, err := yamlValue(child, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, element)
		}
		return list, nil
	default:
		return yamlScalar(n)
	}
}

func yamlScalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!str":
		return n.Value, nil
	case "!!int":
		var i int64
		if err := n.Decode(&i); err != nil {
			return nil, invalid("line %d: %q is not an integer in range", n.Line, n.Value)
		}
		return i, nil
	case "!!null":
		return nil, nil
	default: // a bool, float or date where a manifest has only strings and integers
		return nil, invalid("line %d: %q reads as %s; put it in quotes if a string is meant",
			n.Line, n.Value, strings.TrimPrefix(n.ShortTag(), "!!"))
	}
}

// checkMembers refuses members that the type does not have. encoding/json
// would also take "Image" for "image", and with it two spellings of one member.
func checkMembers(path string, v any, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct:
		object, ok := v.(map[string]any)
		if !ok {
			if v == nil && path != "" {
				return nil
			}
			return invalid("%s: got %s, want an object", orRoot(path), kindOf(v))
		}
		fields := map[string]reflect.Type{}
		var allowed []string
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			fields[name] = f.Type
			allowed = append(allowed, name)
		}
		for name, member := range object {
			field, known := fields[name]
			if !known {
				slices.Sort(allowed)
				return invalid("%s: unknown member, allowed: %s", join(path, name), strings.Join(allowed, ", "))
			}
			if err := checkMembers(join(path, name), member, field); err != nil {
				return err
			}
		}
	case reflect.Slice:
		list, _ := v.([]any) // any other type is refused when the list is decoded
		for i, element := range list {
			if element == nil {
				return invalid("%s[%d]: null is not allowed in a list", path, i)
			}
			if err := checkMembers(fmt.Sprintf("%s[%d]", path, i), element, t.Elem()); err != nil {
				return err
			}
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func orRoot(path string) string {
	if path == "" {
		return "document"
	}
	return path
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case []any:
		return "a list"
	default:
		return "a number"
	}
}
