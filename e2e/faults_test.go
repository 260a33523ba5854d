package e2e_test

import (
	"fmt"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/repo"
	"corsguard/e2e/upstream"
)

// TestAPanicEndsOneRequest runs a build of the plugin that panics on demand. The request gets what a refused one gets, the next one what it should, and the
// VM lives: Envoy never answers 503, and reports no crash.
func TestAPanicEndsOneRequest(t *testing.T) {
	t.Parallel()
	g, faulty := startFaulty(t)
	put(t, g, envoy.HCM{Filters: []envoy.Object{envoy.Plugin{Wasm: faulty, Config: []byte(appConfig), Name: "faulty"}.Filter()}}.Listener("faulty"))
	backend.On(t.Name(), upstream.Answer{Headers: upstreamCORS})

	const rounds = 10
	for range rounds {
		for phase, want := range map[string][]corpus.Header{"request": grantNothing, "response": nil} {
			fault := corpus.Header{"x-fault", phase}
			check(t, send(t, http1, g.Addr("faulty"), corpus.Request{Headers: []corpus.Header{originHeader(appOrigin), fault}}), 200, want...)
			check(t, send(t, http1, g.Addr("faulty"), corpus.Request{Headers: []corpus.Header{originHeader(appOrigin)}}), 200, grantActual...)
		}
	}
	until(t, countersLimit, func() error {
		stats, err := g.Admin.Stats(t.Context(), "^wasmcustom\\.corsguard\\.panics$")
		if n := stats["wasmcustom.corsguard.panics"]; n != 2*rounds {
			return fmt.Errorf("%d panics are counted, want %d (%w)", n, 2*rounds, err)
		}
		return nil
	})
	if crashes := g.Log.Entries("[wasm]", "Uncaught RuntimeError"); len(crashes) > 0 {
		t.Errorf("the VM crashed: %s", crashes[0])
	}
}

// startFaulty starts an Envoy for a build of the plugin that panics on demand, and returns the build's path. Unlike others, it may end with panics.
func startFaulty(t *testing.T) (*envoy.Gateway, string) {
	t.Helper()
	faulty, err := repo.BuildFaulty(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	g, err := engine.Gateway(t.Context(), clusters(), []string{faulty}, "--concurrency", "1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Stop(); err != nil {
			t.Error(err)
		}
	})
	return g, faulty
}
