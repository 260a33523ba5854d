package convert

import (
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	networking "istio.io/api/networking/v1alpha3"

	"corsguard/cmd/corsguard/internal/finding"
)

// Istio 1.31 (networking/v1alpha3/virtual_service.proto, pilot's route translation): corsPolicy becomes the policy of Envoy's native filter, for each HTTP route of a
// VirtualService. allowOrigins are exact, prefix or RE2 for the whole origin; the deprecated allowOrigin counts where allowOrigins is not set. Lists are joined with
// commas, so * is answered as asked where it stands alone. unmatchedPreflights forwards unless it is IGNORE. Prefixes of paths end anywhere, in the middle of a segment
// too. Routes that redirect or answer directly have no policy.

func isVirtualService(n *node) bool {
	return n.get("kind").str() == "VirtualService" || n.get("corsPolicy", "cors_policy") != nil
}

func (c *converter) istio(docs []*node) {
	var vhosts []virtualHost
	for _, doc := range docs {
		switch {
		case doc.get("kind").str() == "VirtualService":
			vhosts = append(vhosts, c.virtualService(doc))
		case doc.get("corsPolicy", "cors_policy") != nil || doc.get("allowOrigins", "allow_origins", "allowOrigin") != nil:
			policy := doc.get("corsPolicy", "cors_policy")
			if policy == nil {
				policy = doc
			}
			c.finish(doc, "", []scope{{name: "all", at: doc, grant: c.istioGrant(policy)}})
		}
	}
	if len(vhosts) > 0 {
		c.finish(docs[0], "", c.flatten(vhosts))
	}
}

// objectName returns the name of a Kubernetes object.
func objectName(doc *node) string { return doc.dig("metadata", "name").str() }

func (c *converter) virtualService(doc *node) virtualHost {
	spec := doc.get("spec")
	v := virtualHost{at: doc, name: objectName(doc)}
	hosts := spec.get("hosts")
	if len(hosts.list()) == 0 {
		c.addAs(scopeUnknown, finding.Warning, doc.place(), "the VirtualService has no hosts: it is delegated to, and the one that does is not followed; nothing is granted by it", "copy its routes into the root VirtualService and convert that")
	}
	for _, h := range hosts.list() {
		c.addHost(&v, h, h.str())
	}
	for i, route := range spec.get("http").list() {
		name := route.get("name").str()
		if name == "" {
			name = v.name + "-" + strconv.Itoa(i+1)
		}
		s := scope{name: name, at: route}
		if policy := route.get("corsPolicy", "cors_policy"); policy != nil {
			switch {
			case route.get("redirect", "directResponse", "direct_response") != nil:
				c.add(notInForce, policy, "a route that redirects or answers directly has no CORS policy in Envoy", "")
			default:
				s.grant = c.istioGrant(policy)
			}
		}
		if d := route.get("delegate"); d != nil {
			s.lost, s.lostFix, s.grant = "a delegate is not followed", "copy its routes into this VirtualService and convert again", nil
		}
		v.scopes = append(v.scopes, c.istioMatches(s, route.get("match"))...)
	}
	return v
}

// istioMatches returns s for each match of a route: one of them has to fit.
func (c *converter) istioMatches(s scope, matches *node) []scope {
	if len(matches.list()) == 0 {
		return []scope{s}
	}
	var scopes []scope
	for _, m := range matches.items {
		one := s
		one.at = m
		var asks []string
		for _, key := range m.keysOf() {
			if !contains([]string{"uri", "name", "ignoreUriCase", "ignore_uri_case", "statPrefix", "stat_prefix"}, key) {
				asks = append(asks, key)
			}
		}
		one.condition = strings.Join(asks, " and ")
		scopes = append(scopes, c.istioPath(one, m))
	}
	return scopes
}

func (c *converter) istioPath(s scope, m *node) scope {
	uri, fold := m.get("uri"), m.get("ignoreUriCase", "ignore_uri_case").isTrue()
	exact, prefix, expression := uri.get("exact"), uri.get("prefix"), uri.get("regex")
	lost := s.lost
	switch {
	case uri == nil:
		return s
	case exact.is(textNode) && fold:
		s = s.with(c.foldedPath(exact.text, false))
	case exact.is(textNode):
		s = s.with(c.exactPath(exact.text))
	case prefix.is(textNode) && fold:
		s = s.with(c.foldedPath(prefix.text, true))
	case prefix.is(textNode):
		s = s.with(c.stringPrefix(prefix.text))
	case expression.is(textNode):
		s = s.with(c.regexPath(expression.text, expression.text))
	default:
		s = s.with(pathMatch{lost: "the uri has no exact, prefix or regex", fix: "correct it"})
	}
	if s.lost == "" {
		s.lost = lost
	}
	return s
}

// istioGrant converts a corsPolicy.
func (c *converter) istioGrant(n *node) *grant {
	if !n.is(objectNode) {
		if !n.is(nullNode) {
			c.invalid(n, "a corsPolicy must be an object", "")
		}
		return nil
	}
	p := &networking.CorsPolicy{}
	bare := n.without("maxAge", "max_age") // Istio reads durations as Go writes them, which protobuf's JSON does not
	if err := protojson.Unmarshal(bare.JSON(), p); err != nil {
		if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(bare.JSON(), p); err != nil {
			c.invalid(n, "is no CorsPolicy: "+protoMessage(err), "")
			return nil
		}
		c.unknownProto(bare, p)
	}
	s := &settings{at: n, credentials: p.GetAllowCredentials().GetValue()}
	c.istioOrigins(s, n, p)
	s.methods = joinedNames(n.get("allowMethods", "allow_methods"), n)
	s.headers = joinedNames(n.get("allowHeaders", "allow_headers"), n)
	if s.expose = joinedNames(n.get("exposeHeaders", "expose_headers"), n); s.expose.star != noStar {
		s.expose.star = sentStar
	}
	s.maxAge, s.maxAgeAt = c.duration(n.get("maxAge", "max_age"))
	switch p.GetUnmatchedPreflights() {
	case networking.CorsPolicy_FORWARD:
		s.refusedPreflight = "forward"
	case networking.CorsPolicy_UNSPECIFIED:
		c.once(refusedPreflight, n, "preflights of refused origins do not go on to the upstream", `write "onRefusedPreflight": "forward" if the upstream answers OPTIONS itself`)
	}
	c.once(upstreamHeaders, n, "CORS headers of the upstream are removed, of refused origins too", `write "upstreamHeaders": "keep" where services answer CORS themselves`)
	return c.grantOf(s)
}

func (c *converter) istioOrigins(s *settings, n *node, p *networking.CorsPolicy) {
	list, old := n.get("allowOrigins", "allow_origins").list(), n.get("allowOrigin", "allow_origin")
	if len(list) == 0 {
		for _, item := range old.list() {
			s.origins = append(s.origins, exactOrAny(item.str(), item))
		}
		return
	}
	if old != nil {
		c.lost(old, "allowOrigin does not count beside allowOrigins, and is left out", "")
	}
	for i, m := range p.GetAllowOrigins() {
		e := originEntry{at: at(list, i, n)}
		switch v := m.GetMatchType().(type) {
		case *networking.StringMatch_Exact:
			e = exactOrAny(v.Exact, e.at)
		case *networking.StringMatch_Prefix:
			e.kind, e.text = prefixOrigin, v.Prefix
		case *networking.StringMatch_Regex:
			e.kind, e.text = regexOrigin, v.Regex
		}
		if e.text == "" {
			c.invalid(e.at, "the matcher is empty; it is left out", "")
			continue
		}
		s.origins = append(s.origins, e)
	}
}

// duration reads a duration in Go's style, such as 24h, in whole seconds.
func (c *converter) duration(n *node) (*int64, *node) {
	if n == nil || n.is(nullNode) {
		return nil, nil
	}
	d, err := time.ParseDuration(n.str())
	if err != nil {
		c.lost(n, strconv.Quote(n.text)+" is no duration; it is left out", "write one such as 600s")
		return nil, nil
	}
	age := int64(d / time.Second)
	return &age, n
}

// exactOrAny takes * for any origin, and what else there is to the letter.
func exactOrAny(text string, n *node) originEntry {
	if text == "*" {
		return originEntry{anyOrigin, text, n}
	}
	return originEntry{exactOrigin, text, n}
}

// joinedNames reads a list that is joined with commas for Envoy, where * alone is answered as asked.
func joinedNames(n, at *node) names {
	list := listNames(n, echoStar, true)
	if list.at == nil {
		list.at = at
	}
	return list
}
