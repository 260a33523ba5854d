// Package soak_test has mixed and hostile traffic run against several workers for a while, while the policy changes, the origins that are fetched change, the upstream fails and
// VMs are made to die. Nothing may be granted that no policy grants, no request may be lost that Envoy could serve, and memory stays flat. SOAK says for how long.
package soak_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"corsguard/e2e/envoy"
	"corsguard/e2e/repo"
)

const (
	workers = "3"
	// grace is how long an origin may still be allowed after it was taken out: the interval, or an update of the policy, on a machine that does other things besides.
	grace = 15 * time.Second
)

// soak is a run.
type soak struct {
	t        *testing.T
	gateway  *envoy.Gateway
	policies *generations // origins of the policy
	fetched  *generations // origins of the service
	stop     chan struct{}

	requests, granted, refused, upstreamFailures, unavailable, crashes, reloads atomic.Int64

	mu     sync.Mutex
	faults []string
}

func duration(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("SOAK")
	if text == "" {
		text = "60s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 30*time.Second {
		t.Fatalf("SOAK=%q: write a time of 30s or more", text)
	}
	return d
}

func TestSoak(t *testing.T) {
	length := duration(t)
	dir := t.TempDir()
	wasm, err := repo.CopyWasm(dir)
	if err != nil {
		t.Fatal(err)
	}
	faulty, err := repo.BuildFaulty(dir)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := envoy.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := &soak{t: t, policies: &generations{name: "policy"}, fetched: &generations{name: "fetched"}, stop: make(chan struct{})}
	clusters := []envoy.Object{envoy.Cluster("upstream", startUpstream(t), false), envoy.Cluster("origins", startOrigins(t, s.fetched), false)}
	if s.gateway, err = engine.Gateway(t.Context(), clusters, []string{wasm, faulty}, "--concurrency", workers); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.gateway.Stop(); err != nil {
			t.Error(err)
		}
	}()
	s.listen(wasm, faulty)
	s.warmUp()

	var wg sync.WaitGroup
	for _, run := range s.parts(wasm) {
		wg.Go(run)
	}
	memory := s.watchMemory(length)
	close(s.stop)
	wg.Wait()

	t.Logf("%v: %d requests, %d granted, %d refused, %d failures of the upstream, %d VMs ended and %d requests got 503 for it, %d policies, %d documents", length, s.requests.Load(),
		s.granted.Load(), s.refused.Load(), s.upstreamFailures.Load(), s.crashes.Load(), s.unavailable.Load(), s.policies.now(), s.fetched.now())
	memory.check(t)
	s.checkEnd()
	for _, f := range s.faults {
		t.Error(f)
	}
}

// listen makes two listeners: one whose policy changes, and one whose VM dies now and then.
func (s *soak) listen(wasm, faulty string) {
	s.t.Helper()
	s.putPolicy(wasm, 0)
	crashing := envoy.Plugin{Wasm: faulty, Config: policyOf(s.policies.origin(0)), Name: "crashing", Reload: true}
	refused, err := s.gateway.Put(s.t.Context(), envoy.HCM{Filters: []envoy.Object{s.gateway.DiscoveredFilter("policy")}}.Listener("steady"),
		envoy.HCM{Filters: []envoy.Object{crashing.Filter()}}.Listener("crashing"))
	if err != nil || len(refused) > 0 {
		s.t.Fatalf("%v, refused %v", err, refused)
	}
}

func policyOf(origin string) []byte {
	return fmt.Appendf(nil, `{"cors": {"allowOrigins": ["https://static.example.com", %q], "allowMethods": ["GET", "PUT"], "allowCredentials": true,
		"allowOriginsFrom": {"cluster": "origins", "path": "/", "interval": "2s", "timeout": "500ms"}},
		"securityHeaders": {"xContentTypeOptions": "nosniff"}}`, origin)
}

func (s *soak) putPolicy(wasm string, generation int) {
	if err := s.gateway.PutFilter("policy", envoy.Plugin{Wasm: wasm, Config: policyOf(s.policies.origin(generation)), Name: "steady"}); err != nil {
		s.fault("the policy: %v", err)
	}
}

func (s *soak) fault(format string, args ...any) {
	const most = 20
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) < most {
		s.faults = append(s.faults, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	}
}

// every calls f at intervals until the end.
func (s *soak) every(interval time.Duration, f func()) func() {
	return func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-s.stop:
				return
			case <-ticker.C:
				f()
			}
		}
	}
}

// parts are what goes on at the same time.
func (s *soak) parts(wasm string) []func() {
	steady, crashing := s.gateway.Addr("steady"), s.gateway.Addr("crashing")
	parts := []func(){
		s.every(time.Second, func() { s.putPolicy(wasm, s.policies.next()) }),
		s.every(1500*time.Millisecond, func() { s.fetched.next() }),
		s.every(3*time.Second, func() { s.crash(crashing) }),
		s.every(5*time.Millisecond, func() { s.hostile(steady) }),
	}
	for i := range 4 {
		parts = append(parts, func() { s.load(steady, i%2 == 1) })
	}
	return parts
}

// checkEnd looks at what Envoy says of the whole run.
func (s *soak) checkEnd() {
	stats, err := s.gateway.Admin.Stats(context.Background(), "^wasmcustom.corsguard.panics$|vm_reload|listener_manager.listener_create_failure")
	if err != nil {
		s.fault("%v", err)
	}
	if n := stats["wasmcustom.corsguard.panics"]; n > 0 {
		s.fault("%d panics", n)
	}
	if s.crashes.Load() == 0 || s.granted.Load() == 0 || s.refused.Load() == 0 || s.upstreamFailures.Load() == 0 {
		s.fault("a part did not run")
	}
	s.t.Logf("%v", stats)
}
