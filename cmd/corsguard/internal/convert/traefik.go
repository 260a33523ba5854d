package convert

import (
	"strconv"
	"strings"
)

// Traefik 3.5, headers middleware (docs: routing, HTTP headers; pkg/middlewares/headers/header.go). Its Go module is not among this one's, since its module graph is
// large: the documented keys stand below. Origins are compared to the letter; * is sent as it is, so that browsers refuse it with credentials (later versions answer the
// origin then). Expressions are Go's, searched for anywhere. Lists are sent as they are. The time is always sent, 0 where none is written. Which requests a middleware
// is for is with the routers.

const (
	traefikOrigins     = "accessControlAllowOriginList"
	traefikExpressions = "accessControlAllowOriginListRegex"
)

var traefikKeys = []string{
	"accessControlAllowCredentials", "accessControlAllowHeaders", "accessControlAllowMethods", traefikOrigins, traefikExpressions, "accessControlExposeHeaders", "accessControlMaxAge",
}

func isTraefik(n *node) bool {
	return len(traefikMiddlewares(n)) > 0
}

// middleware is a headers middleware, its keys in any case.
type middleware struct {
	name    string
	headers *node
}

// traefikMiddlewares returns the middlewares in n that set something of CORS.
func traefikMiddlewares(n *node) []middleware {
	var all []middleware
	add := func(name string, headers *node) {
		for _, key := range headers.keysOf() {
			if strings.HasPrefix(plain(key), "accesscontrol") {
				all = append(all, middleware{name, headers})
				return
			}
		}
	}
	switch {
	case n.get("kind").str() == "Middleware":
		add(objectName(n), n.dig("spec", "headers"))
	case n.dig("http", "middlewares") != nil:
		list := n.dig("http", "middlewares")
		for i, name := range list.keys {
			add(name, list.values[i].get("headers"))
		}
	default:
		traefikLabels(n, add)
		add("", n.get("headers"))
		add("", n)
	}
	return all
}

// traefikLabels finds labels, of a service in a Compose file or alone.
func traefikLabels(n *node, add func(string, *node)) {
	found := map[string]*node{}
	var order []string
	var walk func(*node)
	label := func(at *node, key, value string) {
		const before, between = "traefik.http.middlewares.", ".headers."
		rest, ok := strings.CutPrefix(strings.ToLower(key), before)
		name, option, isHeaders := strings.Cut(rest, between)
		if !ok || !isHeaders {
			return
		}
		m := found[name]
		if m == nil {
			m = &node{kind: objectNode, file: at.file, line: at.line, column: at.column, path: at.path}
			found[name] = m
			order = append(order, name)
		}
		option, _, _ = strings.Cut(option, "[")
		v := *at
		v.kind, v.text = textNode, value
		if old := m.get(option); old != nil {
			old.text += "," + value
			return
		}
		m.add(option, &v, at.place())
	}
	walk = func(n *node) {
		if n == nil {
			return
		}
		for i, key := range n.keys {
			if v := n.values[i]; v.kind == textNode || v.kind == boolNode || v.kind == numberNode {
				label(v, key, v.text)
			}
			walk(n.values[i])
		}
		for _, item := range n.items {
			if key, value, ok := strings.Cut(item.str(), "="); ok {
				label(item, key, value)
			}
			walk(item)
		}
	}
	walk(n)
	for _, name := range order {
		add(name, found[name])
	}
}

func (c *converter) traefik(docs []*node) {
	var all []middleware
	for _, doc := range docs {
		all = append(all, traefikMiddlewares(doc)...)
	}
	for _, m := range all {
		c.add(scopeUnknown, m.headers, "which requests the middleware is for is said by routers, which are not converted; its policy is a configuration of its own, for all requests",
			"put it in front of those routers' services alone, or make a rule of it with their hosts and paths")
		c.finish(m.headers, m.name, []scope{{name: "all", at: m.headers, grant: c.traefikGrant(m.headers)}})
	}
}

func (c *converter) traefikGrant(n *node) *grant {
	for i, key := range n.keys {
		known := false
		for _, k := range traefikKeys {
			known = known || plain(k) == plain(key)
		}
		if !known && strings.HasPrefix(plain(key), "accesscontrol") {
			c.addAt(unknownKey, n.keyAt[i], "the key "+strconv.Quote(key)+" is not known", "look whether it is spelled right")
		}
	}
	age := int64(0)
	s := &settings{at: n, starSent: true, maxAge: &age}
	credentials := n.fold("accessControlAllowCredentials")
	s.credentials = credentials.isTrue() || strings.EqualFold(credentials.str(), "true")
	if v, at := c.seconds(n.fold("accessControlMaxAge")); v != nil {
		s.maxAge, s.maxAgeAt = v, at
	}
	traefikAllowed(s, n)
	s.methods = traefikNames(n.fold("accessControlAllowMethods"), n)
	s.headers = traefikNames(n.fold("accessControlAllowHeaders"), n)
	s.expose = traefikNames(n.fold("accessControlExposeHeaders"), n)
	if custom := n.fold("customResponseHeaders"); custom != nil {
		for i, key := range custom.keys {
			if strings.HasPrefix(strings.ToLower(key), "access-control-") {
				c.addAt(settingLost, custom.keyAt[i], strconv.Quote(key)+" is set as a header of its own; Corsguard removes it, and the policy does not have it", "write what it is meant to grant into the policy")
			}
		}
	}
	c.once(upstreamHeaders, n, "CORS headers of the upstream are removed, of refused origins too", `write "upstreamHeaders": "keep" where services answer CORS themselves`)
	return c.grantOf(s)
}

func traefikAllowed(s *settings, n *node) {
	for _, item := range traefikList(n.fold(traefikOrigins)) {
		e := exactOrAny(item.text, item.at)
		s.origins = append(s.origins, e)
		if e.kind == anyOrigin { // what comes later is answered with * too, and so not with credentials
			return
		}
	}
	for _, item := range traefikList(n.fold(traefikExpressions)) {
		s.origins = append(s.origins, originEntry{searchOrigin, item.text, item.at})
	}
}

// traefikList reads a list, or a string with commas, as labels write it.
func traefikList(n *node) []named {
	var out []named
	for _, item := range n.list() {
		if t := strings.TrimSpace(item.str()); t != "" {
			out = append(out, named{t, item})
		}
	}
	if n.is(textNode) {
		for _, t := range strings.Split(n.text, ",") {
			if t = strings.TrimSpace(t); t != "" {
				out = append(out, named{t, n})
			}
		}
	}
	return out
}

func traefikNames(n, at *node) names {
	list := names{at: at}
	if n != nil {
		list.at = n
	}
	for _, item := range traefikList(n) {
		if item.text == "*" {
			list.star = sentStar
			continue
		}
		list.names = append(list.names, item)
	}
	return list
}
