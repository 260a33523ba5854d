package document

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	k8syaml "sigs.k8s.io/yaml"
)

// Bounds of YAML: bytes of a file, and nodes once aliases are written out.
const (
	maxYAML  = 32 << 20
	maxNodes = 2 << 20
	maxDepth = 1000
)

// parseYAML reads the documents of t, and leaves out empty ones. Scalars are what Kubernetes' tools take them for.
func parseYAML(t *text) (documents []*node, _ *SyntaxError) {
	if err := checkUTF8(t); err != nil {
		return nil, err
	}
	if len(t.data) > maxYAML {
		return nil, &SyntaxError{t, 0, fmt.Sprintf("is longer than %d bytes, which is too much for YAML", maxYAML)}
	}
	r := &yamlReader{t: t, scalars: map[string]*node{}, active: map[*yaml.Node]bool{}}
	r.findLines()
	decoder := yaml.NewDecoder(strings.NewReader(t.data))
	for {
		var document yaml.Node
		err := decode(decoder, &document)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, r.syntaxError(err)
		}
		n := r.node(&document, 0)
		if r.err != nil {
			return nil, r.err
		}
		if n.kind != nullNode {
			documents = append(documents, n)
		}
	}
}

// decode reads the next document. What the package panics with is an error.
func decode(d *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	return d.Decode(n)
}

// yamlReader turns YAML's nodes into JSON's.
type yamlReader struct {
	t     *text
	lines []int // offsets of the beginnings of lines, as YAML counts them
	nodes int   // so far
	// scalars remembers what plain scalars mean.
	scalars map[string]*node
	active  map[*yaml.Node]bool // anchors that are being written out
	err     *SyntaxError
}

// findLines finds the lines. YAML knows more line breaks than editors do.
func (r *yamlReader) findLines() {
	start := 0
	if strings.HasPrefix(r.t.data, byteOrderMark) {
		start = len(byteOrderMark)
	}
	r.lines = []int{start}
	for i := start; i < len(r.t.data); {
		c, size := utf8.DecodeRuneInString(r.t.data[i:])
		i += size
		switch c {
		case '\r':
			if i < len(r.t.data) && r.t.data[i] == '\n' {
				i++
			}
			r.lines = append(r.lines, i)
		case '\n', '\u0085', '\u2028', '\u2029':
			r.lines = append(r.lines, i)
		}
	}
}

// offset returns the offset of a line and column, both of which count from 1.
func (r *yamlReader) offset(line, column int) int {
	if line < 1 || line > len(r.lines) {
		return len(r.t.data) * min(max(line, 0), 1)
	}
	at := r.lines[line-1]
	for ; column > 1 && at < len(r.t.data); column-- {
		_, size := utf8.DecodeRuneInString(r.t.data[at:])
		at += size
	}
	return at
}

func (r *yamlReader) fail(n *yaml.Node, format string, args ...any) *node {
	if r.err == nil {
		r.err = &SyntaxError{r.t, r.offset(n.Line, n.Column), fmt.Sprintf(format, args...)}
	}
	return &node{in: r.t}
}

// node returns what n is in JSON, with aliases written out.
func (r *yamlReader) node(n *yaml.Node, depth int) *node {
	switch r.nodes++; {
	case r.err != nil:
		return &node{in: r.t}
	case r.nodes > maxNodes:
		return r.fail(n, "has more than %d nodes, once aliases are written out", maxNodes)
	case depth > maxDepth:
		return r.fail(n, "is nested more than %d levels deep", maxDepth)
	}
	out := &node{in: r.t, at: r.offset(n.Line, n.Column)}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) > 0 {
			return r.node(n.Content[0], depth)
		}
	case yaml.AliasNode:
		if n.Alias == nil || r.active[n.Alias] {
			return r.fail(n, "has the alias *%s within its own anchor", n.Value)
		}
		return r.node(n.Alias, depth+1)
	case yaml.MappingNode:
		defer r.enter(n)()
		out.kind = objectNode
		r.members(out, n, depth)
	case yaml.SequenceNode:
		defer r.enter(n)()
		out.kind = arrayNode
		for _, e := range n.Content {
			out.elements = append(out.elements, r.node(e, depth+1))
		}
	case yaml.ScalarNode:
		return r.scalar(out, n)
	}
	return out
}

// enter notes that n is being written out, and returns what ends that.
func (r *yamlReader) enter(n *yaml.Node) func() {
	r.active[n] = true
	return func() { delete(r.active, n) }
}

func (r *yamlReader) members(out *node, n *yaml.Node, depth int) {
	var merged []member
	for i := 0; i+1 < len(n.Content) && r.err == nil; i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind == yaml.ScalarNode && k.ShortTag() == "!!merge" {
			merged = r.merge(merged, v, depth)
			continue
		}
		key := r.node(k, depth+1)
		m := member{key: key.str, keyAt: r.offset(k.Line, k.Column), converted: key.kind != stringNode}
		switch key.kind {
		case objectNode, arrayNode:
			r.fail(k, "has a key that is no string")
		case nullNode:
			m.key = "null"
		}
		m.value = r.node(v, depth+1)
		out.members = append(out.members, m)
	}
	if len(merged) == 0 {
		return
	}
	own := map[string]bool{}
	for i := range out.members {
		own[out.members[i].key] = true
	}
	for _, m := range merged {
		if !own[m.key] {
			own[m.key] = true
			out.members = append(out.members, m)
		}
	}
}

// merge appends what the merge key has the value v for. Of several mappings the first counts.
func (r *yamlReader) merge(merged []member, v *yaml.Node, depth int) []member {
	switch from := r.node(v, depth+1); from.kind {
	case objectNode:
		return append(merged, from.members...)
	case arrayNode:
		for _, e := range from.elements {
			merged = append(merged, e.members...)
		}
	default:
		r.fail(v, "merges (<<) what is no mapping")
	}
	return merged
}

func (r *yamlReader) scalar(out *node, n *yaml.Node) *node {
	out.kind, out.str = stringNode, n.Value
	tag := ""
	if n.Style&yaml.TaggedStyle != 0 {
		tag = n.ShortTag()
	}
	switch tag {
	case "!!int", "!!float", "!!bool", "!!null":
	case "!!binary":
		if decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), "")); err == nil {
			out.str = string(decoded)
		}
		return out
	case "":
		if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			return out
		}
	default:
		return out
	}
	known := r.scalars[n.Value]
	if known == nil {
		known = plain(n.Value)
		r.scalars[n.Value] = known
	}
	out.kind, out.str = known.kind, known.str
	return out
}

// mayMean matches plain scalars that may be something else than strings.
var mayMean = regexp.MustCompile(`^([-+.]*[0-9][-+._0-9a-zA-Z]*|[-+]?\.(?i:inf|nan)|~|(?i:y|n|yes|no|on|off|true|false|null))?$`)

// plain returns what a plain scalar means in YAML 1.1, as Kubernetes' tools read it: no is false, 0o17 is 15. What JSON has no place for stays a string.
func plain(s string) *node {
	out := &node{kind: stringNode, str: s}
	if !mayMean.MatchString(s) {
		return out
	}
	read, err := k8syaml.YAMLToJSON([]byte(s))
	read = bytes.TrimSpace(read)
	switch {
	case err != nil || len(read) == 0:
	case string(read) == "null":
		out.kind, out.str = nullNode, ""
	case read[0] == '-' || read[0] >= '0' && read[0] <= '9' || read[0] == 't' || read[0] == 'f':
		out.kind, out.str = literalNode, string(read)
	}
	return out
}
