package e2e_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// corpusClients is how many cases are under way at a time.
const corpusClients = 8

// TestCorpus runs every case on one Envoy with one worker: each distinct configuration on a listener of its own, all in one VM. Then the plugin's
// counters must be the sum of the cases.
func TestCorpus(t *testing.T) {
	cases, err := corpus.Load("corpus")
	if err != nil {
		t.Fatal(err)
	}
	g := startGateway(t, "--concurrency", "1")
	addrs := listenerPerConfig(t, g, cases)

	want := tally{}
	for _, p := range protocols {
		t.Run(p.name, func(t *testing.T) {
			sent := slices.DeleteFunc(slices.Clone(cases), func(c corpus.Case) bool { return !p.takes(c.Request) })
			for _, c := range sent {
				want.add(c.Want)
			}
			runCases(t, sent, func(t *testing.T, c corpus.Case) { runCase(t, p, addrs[configKey(c)], c) })
			t.Logf("%d of %d cases", len(sent), len(cases))
		})
	}
	t.Run("counters", func(t *testing.T) { want.compare(t, g) })
}

// listenerPerConfig returns the address of a listener for each configuration, by configKey. It has the routes that the configuration's cases name.
func listenerPerConfig(t *testing.T, g *envoy.Gateway, cases []corpus.Case) map[string]string {
	t.Helper()
	names, routes := map[string]string{}, routesPerConfig(cases)
	var listeners []envoy.Object
	for _, c := range cases {
		key := configKey(c)
		if names[key] != "" {
			continue
		}
		names[key] = fmt.Sprintf("config-%03d", len(names))
		h := envoy.HCM{Filters: []envoy.Object{envoy.Plugin{Wasm: wasm, Config: c.Config, Name: names[key]}.Filter()}, Routes: routes[key]}
		listeners = append(listeners, h.Listener(names[key]))
	}
	put(t, g, listeners...)
	t.Logf("%d configurations", len(listeners))
	addrs := map[string]string{}
	for key, name := range names {
		addrs[key] = g.Addr(name)
	}
	return addrs
}

// routeHeader is the request header by which the listeners of the corpus choose a named route, and the response header by which the route says that it
// was taken.
const routeHeader = "x-corpus-route"

// routesPerConfig returns, by configKey, the routes of the configurations that have cases with a route: the named ones before the ones that
// every listener has, which the requests without the header take.
func routesPerConfig(cases []corpus.Case) map[string][]envoy.Object {
	routes, seen := map[string][]envoy.Object{}, map[[2]string]bool{}
	for _, c := range cases {
		key := configKey(c)
		if c.Request.Route == "" || seen[[2]string{key, c.Request.Route}] {
			continue
		}
		seen[[2]string{key, c.Request.Route}] = true
		for _, r := range envoy.DefaultRoutes() {
			value := routeHeaderValue(c.Request.Route)
			r["name"] = c.Request.Route
			r["match"].(envoy.Object)["headers"] = []envoy.Object{{"name": routeHeader, "string_match": envoy.Object{"exact": value}}}
			r["response_headers_to_add"] = []envoy.Object{{"header": envoy.Object{"key": routeHeader, "value": value}}}
			routes[key] = append(routes[key], r)
		}
	}
	for key := range routes {
		routes[key] = append(routes[key], envoy.DefaultRoutes()...)
	}
	return routes
}

// routeHeaderValue spells a route's name, which may be of any characters, so that a header can hold it. No route is the empty string.
func routeHeaderValue(name string) string { return hex.EncodeToString([]byte(name)) }

// configKey returns the same for configurations that differ in white space only.
func configKey(c corpus.Case) string {
	var b bytes.Buffer
	if json.Compact(&b, c.Config) != nil {
		return string(c.Config)
	}
	return b.String()
}

// runCases runs the cases, several at a time, each as a subtest.
func runCases(t *testing.T, cases []corpus.Case, run func(*testing.T, corpus.Case)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, corpusClients)
	for _, c := range cases {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			t.Run(c.File+"/"+c.Name, func(t *testing.T) { run(t, c) })
		})
	}
	wg.Wait()
}

func runCase(t *testing.T, p protocol, addr string, c corpus.Case) {
	id := t.Name()
	backend.On(id, upstream.Answer{Status: c.Upstream.Status, Headers: c.Upstream.Headers})
	r := wire.With(c.Request, upstream.CaseHeader, id)
	if c.Request.Route != "" {
		r = wire.With(r, routeHeader, routeHeaderValue(c.Request.Route))
	}
	got, err := p.do(addr, r)
	if err != nil {
		t.Fatal(err)
	}
	if took := strings.Join(got.Get(routeHeader), ","); took != routeHeaderValue(c.Request.Route) {
		t.Errorf("the request took the route %q, not %q", took, routeHeaderValue(c.Request.Route))
	}
	check(t, got, c.Want.Status, c.Want.Headers...)
	checkForwarded(t, c, backend.Seen(id))
	if t.Failed() {
		t.Logf("request:\n%s", wire.Format(c.Request))
	}
}

// checkForwarded checks that the upstream saw the request once or never, and with the headers that the client sent: the plugin writes none.
func checkForwarded(t *testing.T, c corpus.Case, seen []upstream.Seen) {
	t.Helper()
	if !c.Want.Forwarded {
		if len(seen) > 0 {
			t.Errorf("the upstream saw the request")
		}
		return
	}
	if len(seen) != 1 {
		t.Fatalf("the upstream saw %d requests, want 1", len(seen))
	}
	if seen[0].Method != c.Request.Method {
		t.Errorf("the upstream saw method %q", seen[0].Method)
	}
	for _, name := range []string{"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"} {
		var sent []string
		for _, h := range c.Request.Headers {
			if strings.EqualFold(h[0], name) {
				sent = append(sent, strings.Trim(h[1], " \t"))
			}
		}
		if got := seen[0].Header.Values(name); !slices.Equal(elements(strings.Join(got, ",")), elements(strings.Join(sent, ","))) {
			t.Errorf("the upstream saw %s %q, the client sent %q", name, got, sent)
		}
	}
}
