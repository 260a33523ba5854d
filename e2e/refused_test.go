package e2e_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
)

// Policies that several tests use.
const (
	goodConfig = `{"cors": {"allowOrigins": ["https://app.example.com"]}}`
	badConfig  = `{"cors": {"allowOrigins": ["https://App.example.com"], "maxAge": "7200"}}`
)

// refusedPerUpdate bounds how long Envoy is busy with one update, and answers nobody.
const refusedPerUpdate = 200

// TestRefusedConfigs pushes every configuration that must be refused as a listener of its own, many in one update, with a good one beside them.
func TestRefusedConfigs(t *testing.T) {
	refusals, err := corpus.LoadRefusals("corpus")
	if err != nil {
		t.Fatal(err)
	}
	g := startGateway(t, "--concurrency", "1")
	put(t, g, envoy.HCM{Filters: []envoy.Object{plugin(goodConfig)}}.Listener("good"))
	var listeners []envoy.Object
	for i, r := range refusals {
		config, err := r.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		p := envoy.Plugin{Wasm: wasm, Config: config, Name: refusedName(i)}
		listeners = append(listeners, envoy.HCM{Filters: []envoy.Object{p.Filter()}}.Listener(p.Name))
	}
	refused := map[string]string{}
	for some := range slices.Chunk(listeners, refusedPerUpdate) {
		of, err := g.Put(t.Context(), some...)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(refused, of)
	}

	got, err := http1.do(g.Addr("good"), corpus.Request{Headers: []corpus.Header{{"origin", "https://app.example.com"}}})
	if err != nil {
		t.Fatal(err)
	}
	check(t, got, 200, corpus.Header{"access-control-allow-origin", "https://app.example.com"}, corpus.Header{"vary", "Origin"})

	var said map[string][]string
	until(t, updateLimit, func() error { // the log comes through a pipe, after what Envoy answers
		said = logPerPlugin(g.Log)
		for name := range refused {
			if len(said[name]) == 0 {
				return fmt.Errorf("the log does not name %s", name)
			}
		}
		return nil
	})
	for i, r := range refusals {
		t.Run(r.File+"/"+r.Name, func(t *testing.T) {
			if _, bad := refused[refusedName(i)]; !bad {
				t.Fatalf("Envoy accepted it")
			}
			for _, path := range r.Paths {
				if !slices.ContainsFunc(said[refusedName(i)], func(entry string) bool { return strings.Contains(entry, path) }) {
					t.Errorf("the log does not name %s:\n%s", path, strings.Join(said[refusedName(i)], ""))
				}
			}
		})
	}
}

func refusedName(i int) string { return fmt.Sprintf("refused-%03d", i) }

// logPerPlugin returns what Envoy logged for each plugin that failed to load. Envoy tries them one after the other, and names the plugin only at
// the end of its entries.
func logPerPlugin(log *envoy.Log) map[string][]string {
	said := map[string][]string{}
	var entries []string
	for _, entry := range log.Entries("[wasm]") {
		entries = append(entries, entry)
		if _, rest, failed := strings.Cut(entry, "] Plugin "); failed && strings.Contains(rest, " failed to load") {
			name, _, _ := strings.Cut(rest, " ")
			said[name] = append(said[name], entries...)
			entries = nil
		}
	}
	return said
}

// TestBadConfigStopsStart holds that an Envoy whose own file has a bad policy does not come up.
func TestBadConfigStopsStart(t *testing.T) {
	p, err := engine.Start(t.Context(), envoy.Options{
		Bootstrap: envoy.Object{"static_resources": envoy.Object{
			"clusters":  clusters(),
			"listeners": []envoy.Object{envoy.HCM{Filters: []envoy.Object{plugin(badConfig)}}.Listener("bad")},
		}},
		Mounts: []string{wasm},
	})
	if err == nil {
		p.Stop()
		t.Fatal("Envoy started")
	}
	var exit *envoy.ExitError
	if !errors.As(err, &exit) || exit.Code == 0 {
		t.Fatalf("Envoy did not exit with an error: %v", err)
	}
	for _, path := range []string{"cors.allowOrigins[0]", "cors.maxAge"} {
		if len(exit.Log.Entries("wasm log", path)) == 0 {
			t.Errorf("the log does not name %s:\n%s", path, exit.Log.Tail(30))
		}
	}
}

// TestBadUpdateKeepsPolicy holds that a bad policy does not replace the one in force.
func TestBadUpdateKeepsPolicy(t *testing.T) {
	g := startGateway(t, "--concurrency", "1")
	put(t, g, envoy.HCM{Filters: []envoy.Object{plugin(goodConfig)}}.Listener("policy"))
	refused, err := g.Put(t.Context(), envoy.HCM{Filters: []envoy.Object{plugin(badConfig)}}.Listener("policy"))
	if err != nil {
		t.Fatal(err)
	}
	if refused["policy"] == "" {
		t.Error("Envoy accepted the bad policy")
	}
	for _, p := range protocols {
		got, err := p.do(g.Addr("policy"), corpus.Request{Headers: []corpus.Header{{"origin", "https://app.example.com"}}})
		if err != nil {
			t.Fatal(err)
		}
		check(t, got, 200, corpus.Header{"access-control-allow-origin", "https://app.example.com"}, corpus.Header{"vary", "Origin"})
	}
}
