package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"corsguard/cmd/corsguard/internal/finding"
)

// kind is what a node is.
type kind uint8

const (
	nullNode kind = iota
	boolNode
	numberNode
	textNode
	listNode
	objectNode
)

var kindNames = [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}

// node is a value of a source file, with aliases and merge keys resolved. It is immutable once read. A nil node is an absent value: all methods take it.
type node struct {
	kind         kind
	text         string // of a scalar, as its JSON text would have it, without quotes
	items        []*node
	keys         []string
	values       []*node // beside keys
	keyAt        []finding.Place
	file         string
	line, column int
	path         string
}

// maxNodes bounds what aliases may blow a file up to, maxNesting how deep it may be.
const (
	maxNodes   = 2_000_000
	maxNesting = 200
)

// readDocuments returns the documents of a file, YAML or JSON; those that are empty are left out.
func readDocuments(file string, data []byte) ([]*node, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if json.Valid(data) {
		// YAML takes no tabs for indentation. In JSON a tab is white space wherever it stands.
		data = bytes.ReplaceAll(data, []byte("\t"), []byte(" "))
	}
	var docs []*node
	d := yaml.NewDecoder(bytes.NewReader(data))
	left := maxNodes
	for {
		var y yaml.Node
		err := decode(d, &y)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s", file, strings.TrimPrefix(err.Error(), "yaml: "))
		}
		r := treeReader{file: file, left: &left}
		n, err := r.node(&y, "", 0)
		if err != nil {
			return nil, err
		}
		if n != nil && n.kind != nullNode {
			docs = append(docs, n)
		}
	}
}

// decode reads a document. The YAML package panics on some broken ones.
func decode(d *yaml.Decoder, y *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("is no YAML: %v", r)
		}
	}()
	return d.Decode(y)
}

type treeReader struct {
	file string
	left *int
}

func (r *treeReader) fail(y *yaml.Node, message string) error {
	return fmt.Errorf("%s:%d:%d: %s", r.file, y.Line, y.Column, message)
}

func (r *treeReader) node(y *yaml.Node, path string, depth int) (*node, error) {
	if *r.left--; *r.left < 0 || depth > maxNesting {
		return nil, r.fail(y, "the file is too large, or nested too deeply, once its aliases are written out")
	}
	n := &node{file: r.file, line: y.Line, column: y.Column, path: path}
	switch y.Kind {
	case yaml.DocumentNode:
		if len(y.Content) == 0 {
			return nil, nil
		}
		return r.node(y.Content[0], path, depth)
	case yaml.AliasNode:
		return r.node(y.Alias, path, depth+1)
	case yaml.ScalarNode:
		return n, r.scalar(n, y)
	case yaml.SequenceNode:
		n.kind = listNode
		for i, item := range y.Content {
			v, err := r.node(item, path+"["+strconv.Itoa(i)+"]", depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, v)
		}
		return n, nil
	case yaml.MappingNode:
		n.kind = objectNode
		return n, r.object(n, y, depth)
	}
	return nil, nil
}

func (r *treeReader) scalar(n *node, y *yaml.Node) error {
	n.text = y.Value
	switch y.ShortTag() {
	case "!!null":
		n.kind = nullNode
	case "!!bool":
		n.kind = boolNode
		n.text = strings.ToLower(y.Value)
	case "!!int":
		n.kind = numberNode
		var i int64
		if err := y.Decode(&i); err != nil {
			return r.fail(y, "the number does not fit")
		}
		n.text = strconv.FormatInt(i, 10)
	case "!!float":
		n.kind = numberNode
		var f float64
		if err := y.Decode(&f); err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return r.fail(y, "is no number that JSON has")
		}
		n.text = strconv.FormatFloat(f, 'g', -1, 64)
	default:
		n.kind = textNode
		if word := strings.ToLower(y.Value); y.Style == 0 && (word == "yes" || word == "on" || word == "no" || word == "off") {
			// A boolean to the readers that most of the products have, which keep to YAML 1.1 there.
			n.kind, n.text = boolNode, strconv.FormatBool(word == "yes" || word == "on")
		}
	}
	return nil
}

func (r *treeReader) object(n *node, y *yaml.Node, depth int) error {
	var merged []*node
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, v := y.Content[i], y.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			return r.fail(k, "a key must be a string")
		}
		value, err := r.node(v, join(n.path, k.Value), depth+1)
		if err != nil {
			return err
		}
		if value == nil {
			continue
		}
		if k.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		if n.get(k.Value) != nil {
			return r.fail(k, "the key "+strconv.Quote(k.Value)+" stands here twice")
		}
		n.add(k.Value, value, finding.Place{File: r.file, Line: k.Line, Column: k.Column, Path: value.path})
	}
	for _, m := range merged {
		n.merge(m)
	}
	return nil
}

// merge adds what a merge key brings: what is written in the object itself counts, then what comes first.
func (n *node) merge(m *node) {
	if m.kind == listNode {
		for _, item := range m.items {
			n.merge(item)
		}
		return
	}
	for i, key := range m.keys {
		if n.get(key) == nil {
			n.add(key, m.values[i], m.keyAt[i])
		}
	}
}

func (n *node) add(key string, value *node, at finding.Place) {
	n.keys = append(n.keys, key)
	n.values = append(n.values, value)
	n.keyAt = append(n.keyAt, at)
}

// join returns the path of key inside of what path leads to.
func join(path, key string) string {
	if key == "" || strings.ContainsFunc(key, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-' && r != '$'
	}) {
		return path + "[" + strconv.Quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// place returns where n stands.
func (n *node) place() finding.Place {
	if n == nil {
		return finding.Place{}
	}
	return finding.Place{File: n.file, Line: n.line, Column: n.column, Path: n.path}
}

// get returns the value of the first of keys that n has, nil where it has none of them.
func (n *node) get(keys ...string) *node {
	if n == nil {
		return nil
	}
	for _, want := range keys {
		for i, key := range n.keys {
			if key == want {
				return n.values[i]
			}
		}
	}
	return nil
}

// fold returns the value of a key in any case and with any hyphens and underscores.
func (n *node) fold(want string) *node {
	if n == nil {
		return nil
	}
	for i, key := range n.keys {
		if plain(key) == plain(want) {
			return n.values[i]
		}
	}
	return nil
}

var separators = strings.NewReplacer("-", "", "_", "")

// plain returns key as keys compare that are written in several styles.
func plain(key string) string {
	return strings.ToLower(separators.Replace(key))
}

// dig returns what a path of keys leads to.
func (n *node) dig(keys ...string) *node {
	for _, key := range keys {
		n = n.get(key)
	}
	return n
}

// list returns the elements of a list, nil for anything else.
func (n *node) list() []*node {
	if n == nil || n.kind != listNode {
		return nil
	}
	return n.items
}

// str returns the text of a string, "" for anything else.
func (n *node) str() string {
	if n == nil || n.kind != textNode {
		return ""
	}
	return n.text
}

// is reports whether n is there and of kind k.
func (n *node) is(k kind) bool { return n != nil && n.kind == k }

// isTrue reports whether n is the boolean true.
func (n *node) isTrue() bool { return n.is(boolNode) && n.text == "true" }

// JSON returns n as JSON.
func (n *node) JSON() []byte {
	var b bytes.Buffer
	n.write(&b)
	return b.Bytes()
}

func (n *node) write(b *bytes.Buffer) {
	if n == nil {
		b.WriteString("null")
		return
	}
	switch n.kind {
	case nullNode:
		b.WriteString("null")
	case boolNode, numberNode:
		b.WriteString(n.text)
	case textNode:
		b.Write(quote(n.text))
	case listNode:
		b.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.write(b)
		}
		b.WriteByte(']')
	case objectNode:
		b.WriteByte('{')
		for i, key := range n.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			b.Write(quote(key))
			b.WriteByte(':')
			n.values[i].write(b)
		}
		b.WriteByte('}')
	}
}

func quote(s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		return []byte(`""`)
	}
	return text
}

// keysOf returns the keys of n.
func (n *node) keysOf() []string {
	if n == nil {
		return nil
	}
	return n.keys
}
