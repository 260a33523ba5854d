package document

import (
	"fmt"
	"slices"
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
	"corsguard/filter/fetch"
)

// search goes through the documents of a file.
type search struct {
	file     *text
	number   int // of the document; 0 where there is but one
	kind     Kind
	resource string // the resource of Kubernetes that the search is in, such as "EnvoyFilter default/cors"
	listener string
	depth    int // of texts within texts

	policies []Policy
	findings []finding.Finding
	// gateway: an EnvoyProxy puts Wasm first. atGateway are the findings that there are if none does.
	gateway   bool
	atGateway []finding.Finding
}

// finish adds what can be told only once all documents are known.
func (s *search) finish() {
	if !s.gateway {
		s.findings = append(s.findings, s.atGateway...)
	}
}

// document looks for policies in a document, or a resource in a list.
func (s *search) document(n *node) {
	s.kind, s.resource, s.listener = Envoy, "", ""
	switch {
	case n.get("apiVersion").text() != "" && n.get("kind").text() != "":
		s.kubernetes(n)
	case looksBare(n, s.number == 0):
		s.kind = Bare
		if s.number > 0 {
			s.resource = fmt.Sprintf("document %d", s.number)
		}
		if name := s.name(""); n.whole {
			s.fromText(n.in, name)
		} else {
			s.fromNode(n, n, name)
		}
	default:
		s.filterOr(n)
	}
}

// name returns the name of a policy of a filter.
func (s *search) name(filter string) string {
	var parts []string
	if s.resource != "" {
		parts = append(parts, s.resource)
	}
	if s.listener != "" {
		parts = append(parts, "listener "+s.listener)
	}
	if filter != "" {
		parts = append(parts, "filter "+filter)
	}
	return strings.Join(parts, ", ")
}

func (s *search) add(rule *finding.Rule, at *node, document, message, fix string) *finding.Finding {
	place := at.in.place(at.at)
	place.Document = document
	s.findings = append(s.findings, finding.New(rule, place, message, fix))
	return &s.findings[len(s.findings)-1]
}

// fromNode adds a policy that is written as an object. It is at the place of at, where it has none itself.
func (s *search) fromNode(n, at *node, name string) {
	p := Policy{Name: name, Kind: s.kind, in: at.in, at: at.at}
	if n != nil {
		out, err := n.appendJSON(nil)
		if err != nil {
			s.add(structConfiguration, n, name, err.Error(), "write fewer patterns, with wildcards")
			return
		}
		p.JSON, p.at, p.places, p.paths = out, n.at, map[string]int{}, asksForPaths(n)
		n.index(p.places, "", 0)
		s.checkKeys(n, name)
	}
	s.policies = append(s.policies, p)
}

// fromText adds a policy that is the text t. It begins at its first character that is no white space, or where it is no JSON, where that ends.
func (s *search) fromText(t *text, name string) {
	p := Policy{Name: name, Kind: s.kind, JSON: []byte(t.data), in: t}
	if n, err := parseJSON(t); err != nil {
		p.at, p.syntax = err.offset, err.Reason
	} else {
		p.at, p.places, p.paths = n.at, map[string]int{}, asksForPaths(n)
		n.index(p.places, "", 0)
	}
	s.policies = append(s.policies, p)
}

// checkKeys finds keys that are no strings in YAML.
func (s *search) checkKeys(n *node, name string) {
	for i := range n.members {
		m := &n.members[i]
		if m.converted {
			written := fetch.Quoted(m.key, 60)
			s.add(noString, &node{in: n.in, at: m.keyAt}, name, "a key is no string: tools make "+written+" of it", "put it in quotes")
		}
		s.checkKeys(m.value, name)
	}
	for _, e := range n.elements {
		s.checkKeys(e, name)
	}
}

// strongKeys are keys of a policy that tell what it is. A policy may have the others beside them.
var (
	strongKeys = []string{"cors", "rules", "isolation", "securityHeaders", "fetchMetadata"}
	otherKeys  = []string{"mode", "log"}
)

// looksBare reports whether a document is to be a policy. Where the file has no other, it may have typing mistakes in its keys: the plugin then says which.
func looksBare(n *node, alone bool) bool {
	if n.kind != objectNode {
		return false
	}
	known := 0
	for i := range n.members {
		key := n.members[i].key
		if alone && resembles(key) {
			return true
		}
		if slices.Contains(strongKeys, key) || slices.Contains(otherKeys, key) {
			known++
		}
	}
	return known == len(n.members) && (alone || known > 0) || isPolicy(n)
}

// resembles reports whether key is one of a policy, but for case and a typing mistake or two. Of a cors block, allowOrigins is one that is put in the wrong place.
func resembles(key string) bool {
	for _, name := range append([]string{"allowOrigins"}, strongKeys...) {
		if fetch.EditDistance(fetch.Lower(key), fetch.Lower(name), len(name)/4) <= len(name)/4 {
			return true
		}
	}
	return false
}

// isPolicy reports whether a plugin's configuration is one of Corsguard's, by its keys. Other plugins have rules too.
func isPolicy(n *node) bool {
	for _, key := range strongKeys {
		value := n.get(key)
		switch {
		case value == nil:
		case key != "rules":
			return true
		case value.kind == arrayNode && len(value.elements) > 0 && value.elements[0].get("match") != nil:
			return true
		}
	}
	return false
}
