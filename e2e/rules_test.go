package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/repo"
	"corsguard/e2e/wire"
)

// Every policy of the tests of rules allows appOrigin, and exposes a header with its rule's name: an answer tells which rule gave it.

// ruled is a rule under construction: its name, and its match as JSON.
type ruled struct{ name, match string }

// rulesConfig returns a configuration of rules in this order, and a default.
func rulesConfig(rules ...ruled) string {
	var list []string
	for _, r := range rules {
		list = append(list, fmt.Sprintf(`{"name": %q, "match": %s, "cors": %s}`, r.name, r.match, exposing(r.name)))
	}
	return fmt.Sprintf(`{"cors": %s, "rules": [%s]}`, exposing(corpus.DefaultRule), strings.Join(list, ", "))
}

func exposing(rule string) string {
	return fmt.Sprintf(`{"allowOrigins": [%q], "allowMethods": ["PUT"], "allowHeaders": ["x-one"], "exposeHeaders": [%q]}`, appOrigin, exposedBy(rule))
}

func exposedBy(rule string) string { return "x-rule-" + rule }

// undecided stands for an answer that grants nothing.
const undecided = ""

// decidedBy returns the rule whose grant an answer carries, undecided where it carries none. Any other set of CORS headers is an error.
func decidedBy(got wire.Response, preflight bool) (rule string, err error) {
	rule = strings.TrimPrefix(strings.Join(got.Get("access-control-expose-headers"), ","), exposedBy(""))
	want := []corpus.Header{varyOrigin}
	if preflight {
		want = []corpus.Header{varyPreflight}
	}
	if rule == undecided {
		return rule, compareOwned(got.Headers, want)
	}
	want = append(want, corpus.Header{"access-control-allow-origin", appOrigin}, corpus.Header{"access-control-expose-headers", exposedBy(rule)})
	if preflight {
		want = append(want, corpus.Header{"access-control-allow-methods", "PUT"}, corpus.Header{"access-control-allow-headers", "x-one"})
	}
	return rule, compareOwned(got.Headers, want)
}

// checkDecides sends r from appOrigin over both protocols, and wants this status and the grant of this rule.
func checkDecides(t *testing.T, addr string, r corpus.Request, status int, rule string) {
	t.Helper()
	for _, p := range protocols {
		got := send(t, p, addr, wire.With(r, "origin", appOrigin))
		by, err := decidedBy(got, false)
		if by != rule || got.Status != status || err != nil {
			t.Errorf("%s, %s%s: status %d, decided by %q, want %d by %q (%v)", p.name, r.Authority, r.Path, got.Status, by, status, rule, err)
		}
	}
}

// checkDecidesPreflight does the same with a preflight to where r goes.
func checkDecidesPreflight(t *testing.T, addr string, r corpus.Request, rule string) {
	t.Helper()
	ask := preflight(appOrigin)
	ask.Authority, ask.Path = r.Authority, r.Path
	for _, p := range protocols {
		got := send(t, p, addr, ask)
		by, err := decidedBy(got, true)
		if by != rule || got.Status != 204 || err != nil {
			t.Errorf("%s, preflight to %s%s: status %d, decided by %q, want 204 by %q (%v)", p.name, r.Authority, r.Path, got.Status, by, rule, err)
		}
	}
}

// byRoutes has a rule for each of these route names, and no other.
func byRoutes(names ...string) string {
	var rules []ruled
	for _, n := range names {
		rules = append(rules, ruled{n, fmt.Sprintf(`{"routes": [%q]}`, n)})
	}
	return rulesConfig(rules...)
}

// at returns a route with a name, empty for none, and this path prefix in place of its own.
func at(prefix, name string, route envoy.Object) envoy.Object {
	route["match"] = envoy.Object{"prefix": prefix}
	if name != "" {
		route["name"] = name
	}
	return route
}

// TestRulesByRoute holds that a rule goes by the name of the route that Envoy found, whatever the route does with the request. A route without a name, and no
// route, fit none.
func TestRulesByRoute(t *testing.T) {
	t.Parallel()
	addr := listen(t, envoy.HCM{
		Filters: []envoy.Object{plugin(byRoutes("forwards", "redirects", "answers"))},
		Routes: []envoy.Object{
			at("/forwards", "forwards", envoy.Route("", "upstream")),
			at("/redirects", "redirects", redirectRoute()),
			at("/answers", "answers", directRoute(418)),
			at("/other", "Forwards", envoy.Route("", "upstream")),
			at("/unnamed", "", envoy.Route("", "upstream")),
		},
	})
	for _, c := range []struct {
		path   string
		status int
		rule   string
	}{
		{"/forwards", 200, "forwards"},
		{"/redirects", 301, "redirects"},
		{"/answers", 418, "answers"},
		{"/other", 200, corpus.DefaultRule},
		{"/unnamed", 200, corpus.DefaultRule},
		{"/nowhere", 404, corpus.DefaultRule},
	} {
		r := corpus.Request{Path: c.path}
		checkDecides(t, addr, r, c.status, c.rule)
		checkDecidesPreflight(t, addr, r, c.rule)
	}
}

// TestPreflightsToRoutesOfOneMethod holds what becomes of a rule by route where the route takes only the method that a preflight asks for: the preflight itself
// finds no route, so the rules without routes decide it.
func TestPreflightsToRoutesOfOneMethod(t *testing.T) {
	t.Parallel()
	const name = "writes"
	method := func(m string) envoy.Object {
		route := at("/", name, envoy.Route("", "upstream"))
		route["match"].(envoy.Object)["headers"] = []envoy.Object{{"name": ":method", "string_match": envoy.Object{"exact": m}}}
		return route
	}
	r := corpus.Request{Method: "PUT", Path: "/items"}
	for title, c := range map[string]struct {
		routes []envoy.Object
		rule   string
	}{
		"without a route for OPTIONS": {[]envoy.Object{method("PUT")}, corpus.DefaultRule},
		"with one":                    {[]envoy.Object{method("PUT"), method("OPTIONS")}, name},
	} {
		t.Run(title, func(t *testing.T) {
			addr := listen(t, envoy.HCM{Filters: []envoy.Object{plugin(byRoutes(name))}, Routes: c.routes})
			checkDecides(t, addr, r, 200, name)
			checkDecidesPreflight(t, addr, r, c.rule)
		})
	}
}

// TestRulesByHost holds how the host is read from what clients send, in both protocols.
func TestRulesByHost(t *testing.T) {
	t.Parallel()
	addr := listen(t, envoy.HCM{Filters: []envoy.Object{plugin(rulesConfig(
		ruled{"exact", `{"hosts": ["api.example.com", "192.0.2.1", "[2001:db8::1]"]}`},
		ruled{"below", `{"hosts": ["*.tenant.example.com"]}`},
	))}})
	for host, rule := range map[string]string{
		"api.example.com":           "exact",
		"api.example.com:80":        "exact",
		"api.example.com:8443":      "exact",
		"api.example.com.":          "exact",
		"API.Example.com.:8443":     "exact",
		"192.0.2.1:8080":            "exact",
		"[2001:db8::1]":             "exact",
		"[2001:db8::1]:8080":        "exact",
		"a.tenant.example.com":      "below",
		"a.b.tenant.example.com.:1": "below",
		"api.example.com..":         corpus.DefaultRule,
		"xapi.example.com":          corpus.DefaultRule,
		"api.example.com.evil.test": corpus.DefaultRule,
		"tenant.example.com":        corpus.DefaultRule,
		"xtenant.example.com":       corpus.DefaultRule,
		"[2001:db8::2]:8080":        corpus.DefaultRule,
	} {
		r := corpus.Request{Authority: host}
		checkDecides(t, addr, r, 200, rule)
		checkDecidesPreflight(t, addr, r, rule)
	}
}

// TestCountersOfRules holds that requests count for the rule that decides, also where the path is ambiguous.
func TestCountersOfRules(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "--concurrency", "1")
	put(t, g, envoy.HCM{Filters: []envoy.Object{plugin(pathRules)}, Extra: envoy.Object{"normalize_path": false}}.Listener("rules"))
	addr := g.Addr("rules")
	want := tally{}
	for _, c := range []struct {
		path, from   string
		rule, reason string
	}{
		{"/public/x", appOrigin, "public", "origin_allowed"},
		{"/public/x", otherOrigin, "public", "origin_not_allowed"},
		{"/public/../admin", appOrigin, "public", "path_ambiguous"},
		{"/admin", appOrigin, "admin", "origin_allowed"},
		{"/", otherOrigin, corpus.DefaultRule, "origin_not_allowed"},
		{"//admin", appOrigin, corpus.DefaultRule, "path_ambiguous"},
	} {
		decision := "refused"
		if c.reason == "origin_allowed" {
			decision = "allowed"
		}
		ask := preflight(c.from)
		ask.Path = c.path
		for _, p := range protocols {
			send(t, p, addr, corpus.Request{Path: c.path, Headers: []corpus.Header{originHeader(c.from)}})
			send(t, p, addr, ask)
			want.add(corpus.Want{Rule: c.rule, Kind: "actual", Decision: decision, Reason: c.reason})
			want.add(corpus.Want{Rule: c.rule, Kind: "preflight", Decision: decision, Reason: c.reason})
		}
	}
	want.compare(t, g)
}

// TestStatsTagsOfRules holds that the tags of envoy.yaml make labels of every rule's name, also of one that reads like another part of a counter's name.
func TestStatsTagsOfRules(t *testing.T) {
	t.Parallel()
	names := []string{"a-b_1", "0", "-", "rule", "kind", "decision", "reason", "actual", strings.Repeat("long-name_", 6) + "last"}
	var rules []ruled
	for _, n := range names {
		rules = append(rules, ruled{n, fmt.Sprintf(`{"paths": [{"exact": "/%s"}]}`, n)})
	}
	g := startGateway(t, "--concurrency", "1", "--config-yaml", statsConfig(t))
	put(t, g, envoy.HCM{Filters: []envoy.Object{plugin(rulesConfig(rules...))}}.Listener("tags"))
	for _, n := range names {
		checkDecides(t, g.Addr("tags"), corpus.Request{Path: "/" + n}, 200, n)
	}
	until(t, countersLimit, func() error {
		text, err := g.Admin.Get(t.Context(), "/stats/prometheus?filter=corsguard")
		if err != nil {
			return err
		}
		got := strings.Split(string(text), "\n")
		for _, n := range names {
			line := fmt.Sprintf(`corsguard{rule=%q,kind="actual",decision="allowed",reason="origin_allowed"} %d`, n, len(protocols))
			if !slices.Contains(got, line) {
				err = errors.Join(err, fmt.Errorf("there is no line %s", line))
			}
		}
		if err != nil {
			err = fmt.Errorf("%w in\n%s", err, text)
		}
		return err
	})
}

var statsTag = regexp.MustCompile(`- tag_name: (\w+)\n\s+regex: '([^'\n]+)'`)

// statsConfig returns the tags of envoy.yaml, as a configuration that Envoy merges into its own.
func statsConfig(t *testing.T) string {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "envoy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var tags []envoy.Object
	for _, tag := range statsTag.FindAllSubmatch(text, -1) {
		tags = append(tags, envoy.Object{"tag_name": string(tag[1]), "regex": string(tag[2])})
	}
	if len(tags) != 6 {
		t.Fatalf("envoy.yaml has %d tags", len(tags))
	}
	config, err := json.Marshal(envoy.Object{"stats_config": envoy.Object{"stats_tags": tags}})
	if err != nil {
		t.Fatal(err)
	}
	return string(config)
}
