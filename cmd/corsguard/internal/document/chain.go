package document

import (
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
)

// refusing are the HTTP filters that refuse requests by themselves, by the names that Envoy has for them.
var refusing = []string{"jwt_authn", "ext_authz", "oauth2", "basic_auth", "api_key_auth", "rbac", "csrf", "ratelimit", "local_ratelimit"}

// chain looks at the filters of an HTTP connection manager.
func (s *search) chain(manager, chain *node) {
	var before []string // refusing filters so far
	var ours []*node
	native := -1
	for i, filter := range chain.elements {
		name := filter.get("name").text()
		typed := filter.down("typed_config")
		policies := len(s.policies)
		if wasm, isWasm := wasmOf(typed); isWasm {
			if !s.wasm(wasm, name) {
				continue
			}
			ours = append(ours, filter)
			if len(before) > 0 {
				s.add(behindFilter, filter, s.name(name), "stands behind "+strings.Join(before, ", "), "move the filter to the front of http_filters")
			}
			s.normalization(manager, filter, s.name(name), policies)
			if native >= 0 {
				s.add(nativeFilter, chain.elements[native], s.name(name), "stands before the plugin, and answers preflights where its policy has one", "take it out")
			}
			continue
		}
		s.filterOr(filter) // it may wrap others
		what := kindOfFilter(name, typed)
		if what == "cors" && native < 0 {
			if native = i; len(ours) > 0 {
				s.add(nativeFilter, filter, s.name(name), "stands behind the plugin, whose headers win", "take it out").Severity = finding.Note
			}
		}
		for _, kind := range refusing {
			if what == kind {
				before = append(before, kind)
			}
		}
	}
}

// kindOfFilter returns what Envoy calls a filter, such as jwt_authn, by its type, or its name.
func kindOfFilter(name string, typed *node) string {
	const types, names = "envoy.extensions.filters.http.", "envoy.filters.http."
	if _, rest, ok := strings.Cut(typeOf(typed), types); ok {
		kind, _, _ := strings.Cut(rest, ".")
		return kind
	}
	kind, _ := strings.CutPrefix(name, names)
	return kind
}

// normalization looks whether paths are normalized before rules that ask for them.
func (s *search) normalization(manager, filter *node, name string, from int) {
	asks := false
	for i := from; i < len(s.policies); i++ {
		asks = asks || s.policies[i].paths
	}
	if !asks {
		return
	}
	var missing []string
	if !manager.down("normalize_path").is("true") {
		missing = append(missing, "normalize_path: true")
	}
	if !manager.down("merge_slashes").is("true") {
		missing = append(missing, "merge_slashes: true")
	}
	switch manager.down("path_with_escaped_slashes_action").text() {
	case "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD", "REJECT_REQUEST":
	default:
		missing = append(missing, "path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT")
	}
	if len(missing) > 0 {
		s.add(pathsNotNormalized, filter, name, "rules look at paths, and the connection manager leaves paths as they come", "add to the connection manager "+strings.Join(missing, ", "))
	}
}

// asksForPaths reports whether a rule of the policy n has paths. The prefix of all is as good as none.
func asksForPaths(n *node) bool {
	for _, rule := range n.get("rules").list() {
		for _, path := range rule.get("match").get("paths").list() {
			if path.get("prefix").text() != "/" {
				return true
			}
		}
	}
	return false
}
