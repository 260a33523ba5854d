package convert

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Spring's CorsConfiguration, Spring Framework 6.2, as Spring Cloud Gateway 4.2 reads it for globalcors and for routes' metadata, keyed by paths. What is not set
// allows nothing: no origin, no header; methods are GET and HEAD then. Refused origins, methods and headers get 403. allowedOrigins are compared as wholes but for a
// slash at their end, in any case; * with credentials makes Spring throw, and so does it with private networks. In allowedOriginPatterns each * stands for any
// characters, [8080,8081] for ports and [*] for any or none. Headers and methods are answered as asked.

var springKeys = []string{"allowedOrigins", "allowedOriginPatterns", "allowedMethods", "allowedHeaders", "exposedHeaders", "allowCredentials", "allowPrivateNetwork", "maxAge"}

// springRoot returns the object whose keys are paths, or that has the keys of a CorsConfiguration itself.
func springRoot(n *node) *node {
	for _, path := range [][]string{
		{"spring", "cloud", "gateway", "server", "webflux", "globalcors"}, {"spring", "cloud", "gateway", "globalcors"}, {"spring", "cloud", "gateway", "globalCors"}, {"globalcors"},
	} {
		if found := n.dig(path...); found != nil {
			return found
		}
	}
	return n
}

func springPaths(n *node) *node {
	root := springRoot(n)
	if paths := root.fold("corsConfigurations"); paths != nil {
		return paths
	}
	return root
}

func isSpring(n *node) bool {
	if springRoot(n) != n || n.fold("corsConfigurations") != nil {
		return true
	}
	if n.get("apiVersion", "kind") != nil || isGoStyle(n) {
		return false
	}
	if n.fold("allowedOriginPatterns") != nil || n.fold("allowedOrigins") != nil && n.fold("optionsPassthrough") == nil {
		return true
	}
	return n.is(objectNode) && len(n.keys) > 0 && strings.HasPrefix(trimBrackets(n.keys[0]), "/")
}

// trimBrackets returns a key of a map as Spring Boot reads it: in brackets it is taken as it is.
func trimBrackets(key string) string {
	return strings.TrimSuffix(strings.TrimPrefix(key, "["), "]")
}

func (c *converter) spring(docs []*node) {
	var scopes []scope
	for _, doc := range docs {
		if root := springRoot(doc); root != doc {
			c.unknownFold(root, "corsConfigurations", "addToSimpleUrlHandlerMapping")
		}
		paths := springPaths(doc)
		switch {
		case !paths.is(objectNode):
			c.invalid(paths, "must be an object of paths", "")
		case len(paths.keys) > 0 && !strings.HasPrefix(trimBrackets(paths.keys[0]), "/"):
			scopes = append(scopes, scope{name: "all", at: paths, grant: c.springGrant(paths)})
		default:
			for i, key := range paths.keys { // the first path that fits decides
				scopes = append(scopes, c.springScope(trimBrackets(key), paths.values[i]))
			}
		}
	}
	c.finish(docs[0], "", scopes)
}

func (c *converter) springScope(path string, n *node) scope {
	s := scope{name: path, at: n, grant: c.springGrant(n)}
	below, isBelow := strings.CutSuffix(path, "/**")
	const wild = `*?{}\`
	switch {
	case path == "/**" || path == "**":
		s.name = "all"
		return s
	case isBelow && !strings.ContainsAny(below, wild):
		return s.with(c.segmentPrefix(below))
	case !strings.ContainsAny(path, wild):
		return s.with(c.exactPath(path))
	case strings.ContainsAny(path, `{}\`) || strings.Contains(below, "**"):
		return s.with(pathMatch{lost: "the path pattern " + strconv.Quote(path) + " cannot be said", fix: "write a rule by hand"})
	}
	expression := regexp.QuoteMeta(below)
	expression = strings.ReplaceAll(expression, `/\*/`, `/[^/]+/`)
	if strings.HasSuffix(expression, `/\*`) {
		expression = strings.TrimSuffix(expression, `\*`) + "[^/]+"
	}
	expression = strings.ReplaceAll(strings.ReplaceAll(expression, `/\*/`, `/[^/]+/`), `\*`, "[^/]*")
	expression = strings.ReplaceAll(expression, `\?`, "[^/]")
	if isBelow {
		expression += "(/.*)?"
	}
	return s.with(c.regexPath(path, expression))
}

func (c *converter) springGrant(n *node) *grant {
	if !n.is(objectNode) {
		c.invalid(n, "must be an object with the keys of a CorsConfiguration", "")
		return nil
	}
	c.unknownFold(n, springKeys...)
	const deny = "deny"
	s := &settings{at: n, checksMethods: true, refusedPreflight: deny, refusedOrigin: deny}
	s.credentials = c.springBool(n.fold("allowCredentials"))
	s.privateNetwork = c.springBool(n.fold("allowPrivateNetwork"))
	for _, item := range springList(n.fold("allowedOrigins")) {
		text := strings.TrimSuffix(item.text, "/")
		switch {
		case text == "*" && (s.credentials || s.privateNetwork):
			c.invalid(item.at, "* with credentials or private networks: Spring throws at every such request, so nothing is granted", "list the origins, or use allowedOriginPatterns")
			return nil
		case text == "*":
			s.origins = append(s.origins, originEntry{anyOrigin, "*", item.at})
		default:
			s.origins = append(s.origins, originEntry{exactOrigin, strings.ToLower(text), item.at})
		}
	}
	for _, item := range springList(n.fold("allowedOriginPatterns")) {
		s.origins = append(s.origins, springPattern(item)...)
	}
	s.methods = springNames(n.fold("allowedMethods"), n)
	if len(s.methods.names) == 0 && s.methods.star == noStar {
		s.methods = fixed(n, "GET", "HEAD")
	}
	s.headers = springNames(n.fold("allowedHeaders"), n)
	s.expose = springNames(n.fold("exposedHeaders"), n)
	s.maxAge, s.maxAgeAt = c.springSeconds(n.fold("maxAge"))
	return c.grantOf(s)
}

func (c *converter) springBool(n *node) bool {
	return n.isTrue() || n.is(textNode) && strings.EqualFold(n.text, "true")
}

// springPattern reads an element of allowedOriginPatterns.
func springPattern(item named) []originEntry {
	text := strings.TrimSuffix(item.text, "/")
	before, ports, ok := strings.Cut(text, ":[")
	if !ok || !strings.HasSuffix(ports, "]") {
		return []originEntry{{globOrigin, text, item.at}}
	}
	ports = strings.TrimSuffix(ports, "]")
	if ports == "*" {
		return []originEntry{{patternOrigin, before + ":*", item.at}}
	}
	var entries []originEntry
	for _, port := range strings.Split(ports, ",") {
		entries = append(entries, originEntry{globOrigin, before + ":" + strings.TrimSpace(port), item.at})
	}
	return entries
}

// springList reads a list, or one string with commas, as Spring Boot does.
func springList(n *node) []named {
	var out []named
	add := func(at *node) {
		for _, t := range strings.Split(at.str(), ",") {
			if t = strings.TrimSpace(t); t != "" {
				out = append(out, named{t, at})
			}
		}
	}
	switch {
	case n.is(textNode):
		add(n)
	case n.is(listNode):
		for _, item := range n.items {
			if item.is(textNode) && strings.Contains(item.text, ":[") { // ports have commas too
				out = append(out, named{strings.TrimSpace(item.text), item})
				continue
			}
			add(item)
		}
	case n.is(objectNode): // a list as properties write it: 0, 1, …
		for _, v := range n.values {
			add(v)
		}
	}
	return out
}

func springNames(n, at *node) names {
	list := names{at: at}
	if n != nil {
		list.at = n
	}
	for _, item := range springList(n) {
		if item.text == "*" {
			list.star = echoStar
			continue
		}
		list.names = append(list.names, item)
	}
	return list
}

// springSeconds reads a number of seconds, or a duration as Spring Boot writes it.
func (c *converter) springSeconds(n *node) (*int64, *node) {
	if n.is(textNode) {
		if d, err := time.ParseDuration(n.text); err == nil {
			age := int64(d / time.Second)
			return &age, n
		}
	}
	return c.seconds(n)
}
