package convert

import (
	"cmp"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"corsguard/cmd/corsguard/internal/finding"
)

// Gateway API 1.5, HTTPRoute (apis/v1/httproute_types.go). Origins: * alone is any origin; *. in a host is any number of labels, at least one; ports are the schemes'
// defaults where none is written. With credentials, * in lists is answered as asked. maxAge is 5 where none is written. Of the matches of all routes for a host, the more
// specific one wins: exact paths, then the longer prefix, then those with a method, then with more headers, then with more query parameters, then the order of routes by
// age, which no file tells, and by name. Prefixes are of whole segments.

func isHTTPRoute(n *node) bool { return n.get("kind").str() == "HTTPRoute" }

// rankedScope is a scope with what decides its place.
type rankedScope struct {
	scope
	kind, length, method, headers, query int

	owner *node
}

func (c *converter) gatewayAPI(docs []*node) {
	byHost := map[string][]rankedScope{}
	ats := map[string]*node{}
	var hosts []string
	routes := 0
	for _, doc := range docs {
		if !isHTTPRoute(doc) {
			continue
		}
		routes++
		ranked := c.httpRoute(doc)
		names := doc.dig("spec", "hostnames").list()
		if len(names) == 0 {
			names = []*node{{kind: textNode, text: "*", file: doc.file, line: doc.line, column: doc.column}}
			c.onceAs(scopeUnknown, finding.Warning, doc, "the route has no hostnames, so it is for those of its listeners, which are not in the file; it is converted for every host", "add the hostnames to the route, or see to it that the plugin sees no others")
		}
		for _, h := range names {
			if ats[h.text] == nil {
				ats[h.text] = doc
				hosts = append(hosts, h.text)
			}
			byHost[h.text] = append(byHost[h.text], ranked...)
		}
	}
	if routes == 0 {
		c.invalid(docs[0], "there is no HTTPRoute", "")
		return
	}
	var vhosts []virtualHost
	for _, h := range hosts {
		vhosts = c.addVirtualHost(vhosts, ats[h], h, c.rank(byHost[h]))
	}
	c.finish(docs[0], "", c.flatten(vhosts))
}

// rank puts scopes into the order of precedence. Where two routes ask for the same, the order is not in the file.
func (c *converter) rank(all []rankedScope) []scope {
	slices.SortStableFunc(all, func(a, b rankedScope) int {
		return cmp.Or(b.kind-a.kind, b.length-a.length, b.method-a.method, b.headers-a.headers, b.query-a.query)
	})
	var out []scope
	for i := range all {
		s := all[i].scope
		for j := range all {
			if i != j && s.condition == "" && all[j].condition == "" && slices.Equal(all[i].paths, all[j].paths) && all[i].owner != all[j].owner && all[i].grant.key() != all[j].grant.key() {
				c.add(scopeConflict, s.at, "another HTTPRoute takes the same host and path, with another policy; nothing is granted for it", "give one of them a path of its own, or convert the routes of one listener alone")
				s.grant = nil
			}
		}
		out = append(out, s)
	}
	return out
}

func (c *converter) httpRoute(doc *node) []rankedScope {
	var out []rankedScope
	for _, rule := range doc.dig("spec", "rules").list() {
		g := c.corsFilter(rule)
		matches := rule.get("matches").list()
		if len(matches) == 0 {
			matches = []*node{nil}
		}
		for _, m := range matches {
			s := scope{name: objectName(doc) + "-" + rule.get("name").str() + m.dig("path", "value").str(), at: rule, grant: g}
			out = append(out, c.httpMatch(s, m, doc))
		}
	}
	return out
}

func (c *converter) httpMatch(s scope, m, doc *node) rankedScope {
	const exact, prefix = 2, 1
	path := m.get("path")
	value := path.get("value").str()
	if value == "" {
		value = "/"
	}
	r := rankedScope{kind: prefix, length: len(value), headers: len(m.get("headers").list()), query: len(m.get("queryParams").list()), owner: doc}
	var asks []string
	for _, key := range m.keysOf() {
		if key != "path" {
			asks = append(asks, key)
		}
	}
	if m.get("method") != nil {
		r.method = 1
	}
	s.condition = strings.Join(asks, " and ")
	switch kind := path.get("type").str(); kind {
	case "", "PathPrefix":
		r.scope = s.with(c.segmentPrefix(value))
	case "Exact":
		r.kind = exact
		r.scope = s.with(c.exactPath(value))
	default:
		r.kind = exact + 1 // it may come before all others
		r.scope = s.with(pathMatch{lost: "what a path of type " + kind + " matches depends on the implementation", fix: "write a rule by hand"})
	}
	return r
}

// corsFilter converts the filter of type CORS of a rule, nil where it has none.
func (c *converter) corsFilter(rule *node) *grant {
	for _, f := range rule.get("filters").list() {
		if f.get("type").str() == "CORS" {
			return c.httpCORS(f.get("cors"))
		}
	}
	return nil
}

func (c *converter) httpCORS(n *node) *grant {
	if !n.is(objectNode) {
		c.invalid(n, "a filter of type CORS needs cors", "")
		return nil
	}
	var f gatewayv1.HTTPCORSFilter
	if err := yaml.Unmarshal(n.JSON(), &f); err != nil {
		c.invalid(n, "is no HTTPCORSFilter: "+err.Error(), "")
		return nil
	}
	c.unknown(n, "allowOrigins", "allowCredentials", "allowMethods", "allowHeaders", "exposeHeaders", "maxAge")
	age := int64(f.MaxAge)
	if age == 0 {
		age = 5
	}
	s := &settings{at: n, credentials: f.AllowCredentials != nil && *f.AllowCredentials, maxAge: &age, maxAgeAt: n.get("maxAge")}
	for i, o := range f.AllowOrigins {
		s.origins = append(s.origins, gatewayOrigin(string(o), at(n.get("allowOrigins").list(), i, n)))
	}
	s.methods = gatewayNames(n.get("allowMethods"), n, s.credentials)
	s.headers = gatewayNames(n.get("allowHeaders"), n, s.credentials)
	if s.expose = listNames(n.get("exposeHeaders"), sentStar, true); s.expose.at == nil {
		s.expose.at = n
	}
	return c.grantOf(s)
}

// gatewayOrigin reads an origin. What has no port stands for the scheme's default, which Corsguard's https://* does not.
func gatewayOrigin(text string, n *node) originEntry {
	_, rest, _ := strings.Cut(text, "://")
	switch {
	case text == "*":
		return originEntry{anyOrigin, text, n}
	case strings.HasPrefix(rest, "*.") && !strings.Contains(rest[1:], "*"):
		return originEntry{patternOrigin, text, n}
	case rest == "*":
		return originEntry{anyHostOrigin, text, n}
	}
	return originEntry{exactOrigin, text, n}
}

// gatewayNames reads a list. Without credentials * may be sent as it is.
func gatewayNames(n, at *node, credentials bool) names {
	meaning := sentStar
	if credentials {
		meaning = echoStar
	}
	list := listNames(n, meaning, false)
	if list.at == nil {
		list.at = at
	}
	return list
}
