package convert

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	corsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Envoy's native filter, 1.37 (api/envoy/extensions/filters/http/cors/v3/cors.proto, cors_filter.cc). An origin is allowed if one of the matchers takes it, or the text
// *. It is answered as it came. Lists are strings that are sent as they are, but for * alone, for which the method or the headers asked for are answered. What is not
// set is not sent. Policies of the route, the virtual host and the route configuration are merged field by field, the nearest that is not empty first; filter_enabled
// and shadow_enabled are those of the nearest alone. Routes that redirect or answer directly have no policy. A refused preflight goes on to the upstream unless
// forward_not_matching_preflights is false, and what the upstream says of CORS stays where the origin is refused.

const corsType = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy"

// envoyPolicy is one CorsPolicy, and where it stands.
type envoyPolicy struct {
	at     *node
	policy *corsv3.CorsPolicy
}

// envoyPolicyOf reads a CorsPolicy. It returns nil, with a finding, where Envoy would refuse it.
func (c *converter) envoyPolicyOf(n *node) *envoyPolicy {
	if !n.is(objectNode) {
		c.invalid(n, "a CorsPolicy must be an object", "")
		return nil
	}
	bare := n.without("@type", "enabled", "allow_origin", "allow_origin_regex", "allowOrigin", "allowOriginRegex")
	for _, key := range []string{"enabled", "allow_origin", "allow_origin_regex"} {
		if old := n.get(key); old != nil {
			c.add(unknownKey, old, fmt.Sprintf("%q is no longer known to Envoy", key), "write allow_origin_string_match or filter_enabled, and convert again")
		}
	}
	p := &corsv3.CorsPolicy{}
	if err := protojson.Unmarshal(bare.JSON(), p); err != nil {
		if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(bare.JSON(), p); err != nil {
			c.invalid(n, "is no CorsPolicy: "+protoMessage(err), "")
			return nil
		}
		c.unknownProto(bare, p)
	}
	return &envoyPolicy{n, p}
}

// protoPlace is where protobuf says that something stands, in a text that is not the file.
var protoPlace = regexp.MustCompile(` ?\(line [0-9:]+\):?`)

// protoMessage returns err without the prefix that protobuf varies, and without a place.
func protoMessage(err error) string {
	text := strings.ReplaceAll(err.Error(), "\u00a0", " ")
	return strings.TrimSpace(protoPlace.ReplaceAllString(strings.TrimPrefix(text, "proto:"), ""))
}

// unknownProto adds findings for the keys of n that p has no fields for.
func (c *converter) unknownProto(n *node, p proto.Message) {
	fields := p.ProtoReflect().Descriptor().Fields()
	var known []string
	for i := range fields.Len() {
		known = append(known, string(fields.Get(i).Name()), fields.Get(i).JSONName())
	}
	before := len(c.findings)
	c.unknown(n, known...)
	if len(c.findings) == before {
		c.add(unknownKey, n, "has keys inside that are not known", "look whether they are spelled right")
	}
}

// without returns n without some keys.
func (n *node) without(keys ...string) *node {
	if n == nil {
		return nil
	}
	m := *n
	m.keys, m.values, m.keyAt = nil, nil, nil
	for i, key := range n.keys {
		if !contains(keys, key) {
			m.add(key, n.values[i], n.keyAt[i])
		}
	}
	return &m
}

func contains(keys []string, key string) bool {
	for _, k := range keys {
		if k == key {
			return true
		}
	}
	return false
}

// envoyGrant merges policies, the nearest first.
func (c *converter) envoyGrant(policies []*envoyPolicy) *grant {
	if len(policies) == 0 {
		return nil
	}
	nearest := policies[0]
	mode, isOn := c.envoyMode(nearest)
	if !isOn {
		return nil
	}
	s := &settings{at: nearest.at, mode: mode}
	for _, p := range policies {
		if list := p.at.get("allow_origin_string_match", "allowOriginStringMatch"); len(p.policy.GetAllowOriginStringMatch()) > 0 {
			for i, m := range p.policy.GetAllowOriginStringMatch() {
				c.envoyOrigin(s, m, at(list.list(), i, p.at))
			}
			break
		}
	}
	s.methods = envoyNames(policies, "allow_methods", "allowMethods")
	s.headers = envoyNames(policies, "allow_headers", "allowHeaders")
	s.expose = envoyNames(policies, "expose_headers", "exposeHeaders")
	if s.expose.star != noStar {
		s.expose.star = sentStar
	}
	for _, p := range policies {
		if p.policy.GetMaxAge() != "" {
			s.maxAge, s.maxAgeAt = c.seconds(p.at.get("max_age", "maxAge"))
			break
		}
	}
	for _, p := range policies {
		if v := p.policy.GetAllowCredentials(); v != nil {
			s.credentials = v.GetValue()
			break
		}
	}
	for _, p := range policies {
		if v := p.policy.GetAllowPrivateNetworkAccess(); v != nil {
			s.privateNetwork = v.GetValue()
			break
		}
	}
	s.refusedPreflight = c.envoyRefusedPreflight(policies)
	c.once(upstreamHeaders, nearest.at, "CORS headers of the upstream are removed, of refused origins too", `write "upstreamHeaders": "keep" where services answer CORS themselves`)
	return c.grantOf(s)
}

func (c *converter) envoyRefusedPreflight(policies []*envoyPolicy) string {
	for _, p := range policies {
		if v := p.policy.GetForwardNotMatchingPreflights(); v != nil {
			if v.GetValue() {
				return "forward"
			}
			return ""
		}
	}
	c.once(refusedPreflight, policies[0].at, "preflights of refused origins do not go on to the upstream", `write "onRefusedPreflight": "forward" if the upstream answers OPTIONS itself`)
	return ""
}

// at returns the element of items, or otherwise.
func at(items []*node, i int, otherwise *node) *node {
	if i < len(items) {
		return items[i]
	}
	return otherwise
}

// envoyNames returns the nearest list that is not empty.
func envoyNames(policies []*envoyPolicy, keys ...string) names {
	for _, p := range policies {
		if n := p.at.get(keys...); n.str() != "" {
			return splitNames(n, echoStar)
		}
	}
	return names{at: policies[0].at}
}

// envoyMode returns the mode of a policy; not on, where it neither grants nor counts anything.
func (c *converter) envoyMode(p *envoyPolicy) (mode any, isOn bool) {
	enabled, shadow := p.policy.GetFilterEnabled(), p.policy.GetShadowEnabled()
	for _, key := range [][]string{{"filter_enabled", "filterEnabled"}, {"shadow_enabled", "shadowEnabled"}} {
		if k := p.at.get(key...).get("runtime_key", "runtimeKey"); k != nil {
			c.add(runtimeKey, k, "the runtime key "+strconv.Quote(k.str())+" is left out; its default value counts", "change the mode with the configuration")
		}
	}
	if enabled == nil {
		return nil, true
	}
	otherwise := "off"
	if shadow.GetDefaultValue().GetNumerator() > 0 {
		otherwise = "shadow"
	}
	share := enabled.GetDefaultValue()
	denominators := map[typev3.FractionalPercent_DenominatorType]uint32{
		typev3.FractionalPercent_HUNDRED: 100, typev3.FractionalPercent_TEN_THOUSAND: 10_000, typev3.FractionalPercent_MILLION: 1_000_000,
	}
	whole := denominators[share.GetDenominator()]
	switch n := share.GetNumerator(); {
	case whole == 0:
		c.invalid(p.at, "filter_enabled has no known denominator; the policy is left out", "")
		return nil, false
	case n >= whole:
		return nil, true
	case n == 0 && otherwise == "off":
		c.add(notInForce, p.at, "the policy is switched off by filter_enabled, and is left out", "")
		return nil, false
	case n == 0:
		return "shadow", true
	default:
		return shareDoc{shareOf{n, share.GetDenominator().String()}, otherwise}, true
	}
}

type shareDoc struct {
	Enforce   shareOf `json:"enforce"`
	Otherwise string  `json:"otherwise"`
}

type shareOf struct {
	Numerator   uint32 `json:"numerator"`
	Denominator string `json:"denominator"`
}

// envoyOrigin adds what a StringMatcher takes. Origins are in lower case, so a matcher that ignores case compares its own lower case with them.
func (c *converter) envoyOrigin(s *settings, m *matcherv3.StringMatcher, n *node) {
	fold := func(text string) string {
		if m.GetIgnoreCase() {
			return strings.ToLower(text)
		}
		return text
	}
	var e originEntry
	switch v := m.GetMatchPattern().(type) {
	case *matcherv3.StringMatcher_Exact:
		if e = (originEntry{exactOrigin, fold(v.Exact), n}); v.Exact == "*" {
			e.kind = anyOrigin
		}
	case *matcherv3.StringMatcher_Prefix:
		e = originEntry{prefixOrigin, fold(v.Prefix), n}
	case *matcherv3.StringMatcher_Suffix:
		e = originEntry{suffixOrigin, fold(v.Suffix), n}
	case *matcherv3.StringMatcher_Contains:
		e = originEntry{containsOrigin, fold(v.Contains), n}
	case *matcherv3.StringMatcher_SafeRegex:
		e = originEntry{regexOrigin, v.SafeRegex.GetRegex(), n}
	default:
		c.add(programmed, n, "a matcher that is no exact, prefix, suffix, contains or safe_regex is left out", "write the origins by hand")
		return
	}
	if e.text == "" {
		c.invalid(n, "the matcher is empty; it is left out", "")
		return
	}
	s.origins = append(s.origins, e)
}
