package convert

import (
	"slices"
	"strings"
	"testing"
)

const allowAll = `typed_per_filter_config: { cors: { "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy, allow_origin_string_match: [{ exact: "*" }] } }`

// rulesOf converts source and returns the policy, "" for none, and the ids of the findings.
func rulesOf(t *testing.T, from string, sources ...string) (text string, ids []string) {
	t.Helper()
	var inputs []Input
	for _, s := range sources {
		inputs = append(inputs, Input{"source", []byte(s)})
	}
	result, err := Convert(inputs, from)
	if err != nil {
		t.Fatalf("%v\n%s", err, sources)
	}
	for i := range result.Findings {
		ids = append(ids, result.Findings[i].Rule.ID)
	}
	for i := range result.Configurations {
		text += string(result.Configurations[i].JSON)
	}
	return text, ids
}

func TestWhatIsNotInForceGrantsNothing(t *testing.T) {
	for name, source := range map[string]string{
		"a filter chain without the filter": `
filter_chains:
- filters:
  - typed_config:
      http_filters: [{ name: envoy.filters.http.router }]
      route_config: { virtual_hosts: [{ domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: a }, ` + allowAll + ` }] }] }`,
		"a redirect":            `{ domains: ["*"], routes: [{ match: { prefix: / }, redirect: {}, ` + allowAll + ` }] }`,
		"a direct response":     `{ domains: ["*"], routes: [{ match: { prefix: / }, direct_response: { status: 200 }, ` + allowAll + ` }] }`,
		"a host without routes": `{ domains: ["*"], routes: [], ` + allowAll + ` }`,
		"a filter that the route switches off": `
domains: ["*"]
` + allowAll + `
routes:
- match: { prefix: / }
  route: { cluster: a }
  typed_per_filter_config: { envoy.filters.http.cors: { "@type": type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: yes } }`,
		"a share of nothing": `{ allow_origin_string_match: [{ exact: "*" }], filter_enabled: { default_value: { numerator: 0 } } }`,
		"a weighted cluster with a policy of its own": `
{ domains: ["*"], routes: [{ match: { prefix: / }, route: { weighted_clusters: { clusters: [{ name: a, ` + allowAll + ` }, { name: b }] } }, ` + allowAll + ` }] }`,
		"a broken policy, before one that is not": `
domains: ["*"]
` + allowAll + `
routes:
- match: { prefix: / }
  route: { cluster: a }
  typed_per_filter_config: { cors: { "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy, max_age: 5 } }`,
	} {
		if text, ids := rulesOf(t, "envoy", source); text != "" || !slices.Contains(ids, "convert-nothing-left") {
			t.Errorf("%s: %v\n%s", name, ids, text)
		}
	}
}

func TestModesFollowTheFilter(t *testing.T) {
	for fields, want := range map[string]string{
		`filter_enabled: { default_value: { numerator: 100 } }`:                                                        "",
		`filter_enabled: { default_value: { numerator: 7, denominator: TEN_THOUSAND } }`:                               `"otherwise": "off"`,
		`filter_enabled: { default_value: { numerator: 7 } }, shadow_enabled: { default_value: { numerator: 100 } }`:   `"otherwise": "shadow"`,
		`filter_enabled: { default_value: { numerator: 0 } }, shadow_enabled: { default_value: { numerator: 1 } }`:     `"mode": "shadow"`,
		`filterEnabled: { defaultValue: { numerator: 1000, denominator: MILLION } }`:                                   `"denominator": "MILLION"`,
		`filter_enabled: { default_value: { numerator: 200 } }, shadow_enabled: { default_value: { numerator: 100 } }`: "",
		`shadow_enabled: { default_value: { numerator: 100 } }`:                                                        "",
	} {
		text, _ := rulesOf(t, "envoy", `{ allow_origin_string_match: [{ exact: "https://a.example.com" }], `+fields+` }`)
		if text == "" || (want == "" && strings.Contains(text, "mode")) || !strings.Contains(text, want) {
			t.Errorf("%s: %q is missing in\n%s", fields, want, text)
		}
	}
}

// service is a VirtualService for one host.
func service(name, route string) string {
	return `{ kind: VirtualService, metadata: { name: ` + name + ` }, spec: { hosts: [shop.example.com], http: [` + route + `] } }`
}

const (
	corsForOne = `corsPolicy: { allowOrigins: [{ exact: "https://one.example.com" }], unmatchedPreflights: IGNORE }`
	corsForTwo = `corsPolicy: { allowOrigins: [{ exact: "https://two.example.com" }], unmatchedPreflights: IGNORE }`
)

func TestTwoPoliciesForOneHostGrantNothing(t *testing.T) {
	text, ids := rulesOf(t, Auto, service("a", "{"+corsForOne+"}"), service("b", "{"+corsForTwo+"}"))
	if text != "" || !slices.Contains(ids, "convert-conflict") {
		t.Errorf("%v\n%s", ids, text)
	}
}

func TestDelegatesAndConditionsGrantNothingWhereTheOutcomeDiffers(t *testing.T) {
	for name, routes := range map[string]string{
		"delegate": `{ match: [{ uri: { prefix: /a } }], delegate: { name: x } }, {` + corsForOne + `}`,
		"headers":  `{ match: [{ uri: { prefix: /a }, headers: { x: { exact: y } } }], ` + corsForTwo + ` }, {` + corsForOne + `}`,
		"method":   `{ match: [{ uri: { prefix: /a }, method: { exact: GET } }] }, {` + corsForOne + `}`,
		"dialect":  `{ match: [{ uri: { regex: "/a/\\pL+" } }] }, {` + corsForOne + `}`,
	} {
		text, _ := rulesOf(t, Auto, service("a", routes))
		c := compile(t, []byte(text))
		in, out := at2("shop.example.com", "/a/b", page("https://one.example.com", "GET", "", false)), at2("shop.example.com", "/b", page("https://one.example.com", "GET", "", false))
		if c.permits(&in) || !c.permits(&out) {
			t.Errorf("%s: /a/b is permitted, or /b is not\n%s", name, text)
		}
	}
}

func TestConditionsDoNotMatterWhereTheOutcomeIsTheSame(t *testing.T) {
	text, ids := rulesOf(t, Auto, service("a", `{ match: [{ uri: { prefix: /a }, method: { exact: GET } }], `+corsForOne+` }, {`+corsForOne+`}`))
	in := at2("shop.example.com", "/a/b", page("https://one.example.com", "GET", "", false))
	if c := compile(t, []byte(text)); !c.permits(&in) || slices.Contains(ids, "convert-conditional-match") {
		t.Errorf("%v\n%s", ids, text)
	}
}

func TestMoreExpressionsThanThePluginTakesAreJoined(t *testing.T) {
	var routes []string
	for i := range 90 {
		routes = append(routes, `{ match: [{ uri: { prefix: /p`+strings.Repeat("x", i%9)+string(rune('a'+i%26))+`/ } }], `+corsForOne+` }`)
	}
	text, _ := rulesOf(t, Auto, service("a", strings.Join(routes, ", ")))
	in, out := at2("shop.example.com", "/pxxb/y", page("https://one.example.com", "GET", "", false)), at2("shop.example.com", "/q", page("https://one.example.com", "GET", "", false))
	if c := compile(t, []byte(text)); c.permits(&out) || (!c.permits(&in) && strings.Contains(text, "/pxxb/")) {
		t.Errorf("got\n%s", text)
	}
}

func TestLiteralPrefixesHoldWhatTheExpressionMatches(t *testing.T) {
	for expression, want := range map[string]string{
		`/users/\pL+`: "/users", `^/a/b?c`: "/a", `/a/bc*`: "/a", `/(a|b)`: "", `/a|/b`: "", `a/b`: "a", `/a/b`: "/a", `(?i)/a/b`: "", `/a+/b`: "", `/a/{2}`: "", ``: "",
	} {
		if got := literalPrefix(expression); got != want {
			t.Errorf("%q: %q, not %q", expression, got, want)
		}
	}
}
