package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// loggedConfig has a rule for each thing that may become of a request.
const loggedConfig = `{
	"cors": {"allowOrigins": ["https://app.example.com"], "allowMethods": ["PUT"]},
	"fetchMetadata": {}, "log": {"refusalsPerMinute": 1000},
	"rules": [
		{"name": "denying", "match": {"paths": [{"prefix": "/denying"}]}, "cors": {"allowOrigins": ["https://app.example.com"], "onRefusedOrigin": "deny"}, "fetchMetadata": null},
		{"name": "reporting", "match": {"paths": [{"prefix": "/reporting"}]}, "fetchMetadata": {"mode": "report"}},
		{"name": "shadow", "match": {"paths": [{"prefix": "/shadow"}]}, "mode": "shadow"},
		{"name": "no-cors", "match": {"paths": [{"prefix": "/no-cors"}]}, "cors": null, "fetchMetadata": null, "isolation": {"originAgentCluster": true}},
		{"name": "off", "match": {"paths": [{"prefix": "/off"}]}, "mode": "off"}
	]
}`

// loggedRequest is a request, and what the filter state holds of it: nothing where it is empty.
type loggedRequest struct {
	name    string
	request corpus.Request
	status  int
	state   string
}

func loggedRequests() []loggedRequest {
	get := func(path string, headers ...corpus.Header) corpus.Request {
		return corpus.Request{Path: path, Headers: headers}
	}
	ask := func(path, origin, method string) corpus.Request {
		r := asks(origin, method, "")
		r.Path = path
		return r
	}
	image := fetchMetadata("cross-site", "no-cors", "image")
	return []loggedRequest{
		{"allowed", get("/", from(appOrigin)...), 200, ""},
		{"no origin", get("/"), 200, ""},
		{"same origin", get("/", from("http://api.example.test")...), 200, ""},
		{"allowed preflight", ask("/", appOrigin, "PUT"), 204, ""},
		{"navigation", get("/", fetchMetadata("cross-site", "navigate", "document")...), 200, ""},
		{"nowhere, allowed", get("/nowhere", from(appOrigin)...), 404, ""},
		{"no policy", get("/no-cors", from(otherOrigin)...), 200, ""},
		{"off", get("/off", from(otherOrigin)...), 200, ""},
		{"off, preflight", ask("/off", otherOrigin, "PUT"), 200, ""},
		{"allowed in shadow", get("/shadow", from(appOrigin)...), 200, ""},
		{"reporting nothing", get("/reporting"), 200, ""},

		{"refused, passed on", get("/", from(otherOrigin)...), 200, "decision=refused kind=actual reason=origin_not_allowed rule=default"},
		{"refused, nowhere", get("/nowhere", from(otherOrigin)...), 404, "decision=refused kind=actual reason=origin_not_allowed rule=default"},
		{"refused, malformed", get("/", from("https://x.example.com\" rule=\"x")...), 200, "decision=refused kind=actual reason=origin_malformed rule=default"},
		{"refused preflight", ask("/", otherOrigin, "PUT"), 204, "decision=refused kind=preflight reason=origin_not_allowed rule=default"},
		{"refused method", ask("/", appOrigin, "DELETE"), 204, "decision=refused kind=preflight reason=method_not_allowed rule=default"},
		{"denied", get("/denying", from(otherOrigin)...), 403, "decision=refused kind=actual reason=origin_not_allowed rule=denying"},
		{"image of another site", get("/", image...), 403, "decision=refused kind=no_origin reason=cross_site_not_allowed rule=default"},
		{"reported image", get("/reporting", image...), 200, "decision=shadowed kind=no_origin reason=cross_site_not_allowed rule=reporting"},
		// What the request got goes before what it would get.
		{"refused, and reported", get("/reporting", from(otherOrigin, image...)...), 200, "decision=refused kind=actual reason=origin_not_allowed rule=reporting"},
		{"shadowed", get("/shadow", from(otherOrigin)...), 200, "decision=shadowed kind=actual reason=origin_not_allowed rule=shadow"},
		{"shadowed preflight", ask("/shadow", otherOrigin, "PUT"), 200, "decision=shadowed kind=preflight reason=origin_not_allowed rule=shadow"},
		{"shadowed image", get("/shadow", image...), 200, "decision=shadowed kind=no_origin reason=cross_site_not_allowed rule=shadow"},
	}
}

// details are those of the response code: what the plugin answers by itself tells why.
func (r loggedRequest) details() string {
	switch r.status {
	case 200:
		return "via_upstream"
	case 404:
		return "route_not_found"
	}
	reason := "origin_allowed"
	if _, rest, refused := strings.Cut(r.state, "reason="); refused {
		reason, _, _ = strings.Cut(rest, " ")
	}
	return "corsguard_" + reason
}

// accessLogLimit bounds the wait for lines of the access log.
const accessLogLimit = time.Minute

// refusalLine is one of the plugin's own log, as far as the filter state has it.
var refusalLine = regexp.MustCompile(`corsguard: (refused|shadowed) (\w+): (\w+) rule=(\S+) `)

// TestAccessLog holds what access logs say of every decision, as text and as JSON: nothing of what was allowed. The plugin's own log says the same.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "--concurrency", "1", "--file-flush-interval-msec", "50")
	const state, id = "%FILTER_STATE(wasm.corsguard:PLAIN)%", "%REQ(" + upstream.CaseHeader + ")%"
	formats := map[string]envoy.Object{
		"text": {"text_format_source": envoy.Object{"inline_string": "access text " + id + " [" + state + "] %ROUTE_NAME% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS%\n"}},
		"json": {"json_format": envoy.Object{"access": "json", "id": id, "corsguard": state, "route": "%ROUTE_NAME%", "status": "%RESPONSE_CODE%"}},
	}
	var listeners []envoy.Object
	for name, format := range formats {
		listeners = append(listeners, envoy.HCM{
			Filters: []envoy.Object{plugin(loggedConfig)},
			Routes:  loggedRoutes(),
			Extra: envoy.Object{"access_log": []envoy.Object{envoy.Filter("stdout", "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
				envoy.Object{"log_format": format})}},
		}.Listener(name))
	}
	put(t, g, listeners...)

	var want []string
	refusals := map[string]int{}
	for _, r := range loggedRequests() {
		for _, p := range protocols {
			name := strings.ReplaceAll(r.name, " ", "-") + "-" + p.name
			for listener := range formats {
				refusals[r.state]++
				got, err := p.do(g.Addr(listener), wire.With(r.request, upstream.CaseHeader, name))
				if err != nil || got.Status != r.status {
					t.Errorf("%s: status %d, want %d (%v)", name, got.Status, r.status, err)
				}
			}
			text, object := r.state, any(r.state)
			if r.state == "" {
				text, object = "-", nil
			}
			route, routeObject := "main", any("main")
			if r.status == 404 {
				route, routeObject = "-", nil
			}
			want = append(want, fmt.Sprintf("access text %s [%s] %s %d %s", name, text, route, r.status, r.details()))
			line, err := json.Marshal(map[string]any{"access": "json", "id": name, "corsguard": object, "route": routeObject, "status": r.status})
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, string(line))
		}
	}
	until(t, accessLogLimit, func() error {
		var errs []error
		got := strings.Split(g.Log.String(), "\n")
		for _, line := range want {
			if !slices.Contains(got, line) {
				errs = append(errs, fmt.Errorf("there is no line %s", line))
			}
		}
		return errors.Join(errs...)
	})
	delete(refusals, "")
	refusals["decision=shadowed kind=actual reason=cross_site_not_allowed rule=reporting"] = len(protocols) * len(formats) // beside that it was refused
	until(t, accessLogLimit, func() error {
		got := map[string]int{}
		for _, m := range refusalLine.FindAllStringSubmatch(g.Log.String(), -1) {
			got[fmt.Sprintf("decision=%s kind=%s reason=%s rule=%s", m[1], m[2], m[3], m[4])]++
		}
		if !maps.Equal(got, refusals) {
			return fmt.Errorf("the refusals in the log are %v, want %v", got, refusals)
		}
		return nil
	})
}

// loggedRoutes has no route for /nowhere.
func loggedRoutes() []envoy.Object {
	main := at("/", "main", envoy.Route("", "upstream"))
	main["match"].(envoy.Object)["headers"] = []envoy.Object{{"name": ":path", "string_match": envoy.Object{"prefix": "/nowhere"}, "invert_match": true}}
	return []envoy.Object{main}
}

// TestFilterStateKeepsTheRoute holds that what the plugin leaves for access logs does not have Envoy look for the route again: a later filter changes a header on
// which routes depend, and the request still takes the route that it had before.
func TestFilterStateKeepsTheRoute(t *testing.T) {
	t.Parallel()
	const header = "x-route"
	// What a route adds to the response tells that it was taken.
	before, after := envoy.Route("/", "upstream"), envoy.Route("/", "upstream")
	after["match"].(envoy.Object)["headers"] = []envoy.Object{{"name": header, "string_match": envoy.Object{"exact": "after"}}}
	before["response_headers_to_add"] = []envoy.Object{added(header, "before")}
	after["response_headers_to_add"] = []envoy.Object{added(header, "after")}
	changes := envoy.Filter("changes", "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation", envoy.Object{
		"mutations": envoy.Object{"request_mutations": []envoy.Object{{"append": added(header, "after")}}},
	})
	forgets := envoy.Filter("forgets", "envoy.extensions.filters.http.lua.v3.Lua", envoy.Object{
		"default_source_code": envoy.Object{"inline_string": "function envoy_on_request(handle) handle:clearRouteCache() end"},
	})
	for _, c := range []struct {
		name, took string
		filters    []envoy.Object
	}{
		{"behind the plugin", "before", []envoy.Object{plugin(loggedConfig), changes}},
		{"behind a filter that has the route looked for again", "after", []envoy.Object{forgets, changes}},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := listen(t, envoy.HCM{Filters: c.filters, Routes: []envoy.Object{after, before}})
			for _, path := range []string{"/", "/reporting", "/shadow", "/off"} {
				for _, headers := range [][]corpus.Header{from(appOrigin), from(otherOrigin), fetchMetadata("same-origin", "cors", "empty")} {
					for _, p := range protocols {
						got := send(t, p, addr, corpus.Request{Path: path, Headers: headers})
						if took := got.Get(header); got.Status != 200 || !slices.Equal(took, []string{c.took}) {
							t.Errorf("%s, %s %q: status %d, took the route %q, want %s", p.name, path, headers, got.Status, took, c.took)
						}
					}
				}
			}
		})
	}
}
