package convert

import (
	"regexp"
	"slices"
	"strings"
)

// isEnvoy reports whether n is a CorsPolicy, or holds something that may have one.
func isEnvoy(n *node) bool {
	if n.get("apiVersion") != nil {
		return false
	}
	if n.get("allow_origin_string_match", "allowOriginStringMatch", "filter_enabled", "filterEnabled") != nil || n.get("@type").str() == corsType {
		return true
	}
	return n.get("static_resources", "staticResources", "virtual_hosts", "virtualHosts", "filter_chains", "filterChains", "resources", "configs") != nil || n.get("domains") != nil && n.get("routes") != nil
}

// routeConfig is a route configuration, with the chain of the connection manager that holds it, nil where it stands alone.
type routeConfig struct {
	name  string
	n     *node
	chain *node
}

func (c *converter) envoy(docs []*node) {
	for _, doc := range docs {
		var found []routeConfig
		collect(doc, "", nil, &found)
		switch {
		case len(found) > 0:
			for _, r := range found {
				c.envoyRoutes(&r)
			}
		case doc.get("domains") != nil:
			c.finish(doc, "", c.flatten([]virtualHost{c.envoyHost(doc, nil, map[string]int{})}))
		default:
			policy := doc
			if inner := doc.get("cors", "typed_config", "typedConfig"); inner.is(objectNode) && len(doc.keys) <= 2 {
				policy = inner
			}
			if p := c.envoyPolicyOf(policy); p != nil {
				c.finish(doc, "", []scope{{name: "all", at: doc, grant: c.envoyGrant([]*envoyPolicy{p})}})
			}
		}
	}
}

// collect finds the route configurations below n: those of connection managers, and those that stand alone.
func collect(n *node, listener string, chain *node, found *[]routeConfig) {
	if n == nil {
		return
	}
	if vhosts := n.get("virtual_hosts", "virtualHosts"); vhosts.is(listNode) {
		name := n.get("name").str()
		if name == "" {
			name = listener
		}
		*found = append(*found, routeConfig{name, n, chain})
		return
	}
	if n.get("filter_chains", "filterChains", "default_filter_chain", "defaultFilterChain") != nil {
		listener = n.get("name").str()
	}
	if filters := n.get("http_filters", "httpFilters"); filters != nil {
		chain = filters
	}
	for _, v := range n.values {
		collect(v, listener, chain, found)
	}
	for _, v := range n.items {
		collect(v, listener, chain, found)
	}
}

func (c *converter) envoyRoutes(r *routeConfig) {
	if r.chain.is(listNode) && !hasNativeFilter(r.chain) {
		if hasPolicy(r.n) {
			c.add(notInForce, r.chain, "the filter chain has no envoy.filters.http.cors, so none of its policies is in force, and none is converted", "convert the route configuration alone if the filter is to be put there")
		}
		return
	}
	vhosts := r.n.get("virtual_hosts", "virtualHosts").list()
	routeNames := map[string]int{}
	for _, v := range vhosts {
		for _, route := range v.get("routes").list() {
			routeNames[route.get("name").str()]++
		}
	}
	outer := c.perFilter(r.n)
	var hosts []virtualHost
	for _, v := range vhosts {
		hosts = append(hosts, c.envoyHost(v, outer, routeNames))
	}
	if len(hosts) > 1 && slices.ContainsFunc(hosts, func(v virtualHost) bool { return slices.Contains(v.hosts, "*") }) {
		c.once(hostPort, vhosts[0].get("domains"), "a host takes requests with every port, which Envoy gives to the virtual host for * where the domain has none", "")
	}
	if vhds := r.n.get("vhds"); vhds != nil {
		c.lost(vhds, "virtual hosts that come by VHDS are not in the file", "convert a dump of the configuration in force")
	}
	c.finish(r.n, r.name, c.flatten(hosts))
}

func hasNativeFilter(chain *node) bool {
	for _, f := range chain.items {
		t := f.get("typed_config", "typedConfig").get("@type").str()
		if f.get("name").str() == "envoy.filters.http.cors" || strings.HasSuffix(t, "filters.http.cors.v3.Cors") || f.get("config_discovery", "configDiscovery") != nil {
			return true
		}
	}
	return false
}

// hasPolicy reports whether a CorsPolicy stands below n.
func hasPolicy(n *node) bool {
	if n == nil {
		return false
	}
	if n.get("@type").str() == corsType || n.get("cors").is(objectNode) {
		return true
	}
	for _, v := range append(append([]*node{}, n.values...), n.items...) {
		if hasPolicy(v) {
			return true
		}
	}
	return false
}

// layer is what one level of a route configuration says.
type layer struct {
	policy   *envoyPolicy
	disabled bool // the filter is switched off there, and below unless a policy switches it on
	broken   bool // it cannot be read, so nothing is granted
}

// perFilter reads the typed_per_filter_config of n.
func (c *converter) perFilter(n *node) *layer {
	configs := n.get("typed_per_filter_config", "typedPerFilterConfig")
	if !configs.is(objectNode) {
		return nil
	}
	for i, value := range configs.values {
		inner := value
		if strings.HasSuffix(value.get("@type").str(), "route.v3.FilterConfig") {
			if value.get("disabled").isTrue() && configs.keys[i] == "envoy.filters.http.cors" {
				return &layer{disabled: true}
			}
			inner = value.get("config")
		}
		if inner.get("@type").str() != corsType {
			continue
		}
		if p := c.envoyPolicyOf(inner); p != nil {
			return &layer{policy: p}
		}
		return &layer{broken: true}
	}
	return nil
}

// oldField reads the deprecated field cors.
func (c *converter) oldField(n *node) *layer {
	old := n.get("cors")
	if !old.is(objectNode) {
		return nil
	}
	if p := c.envoyPolicyOf(old); p != nil {
		return &layer{policy: p}
	}
	return &layer{broken: true}
}

// envoyHost reads a virtual host. The deprecated fields cors count where there is no policy by filter.
func (c *converter) envoyHost(v *node, outer *layer, routeNames map[string]int) virtualHost {
	host := virtualHost{at: v, name: v.get("name").str()}
	if host.name == "" {
		host.name = "host"
	}
	for _, d := range v.get("domains").list() {
		c.addHost(&host, d, d.str())
	}
	layers := []*layer{c.perFilter(v), outer}
	oldHost := c.oldField(v)
	if v.get("matcher") != nil {
		c.add(matchLost, v.get("matcher"), "a route matcher cannot be converted; nothing is granted for its hosts", "write rules by hand")
		return host
	}
	for _, route := range v.get("routes").list() {
		if route.get("match").get("connect_matcher", "connectMatcher") != nil {
			continue // pages cannot send CONNECT
		}
		host.scopes = append(host.scopes, c.envoyRoute(route, layers, oldHost, routeNames, host.name))
	}
	return host
}

func (c *converter) envoyRoute(route *node, layers []*layer, oldHost *layer, routeNames map[string]int, host string) scope {
	name := route.get("name").str()
	s := scope{name: name, at: route}
	if name == "" {
		s.name = host
	}
	action := route.get("route")
	if action != nil {
		all := append([]*layer{c.clusterLayer(action), c.perFilter(route)}, layers...)
		if !anyLayer(all) {
			all = []*layer{c.oldField(action), oldHost}
		}
		s.grant = c.layered(all)
	}
	s = c.envoyMatch(s, route.get("match"))
	if s.isLoose() && name != "" && routeNames[name] == 1 { // Envoy tells the route's name, so it does not have to be found out
		s.condition, s.lost, s.lostFix = "", "", ""
		s.paths, s.routes = nil, []string{name}
	}
	return s
}

func anyLayer(layers []*layer) bool {
	for _, l := range layers {
		if l != nil {
			return true
		}
	}
	return false
}

// layered merges layers, the nearest first.
func (c *converter) layered(layers []*layer) *grant {
	var policies []*envoyPolicy
	for _, l := range layers {
		switch {
		case l == nil:
			continue
		case l.broken, l.disabled && len(policies) == 0:
			return nil
		case l.policy != nil:
			policies = append(policies, l.policy)
		}
	}
	return c.envoyGrant(policies)
}

// clusterLayer looks for policies of weighted clusters, which are drawn per request.
func (c *converter) clusterLayer(action *node) *layer {
	for _, cluster := range action.get("weighted_clusters", "weightedClusters").get("clusters").list() {
		if hasPolicy(cluster.get("typed_per_filter_config", "typedPerFilterConfig")) {
			c.add(conditionalMatch, cluster, "a weighted cluster has a policy of its own, and which one is taken is drawn; nothing is granted for the route", "give all clusters the route's policy")
			return &layer{broken: true}
		}
	}
	return nil
}

var envoyPathKeys = []string{
	"prefix", "path", "safe_regex", "safeRegex", "path_separated_prefix", "pathSeparatedPrefix", "path_match_policy", "pathMatchPolicy",
	"case_sensitive", "caseSensitive",
}

// envoyMatch reads a RouteMatch.
func (c *converter) envoyMatch(s scope, m *node) scope {
	var asks []string
	for _, key := range m.keysOf() {
		if !contains(envoyPathKeys, key) {
			asks = append(asks, key)
		}
	}
	s.condition = strings.Join(asks, " and ")
	caseless := m.get("case_sensitive", "caseSensitive").is(boolNode) && !m.get("case_sensitive", "caseSensitive").isTrue()
	prefix, path, expression, segments := m.get("prefix"), m.get("path"), m.get("safe_regex", "safeRegex").get("regex"), m.get("path_separated_prefix", "pathSeparatedPrefix")
	switch {
	case prefix.is(textNode) && caseless:
		return s.with(c.foldedPath(prefix.text, true))
	case prefix.is(textNode):
		return s.with(c.stringPrefix(prefix.text))
	case path.is(textNode) && caseless:
		return s.with(c.foldedPath(path.text, false))
	case path.is(textNode):
		return s.with(c.exactPath(path.text))
	case expression.is(textNode):
		return s.with(c.regexPath(expression.text, expression.text))
	case segments.is(textNode) && caseless:
		return s.with(c.regexPath(segments.text, "(?i)"+regexp.QuoteMeta(segments.text)+"(/.*)?"))
	case segments.is(textNode):
		return s.with(c.segmentPrefix(segments.text))
	}
	return s.with(pathMatch{lost: "the route's match has no prefix, path, safe_regex or path_separated_prefix", fix: "write a rule by hand, or one with the route's name"})
}
