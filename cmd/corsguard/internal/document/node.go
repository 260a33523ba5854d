package document

import (
	"encoding/json"
	"errors"
	"strings"

	"corsguard/filter/config"
)

type nodeKind uint8

const (
	nullNode nodeKind = iota
	literalNode
	stringNode
	objectNode
	arrayNode
)

// node is a JSON value, or what YAML means for one, with its place.
type node struct {
	kind nodeKind
	// str is the value of a string, and the JSON text of a boolean or number.
	str      string
	in       *text
	at       int  // offset in the text
	whole    bool // it is the text, and that is JSON
	members  []member
	elements []*node
}

// member is a key of an object and its value. Keys may be there more than once.
type member struct {
	key   string
	keyAt int
	// converted: YAML has something else than a string for the key.
	converted bool
	value     *node
}

// get returns the value of the first of names that n has; of a key that is there more than once, the last. It returns nil where there is none.
func (n *node) get(names ...string) *node {
	if n == nil {
		return nil
	}
	for _, name := range names {
		for i := len(n.members) - 1; i >= 0; i-- {
			if n.members[i].key == name {
				return n.members[i].value
			}
		}
	}
	return nil
}

// down goes down by keys. Protobuf's JSON knows two spellings of a key: each is given as name_of_key, and nameOfKey is tried too.
func (n *node) down(keys ...string) *node {
	for _, key := range keys {
		n = n.get(key, camel(key))
	}
	return n
}

// text returns the string that n is, "" where it is none.
func (n *node) text() string {
	if n == nil || n.kind != stringNode {
		return ""
	}
	return n.str
}

// is reports whether n is the boolean or number that JSON writes as literal.
func (n *node) is(literal string) bool { return n != nil && n.kind == literalNode && n.str == literal }

// list returns the elements of n.
func (n *node) list() []*node {
	if n == nil {
		return nil
	}
	return n.elements
}

// camel turns snake_case into camelCase.
func camel(key string) string {
	words := strings.Split(key, "_")
	for i := 1; i < len(words); i++ {
		if words[i] != "" {
			words[i] = strings.ToUpper(words[i][:1]) + words[i][1:]
		}
	}
	return strings.Join(words, "")
}

var errTooLong = errors.New("is longer than a policy can be")

// appendJSON appends the JSON text of n, all keys in their order and however often they are there.
func (n *node) appendJSON(out []byte) ([]byte, error) {
	if len(out) > config.MaxBytes {
		return out, errTooLong
	}
	var err error
	switch n.kind {
	case nullNode:
		return append(out, "null"...), nil
	case literalNode:
		return append(out, n.str...), nil
	case stringNode:
		return appendString(out, n.str), nil
	case objectNode:
		out = append(out, '{')
		for i := range n.members {
			if i > 0 {
				out = append(out, ", "...)
			}
			out = append(appendString(out, n.members[i].key), ": "...)
			if out, err = n.members[i].value.appendJSON(out); err != nil {
				return out, err
			}
		}
		return append(out, '}'), nil
	}
	out = append(out, '[')
	for i, e := range n.elements {
		if i > 0 {
			out = append(out, ", "...)
		}
		if out, err = e.appendJSON(out); err != nil {
			return out, err
		}
	}
	return append(out, ']'), nil
}

func appendString(out []byte, s string) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string has a JSON text
	return append(out, strings.TrimSuffix(b.String(), "\n")...)
}

// index notes the places of n and of all below it by their paths, as package config writes them. The place of a member is that of its key. What is nested deeper than a policy may
// be has none.
func (n *node) index(places map[string]int, path string, depth int) {
	if depth > config.MaxDepth {
		return
	}
	for i := range n.members {
		m := &n.members[i]
		at := config.Key(path, m.key)
		places[at] = m.keyAt
		m.value.index(places, at, depth+1)
	}
	for i, e := range n.elements {
		at := config.Element(path, i)
		places[at] = e.at
		e.index(places, at, depth+1)
	}
}
