package document

import (
	"encoding/base64"
	"strings"
)

const wasmType = "envoy.extensions.filters.http.wasm.v3.Wasm"

// envoy looks for the plugin in Envoy's configuration, or any part of it.
func (s *search) envoy(n *node) {
	if wasm, isWasm := wasmOf(n); isWasm {
		s.wasm(wasm, "")
		return
	}
	listener := s.listener
	if name := n.get("name").text(); name != "" && (n.down("filter_chains") != nil || n.down("default_filter_chain") != nil || strings.HasSuffix(n.get("@type").text(), ".Listener")) {
		s.listener = name
	}
	chain := n.down("http_filters")
	switch {
	case chain != nil && chain.kind == arrayNode:
		s.chain(n, chain)
	default:
		chain = nil
	}
	for i := range n.members {
		if value := n.members[i].value; value != chain {
			s.filterOr(value)
		}
	}
	for _, e := range n.elements {
		s.filterOr(e)
	}
	s.listener = listener
}

// filterOr looks at n, which may be an HTTP filter or an extension with a name of its own.
func (s *search) filterOr(n *node) {
	if typed := n.down("typed_config"); typed != nil {
		if wasm, isWasm := wasmOf(typed); isWasm {
			s.wasm(wasm, n.get("name").text())
			return
		}
	}
	s.envoy(n)
}

// wasmOf returns the configuration of a Wasm filter, be it typed or in a TypedStruct, and reports whether typed is one.
func wasmOf(typed *node) (wasm *node, isWasm bool) {
	switch url := typeOf(typed); {
	case strings.HasSuffix(url, wasmType) && isTypedStruct(typed):
		return typed.get("value"), typed.get("value") != nil
	case strings.HasSuffix(url, wasmType):
		return typed, true
	}
	return nil, false
}

func isTypedStruct(typed *node) bool {
	return strings.HasSuffix(typed.get("@type").text(), ".TypedStruct")
}

// typeOf returns the type of a message.
func typeOf(typed *node) string {
	if isTypedStruct(typed) {
		return typed.down("type_url").text()
	}
	return typed.get("@type").text()
}

// isOurs reports whether a name or a path of a plugin says that it is Corsguard.
func isOurs(names ...string) bool {
	for _, name := range names {
		if strings.Contains(strings.ToLower(name), "corsguard") {
			return true
		}
	}
	return false
}

// wasm looks at the configuration of a Wasm filter, and reports whether it is Corsguard's.
func (s *search) wasm(wasm *node, filter string) bool {
	c := wasm.get("config")
	configured := c.get("configuration")
	vm := c.down("vm_config")
	code := vm.get("code")
	ours := isOurs(filter, c.get("name").text(), c.down("root_id").text(), vm.down("vm_id").text(), code.down("local", "filename").text(), code.down("remote", "http_uri", "uri").text())
	if filter == "" {
		filter = c.get("name").text()
	}
	before := len(s.policies)
	s.configuration(configured, wasm, s.name(filter), ours)
	if !ours && len(s.policies) == before {
		return false
	}
	if c.down("fail_open").is("true") || c.down("failure_policy").text() == "FAIL_OPEN" || c.down("failure_policy").is("3") {
		at := c.down("failure_policy")
		if at == nil {
			at = c.down("fail_open")
		}
		s.add(failsOpen, at, s.name(filter), "the plugin is passed by while it does not run", "write failure_policy: FAIL_RELOAD")
	}
	return true
}

// configuration adds the policy that the configuration of a Wasm filter, a message in an Any, holds.
func (s *search) configuration(c, wasm *node, name string, ours bool) {
	if c == nil {
		if ours {
			s.fromNode(nil, wasm, name)
		}
		return
	}
	value := c.get("value")
	switch typ := c.get("@type").text(); {
	case strings.HasSuffix(typ, "google.protobuf.StringValue") && value != nil && value.kind == stringNode:
		s.string(value, name, ours)
	case strings.HasSuffix(typ, "google.protobuf.BytesValue") && value != nil && value.kind == stringNode:
		decoded, err := base64.StdEncoding.DecodeString(value.str)
		if err != nil {
			decoded, err = base64.URLEncoding.DecodeString(value.str)
		}
		if err == nil {
			s.textIfOurs(value.in.fixedAt(value.at, string(decoded)), name, ours)
		} else if ours {
			s.add(structConfiguration, value, name, "the BytesValue is not in base64", "write a google.protobuf.StringValue")
		}
	default:
		policy := value
		if policy == nil {
			policy = c
		}
		if !ours && !isPolicy(policy) {
			return
		}
		what := "is no google.protobuf.StringValue"
		if strings.HasSuffix(typ, "google.protobuf.Struct") {
			what = "is a google.protobuf.Struct, which reaches the plugin as protobuf bytes"
		}
		s.add(structConfiguration, c, name, "configuration "+what, `write "@type": type.googleapis.com/google.protobuf.StringValue, and in value the policy as JSON text`)
		if value != nil && value.kind == objectNode {
			s.fromNode(value, value, name)
		}
	}
}

// string adds the policy that is in a string.
func (s *search) string(n *node, name string, ours bool) {
	s.textIfOurs(n.in.within(n.at, n.str), name, ours)
}

func (s *search) textIfOurs(t *text, name string, ours bool) {
	if !ours {
		if n, err := parseJSON(t); err != nil || !isPolicy(n) {
			return
		}
	}
	s.fromText(t, name)
}
