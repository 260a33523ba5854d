package e2e_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/wire"
)

// updateLimit bounds the time until a new policy is in force.
const updateLimit = 2 * time.Minute

// policyFor allows one origin, which tells the policies apart.
func policyFor(n int) (config, origin string) {
	origin = fmt.Sprintf("https://app-%d.example.com", n)
	return fmt.Sprintf(`{"cors": {"allowOrigins": [%q]}}`, origin), origin
}

// grants returns an error unless the listener's policy grants from access.
func grants(addr, from string) error {
	got, err := wire.H1(addr, corpus.Request{Headers: []corpus.Header{originHeader(from)}})
	if err != nil {
		return err
	}
	return compareOwned(got.Headers, []corpus.Header{{"access-control-allow-origin", from}, varyOrigin})
}

// updateWays are the ways to give a listener, named after the way, another configuration.
var updateWays = []struct {
	name  string
	apply func(t *testing.T, g *envoy.Gateway, config string)
}{
	{"LDS", func(t *testing.T, g *envoy.Gateway, config string) {
		t.Helper()
		put(t, g, envoy.HCM{Filters: []envoy.Object{plugin(config)}}.Listener("LDS"))
	}},
	{"ECDS", func(t *testing.T, g *envoy.Gateway, config string) {
		t.Helper()
		if err := g.PutFilter("filter", envoy.Plugin{Wasm: wasm, Config: []byte(config), Name: "ecds"}); err != nil {
			t.Fatal(err)
		}
		if g.Addr("ECDS") == "" {
			put(t, g, envoy.HCM{Filters: []envoy.Object{g.DiscoveredFilter("filter")}}.Listener("ECDS"))
		}
	}},
}

// TestPolicyPerListener holds that listeners whose plugins share a VM answer each by their own policy, and by that alone.
func TestPolicyPerListener(t *testing.T) {
	t.Parallel()
	const policies = 8
	g := sharedGateway(t)
	name := func(n int) string { return fmt.Sprintf("policy-%d", n) }
	var listeners []envoy.Object
	for n := range policies {
		config, _ := policyFor(n)
		listeners = append(listeners, envoy.HCM{Filters: []envoy.Object{plugin(config)}}.Listener(name(n)))
	}
	put(t, g, listeners...)
	for n := range policies {
		for m := range policies {
			_, from := policyFor(m)
			want := []corpus.Header{varyOrigin}
			if n == m {
				want = append(want, corpus.Header{"access-control-allow-origin", from})
			}
			check(t, send(t, http1, g.Addr(name(n)), corpus.Request{Headers: []corpus.Header{originHeader(from)}}), 200, want...)
		}
	}
}

// TestPolicyUpdate replaces a policy over and over while requests run. Every request must be answered whole, by one policy or the next.
func TestPolicyUpdate(t *testing.T) {
	t.Parallel()
	const updates = 5
	g := startGateway(t, "--concurrency", "2")
	for _, way := range updateWays {
		t.Run(way.name, func(t *testing.T) {
			config, from := policyFor(0)
			way.apply(t, g, config)
			addr := g.Addr(way.name)
			until(t, updateLimit, func() error { return grants(addr, from) })

			stop := load(t, addr)
			for n := 1; n <= updates; n++ {
				config, from := policyFor(n)
				way.apply(t, g, config)
				until(t, updateLimit, func() error { return grants(addr, from) })
			}
			t.Logf("%d requests", stop())
		})
	}
}

// load sends requests until stop is called, which returns how many there were. Each must be answered by the upstream, and carry at most one
// grant, of what it asked for.
func load(t *testing.T, addr string) (stop func() int64) {
	var sent atomic.Int64
	var wg sync.WaitGroup
	done := make(chan struct{})
	for worker := range 4 {
		wg.Go(func() {
			for n := worker; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				_, from := policyFor(n % 6)
				got, err := wire.H1(addr, corpus.Request{Headers: []corpus.Header{originHeader(from)}})
				if err != nil {
					t.Errorf("a request failed: %v", err)
					return
				}
				granted := []corpus.Header{{"access-control-allow-origin", from}, varyOrigin}
				if got.Status != 200 || compareOwned(got.Headers, granted) != nil && compareOwned(got.Headers, grantNothing) != nil {
					t.Errorf("status %d with\n%s", got.Status, lines(got.Headers))
				}
				sent.Add(1)
			}
		})
	}
	stop = sync.OnceValue(func() int64 {
		close(done)
		wg.Wait()
		return sent.Load()
	})
	t.Cleanup(func() { stop() }) // a test that gives up leaves no sender behind
	return stop
}

// TestConcurrency holds that every worker's VM answers alike. Connections spread over workers by chance, so there are many.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "--concurrency", "2")
	put(t, g, app().Listener("app"))
	addr := g.Addr("app")
	until(t, updateLimit, func() error {
		for range 20 {
			checkActuals(t, addr, corpus.Request{}, 200)
			checkPreflights(t, addr)
		}
		stats, err := g.Admin.Stats(t.Context(), `worker_.*downstream_cx_total`)
		if err != nil {
			return err
		}
		if len(stats) != 2 {
			return fmt.Errorf("connections of %d workers: %v", len(stats), stats)
		}
		for name, connections := range stats {
			t.Log(name, connections)
			if connections < 20 { // of which some were of every kind
				return fmt.Errorf("%s is %d", name, connections)
			}
		}
		return nil
	})
}
