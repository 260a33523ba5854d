package convert

import (
	"regexp"
	"strconv"
	"strings"
)

// Kong Gateway 3.9, plugin cors (kong/plugins/cors/handler.lua, schema.lua). No origins, or * among them, is any origin, answered as it came with credentials. An entry
// of letters, digits and .:/- is compared as an origin, its default port left away, or if it is the only one is sent as it is. Another is an expression (PCRE) from the
// beginning to the end; without a colon in it, it is compared with the host alone. Without methods these are all; without headers those asked for are answered.
// With preflight_continue the upstream answers preflights, and Kong adds nothing to them.

var kongKeys = []string{
	"origins", "methods", "headers", "exposed_headers", "credentials", "max_age", "preflight_continue", "private_network", "allow_origin_absent",
}

const kongMethods = "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS" // and TRACE and CONNECT, which browsers forbid

func isKong(n *node) bool {
	return n.get("_format_version") != nil || (n.get("kind").str() == "KongPlugin" || n.get("kind").str() == "KongClusterPlugin") || isKongPlugin(n)
}

func isKongPlugin(n *node) bool { return n.get("name").str() == "cors" && n.get("config") != nil }

// kongPlugin is a cors plugin, and what it is for: everything, where that is empty.
type kongPlugin struct {
	at, config *node
	scope      string
}

func (c *converter) kong(docs []*node) {
	var found []kongPlugin
	for _, doc := range docs {
		switch {
		case doc.get("plugin").str() == "cors":
			scope := "what the annotation konghq.com/plugins names it for"
			if doc.dig("metadata", "labels", "global").str() == "true" {
				scope = ""
			}
			found = append(found, kongPlugin{doc, doc.get("config"), scope})
		case isKongPlugin(doc):
			found = append(found, kongPlugin{doc, doc.get("config"), kongRefs(doc)})
		default:
			kongPlugins(doc, "", &found)
		}
	}
	for _, p := range found {
		if p.at.get("enabled").is(boolNode) && !p.at.get("enabled").isTrue() || p.at.get("disabled").isTrue() {
			c.add(notInForce, p.at, "the plugin is switched off, and is left out", "")
			continue
		}
		if p.scope != "" || len(found) > 1 {
			scope := p.scope
			if scope == "" {
				scope = "everything that no narrower one is for"
			}
			c.add(scopeUnknown, p.at, "the plugin is for "+scope+"; its policy is a configuration of its own, for all requests", "put the configuration in front of that alone, or make a rule of it with its hosts and paths")
		}
		c.finish(p.at, p.scope, []scope{{name: "all", at: p.at, grant: c.kongGrant(p.config, p.at)}})
	}
}

func kongRefs(p *node) string {
	var refs []string
	for _, key := range []string{"service", "route", "consumer", "consumer_group"} {
		if ref := p.get(key); ref != nil && ref.kind != nullNode {
			refs = append(refs, key+" "+ref.str()+ref.get("name").str()+ref.get("id").str())
		}
	}
	return strings.Join(refs, ", ")
}

// kongPlugins finds plugins in declarative configuration.
func kongPlugins(n *node, scope string, found *[]kongPlugin) {
	for _, p := range n.get("plugins").list() {
		if p.get("name").str() == "cors" {
			refs := kongRefs(p)
			if refs == "" {
				refs = scope
			}
			*found = append(*found, kongPlugin{p, p.get("config"), refs})
		}
	}
	for _, key := range []string{"service", "route", "consumer"} {
		for _, inner := range n.get(key + "s").list() {
			kongPlugins(inner, key+" "+inner.get("name").str(), found)
		}
	}
}

func (c *converter) kongGrant(n, plugin *node) *grant {
	if n == nil || n.is(nullNode) {
		n = &node{kind: objectNode, file: plugin.file, line: plugin.line, column: plugin.column, path: plugin.path}
	}
	if !n.is(objectNode) {
		c.invalid(n, "config must be an object", "")
		return nil
	}
	c.unknown(n, kongKeys...)
	s := &settings{at: n, credentials: n.get("credentials").isTrue(), privateNetwork: n.get("private_network").isTrue()}
	c.kongOrigins(s, n)
	if s.methods = listNames(n.get("methods"), noStar, false); len(s.methods.names) == 0 {
		s.methods = fixed(n, strings.Split(kongMethods, ",")...)
	}
	if s.headers = listNames(n.get("headers"), sentStar, true); len(s.headers.names) == 0 && s.headers.star == noStar {
		s.headers = names{at: n, star: echoStar}
	}
	s.expose = listNames(n.get("exposed_headers"), sentStar, true)
	s.maxAge, s.maxAgeAt = c.seconds(n.get("max_age"))
	if p := n.get("preflight_continue"); p.isTrue() {
		c.lost(p, "the upstream answers preflights in the source; here the policy does, for GET, HEAD, POST and safelisted headers alone", "write into allowMethods and allowHeaders what the upstream allows")
		s.methods, s.headers, s.maxAge = names{at: n}, names{at: n}, nil
		s.refusedPreflight = "forward"
	}
	return c.grantOf(s)
}

var kongPlain = regexp.MustCompile(`^[A-Za-z0-9.:/-]+$`)

func (c *converter) kongOrigins(s *settings, n *node) {
	list := n.get("origins")
	if list != nil && !list.is(listNode) && !list.is(nullNode) {
		c.invalid(list, "origins must be a list", "")
		return
	}
	if len(list.list()) == 0 {
		s.origins = []originEntry{{anyOrigin, "*", n}}
		return
	}
	for _, item := range list.items {
		text := item.str()
		switch {
		case text == "*": // with credentials the origin is answered as it came, whichever it is
			s.origins = append(s.origins, originEntry{anyOrigin, "*", item})
		case kongPlain.MatchString(text) && len(list.items) > 1:
			s.origins = append(s.origins, originEntry{exactOrigin, withoutDefaultPort(text), item})
		case kongPlain.MatchString(text):
			s.origins = append(s.origins, originEntry{exactOrigin, text, item})
		case !strings.Contains(text, ":"):
			c.add(originNarrowed, item, strconv.Quote(text)+" is compared with the host alone, whatever the scheme and port; only https at its default port is kept", "write another pattern for http or other ports")
			s.origins = append(s.origins, originEntry{regexOrigin, "https://(?:" + unanchored(text) + ")", item})
		default:
			s.origins = append(s.origins, originEntry{regexOrigin, text, item})
		}
	}
}

func withoutDefaultPort(text string) string {
	if strings.HasPrefix(text, "https://") {
		return strings.TrimSuffix(text, ":443")
	}
	if strings.HasPrefix(text, "http://") {
		return strings.TrimSuffix(text, ":80")
	}
	return text
}
