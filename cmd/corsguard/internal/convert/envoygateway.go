package convert

import (
	egv1a1 "github.com/envoyproxy/gateway/api/v1alpha1"
	"sigs.k8s.io/yaml"
)

// Envoy Gateway 1.7, SecurityPolicy (api/v1alpha1/cors_types.go; internal/gatewayapi, internal/xds/translator). A * in an origin becomes .* of an expression for the whole
// origin, so it stands for any characters. A * in a list is answered as asked, whatever stands beside it; exposed headers are sent as they are. Preflights of refused
// origins do not go on. A policy is for what its targetRefs name; which hosts and paths that are is with the routes.

func isSecurityPolicy(n *node) bool { return n.get("kind").str() == "SecurityPolicy" }

func (c *converter) envoyGateway(docs []*node) {
	for _, doc := range docs {
		spec := doc.get("spec")
		if isSecurityPolicy(doc) && spec.get("cors") == nil {
			continue
		}
		policy := spec.get("cors")
		if !isSecurityPolicy(doc) {
			policy = doc
			if inner := doc.get("cors"); inner != nil {
				policy = inner
			}
		}
		if configuration := c.finish(doc, objectName(doc), []scope{{name: "all", at: doc, grant: c.egGrant(policy)}}); configuration != nil {
			configuration.Targets = targetsOf(spec)
			configuration.Namespace = doc.dig("metadata", "namespace").str()
		}
	}
}

// targetsOf returns the keys of spec that say what a policy is for.
func targetsOf(spec *node) []byte {
	targets := &node{kind: objectNode}
	for i, key := range spec.keysOf() {
		if contains([]string{"targetRef", "targetRefs", "targetSelectors"}, key) {
			targets.add(key, spec.values[i], spec.keyAt[i])
		}
	}
	if len(targets.keys) == 0 {
		return nil
	}
	return targets.JSON()
}

func (c *converter) egGrant(n *node) *grant {
	var p egv1a1.CORS
	if !n.is(objectNode) {
		c.invalid(n, "cors must be an object", "")
		return nil
	}
	if err := yaml.Unmarshal(n.JSON(), &p); err != nil {
		c.invalid(n, "is no CORS of a SecurityPolicy: "+err.Error(), "")
		return nil
	}
	c.unknown(n, "allowOrigins", "allowMethods", "allowHeaders", "exposeHeaders", "maxAge", "allowCredentials")
	s := &settings{at: n, credentials: p.AllowCredentials != nil && *p.AllowCredentials}
	for i, o := range p.AllowOrigins {
		s.origins = append(s.origins, originEntry{globOrigin, string(o), at(n.get("allowOrigins").list(), i, n)})
	}
	s.methods, s.headers = egNames(n.get("allowMethods"), n), egNames(n.get("allowHeaders"), n)
	if s.expose = listNames(n.get("exposeHeaders"), sentStar, true); s.expose.at == nil {
		s.expose.at = n
	}
	s.maxAge, s.maxAgeAt = c.duration(n.get("maxAge"))
	c.once(upstreamHeaders, n, "CORS headers of the upstream are removed, of refused origins too", `write "upstreamHeaders": "keep" where services answer CORS themselves`)
	return c.grantOf(s)
}

func egNames(n, at *node) names {
	list := listNames(n, echoStar, false)
	if list.at == nil {
		list.at = at
	}
	return list
}
