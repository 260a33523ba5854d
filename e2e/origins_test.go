package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/operations"
	"corsguard/e2e/repo"
	"corsguard/e2e/wire"
)

// originService is a service behind a cluster, which gives a document of origins at each path that a test asks for.
type originService struct {
	*httptest.Server

	mu        sync.Mutex
	endpoints map[string]*originEndpoint
}

// originEndpoint is one path of the service. Until it is told what to answer, it answers 503.
type originEndpoint struct {
	mu       sync.Mutex
	answer   http.HandlerFunc // nil for the document
	document string
	etag     string
	requests []originRequest
}

type originRequest struct {
	at     time.Time
	host   string
	header http.Header
}

func newOriginService(t *testing.T) *originService {
	t.Helper()
	s := &originService{endpoints: map[string]*originEndpoint{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.at(r.RequestURI).serve(w, r) }))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func (s *originService) addr() string { return strings.TrimPrefix(s.URL, "http://") }

func (s *originService) at(path string) *originEndpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.endpoints[path]
	if e == nil {
		e = &originEndpoint{answer: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "starting", http.StatusServiceUnavailable) }}
		s.endpoints[path] = e
	}
	return e
}

func (e *originEndpoint) serve(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	e.requests = append(e.requests, originRequest{time.Now(), r.Host, r.Header})
	answer, document, etag := e.answer, e.document, e.etag
	e.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	if etag != "" {
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(document)) // a client that went away is of no interest
}

// give has the endpoint answer with a document from now on.
func (e *originEndpoint) give(document, etag string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer, e.document, e.etag = nil, document, etag
}

// do has the endpoint answer so from now on.
func (e *originEndpoint) do(answer http.HandlerFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = answer
}

func (e *originEndpoint) seen() []originRequest {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.requests)
}

func documentOf(origins ...string) string {
	text, err := json.Marshal(map[string]any{"allowOrigins": append([]string{}, origins...)})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// originGateway starts an Envoy with several workers and the cluster "origins", which is the service.
func originGateway(t *testing.T, s *originService, wasm string, mounts []string, args ...string) *envoy.Gateway {
	t.Helper()
	g, err := engine.Gateway(t.Context(), append(clusters(), envoy.Cluster("origins", s.addr(), false)), append([]string{wasm}, mounts...), append(args, "--concurrency", "3")...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func stopAtTheEnd(t *testing.T, stop func() error) {
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// fetchingFrom is a cors block with a source.
func fetchingFrom(cluster, path, times string) string {
	return fmt.Sprintf(`{"allowOrigins": ["https://static.example.com"], "allowOriginsFrom": {"cluster": %q, "authority": "origins.internal", "path": %q, %s}}`, cluster, path, times)
}

// often is for endpoints that are asked twice a second.
const often = `"interval": "1s", "timeout": "500ms"`

// balanced returns a listener of the plugin that gives each worker its part of the connections that are open at a time. Otherwise one worker may take all of them.
func balanced(name, config string) envoy.Object {
	l := envoy.HCM{Filters: []envoy.Object{plugin(config)}}.Listener(name)
	l["connection_balance_config"] = envoy.Object{"exact_balance": envoy.Object{}}
	return l
}

// onEveryWorker returns an error unless each of many connections at a time, to a balanced listener, gets a grant for an origin, or none.
func onEveryWorker(addr, host, from string, granted bool, more ...corpus.Header) error {
	want := []corpus.Header{varyOrigin}
	if granted {
		want = append(want, append(more, corpus.Header{"access-control-allow-origin", from})...)
	}
	conns := make([]*wire.H1Conn, 24)
	for i := range conns {
		var err error
		if conns[i], err = wire.DialH1(addr); err != nil {
			return err
		}
		defer conns[i].Close()
	}
	for _, conn := range conns {
		got, err := conn.Do(corpus.Request{Authority: host, Headers: []corpus.Header{originHeader(from)}})
		if err != nil {
			return err
		}
		if err := compareOwned(got.Headers, want); err != nil {
			return fmt.Errorf("%s from %s: %w", host, from, err)
		}
	}
	return nil
}

const (
	originPatience = 2 * time.Minute
	originsHost    = "api.example.com"
)

// clusterFile is where Envoy learns of clusters that come later.
type clusterFile struct{ dir string }

func newClusterFile(t *testing.T) clusterFile {
	t.Helper()
	f := clusterFile{t.TempDir()}
	f.put(t)
	return f
}

func (f clusterFile) put(t *testing.T, clusters ...envoy.Object) {
	t.Helper()
	resources := []envoy.Object{}
	for _, c := range clusters {
		c = maps.Clone(c)
		c["@type"] = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
		resources = append(resources, c)
	}
	text, err := json.Marshal(envoy.Object{"resources": resources})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.path()+".next", text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(f.path()+".next", f.path()); err != nil { // which is what Envoy watches for
		t.Fatal(err)
	}
}

func (f clusterFile) path() string { return filepath.Join(f.dir, "clusters.json") }

// config is for Envoy to merge into its own.
func (f clusterFile) config(t *testing.T) string {
	t.Helper()
	var config envoy.Object
	if err := json.Unmarshal([]byte(statsConfig(t)), &config); err != nil {
		t.Fatal(err)
	}
	source := envoy.Object{"resource_api_version": "V3", "path_config_source": envoy.Object{"path": f.path(), "watched_directory": envoy.Object{"path": f.dir}}}
	config["dynamic_resources"] = envoy.Object{"cds_config": source}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fetching is what the scenes of TestFetchedOrigins share.
type fetching struct {
	*envoy.Gateway

	service  *originService
	clusters clusterFile
}

// Each scene has a listener of its own, with a policy that fetches from a path of its own, all in one Envoy.
func TestFetchedOrigins(t *testing.T) {
	t.Parallel()
	scenes := []struct {
		name, config string
		run          func(t *testing.T, f fetching, addr string)
	}{
		{"allowed as long as they are listed", `{"cors": ` + fetchingFrom("origins", "/listed?x=y", `"interval": "6s", "timeout": "1s"`) + `}`, checkListed},
		{"refused until they were fetched", `{"cors": ` + fetchingFrom("origins", "/late", often) + `}`, checkLate},
		{"of each host", `{"cors": ` + fetchingFrom("origins", "/tenants", often) + `}`, checkTenants},
		{"of several sources", severalSources, checkSeveral},
		{"of a cluster that comes later", `{"cors": ` + fetchingFrom("later", "/later", often) + `}`, checkLaterCluster},
		{"of services that fail", failingConfig(0), func(t *testing.T, f fetching, addr string) { checkFailures(t, f, addr, 0) }},
		{"of more services that fail", failingConfig(sourcesInAConfiguration), func(t *testing.T, f fetching, addr string) { checkFailures(t, f, addr, sourcesInAConfiguration) }},
		{changingListener, changingPolicy("https://static.example.com"), checkChange},
	}
	f := fetching{service: newOriginService(t), clusters: newClusterFile(t)}
	f.Gateway = originGateway(t, f.service, wasm, []string{f.clusters.dir}, "--config-yaml", f.clusters.config(t))
	stopAtTheEnd(t, func() error { return stopGateway(f.Gateway) })
	var listeners []envoy.Object
	for _, scene := range scenes {
		listeners = append(listeners, balanced(scene.name, scene.config))
	}
	put(t, f.Gateway, listeners...)
	// The last one changes a listener, which takes Envoy's main thread some time: not while others look at theirs.
	last := scenes[len(scenes)-1]
	t.Run("at once", func(t *testing.T) {
		for _, scene := range scenes[:len(scenes)-1] {
			t.Run(scene.name, func(t *testing.T) {
				t.Parallel()
				scene.run(t, f, f.Addr(scene.name))
			})
		}
	})
	t.Run(last.name, func(t *testing.T) { last.run(t, f, f.Addr(last.name)) })
	t.Run("in the metrics", func(t *testing.T) { checkOriginMetrics(t, f) })
}

func checkListed(t *testing.T, f fetching, addr string) {
	e := f.service.at("/listed?x=y")
	e.give(documentOf("https://one.example.com", "https://*.two.example.com"), `"v1"`)
	until(t, originPatience, func() error { return onEveryWorker(addr, originsHost, "https://one.example.com", true) })
	for from, granted := range map[string]bool{
		"https://static.example.com": true, "https://a.two.example.com": true, "https://two.example.com": false, "https://three.example.com": false,
		"https://one.example.com.evil.test": false, "https://ONE.example.com": false,
	} {
		if err := onEveryWorker(addr, originsHost, from, granted); err != nil {
			t.Error(err)
		}
	}

	// What is not changed is not sent again. It is asked for after four seconds, less a tenth.
	var first, seen int // requests until the document came, and until the end of the try before
	inTime(t, "several workers fetch", func(int) error {
		var requests []originRequest // the last of those, and two more
		until(t, originPatience, func() error {
			all := e.seen()
			if first == 0 {
				first = max(0, slices.IndexFunc(all, func(r originRequest) bool { return r.header.Get("If-None-Match") != "" }))
				seen = first
			}
			if first == 0 || len(all) < seen+2 {
				return errors.New("nobody asks again")
			}
			requests = all[seen-1:]
			return nil
		})
		var early error
		for i, r := range requests {
			want := http.Header{"Accept": {"application/json"}, "User-Agent": {"corsguard"}, "X-Envoy-Internal": {"true"}, "X-Envoy-Expected-Rq-Timeout-Ms": {"1000"}}
			if seen-1+i >= first {
				want.Set("If-None-Match", `"v1"`)
			}
			if !maps.EqualFunc(r.header, want, slices.Equal) || r.host != "origins.internal" {
				t.Errorf("request %d: host %s, %v", i, r.host, r.header)
			}
			if i > 0 && r.at.Sub(requests[i-1].at) < 3*time.Second {
				early = fmt.Errorf("requests %d and %d are %v apart", i-1, i, r.at.Sub(requests[i-1].at))
			}
		}
		seen += len(requests) - 1
		return early
	})

	// An origin that is removed is refused within an interval, on every worker.
	inTime(t, "a removed origin was allowed for too long", func(try int) error {
		if try > 0 {
			e.give(documentOf("https://one.example.com"), fmt.Sprintf(`"v1-%d"`, try))
			until(t, originPatience, func() error { return onEveryWorker(addr, originsHost, "https://one.example.com", true) })
		}
		e.give(documentOf("https://four.example.com"), fmt.Sprintf(`"v2-%d"`, try))
		removed := time.Now()
		until(t, originPatience, func() error { return onEveryWorker(addr, originsHost, "https://one.example.com", false) })
		return notAfter(removed, 6*time.Second)
	})
	until(t, originPatience, func() error { return onEveryWorker(addr, originsHost, "https://four.example.com", true) })
}

// inTime measures up to three times, until once nothing is wrong. A machine may stall for a while, in each direction, but not each time. That none of it ever happens, the
// tests hold that have a clock of their own.
func inTime(t *testing.T, what string, measure func(try int) error) {
	t.Helper()
	const tries = 3
	var errs error
	for try := range tries {
		err := measure(try)
		if err == nil {
			return
		}
		t.Logf("%s: %v", what, err)
		errs = errors.Join(errs, err)
	}
	t.Errorf("%s: %v", what, errs)
}

func notAfter(start time.Time, limit time.Duration) error {
	if took := time.Since(start); took > limit {
		return fmt.Errorf("%v, longer than %v", took, limit)
	}
	return nil
}

// Until there is a document only the static list counts.
func checkLate(t *testing.T, f fetching, addr string) {
	if err := onEveryWorker(addr, originsHost, "https://static.example.com", true); err != nil {
		t.Error(err)
	}
	if err := onEveryWorker(addr, originsHost, "https://one.example.com", false); err != nil {
		t.Error(err)
	}
	f.service.at("/late").give(documentOf("https://one.example.com"), "")
	until(t, originPatience, func() error { return onEveryWorker(addr, originsHost, "https://one.example.com", true) })
}

func checkTenants(t *testing.T, f fetching, addr string) {
	e := f.service.at("/tenants")
	e.give(`{"hosts": {"a.tenants.example.com": {"allowOrigins": ["https://a.example.com"]}, "b.tenants.example.com": {"allowOrigins": ["https://b.example.com", "https://*.b.example.com"]},
		"none.tenants.example.com": {"allowOrigins": []}}}`, "")
	until(t, originPatience, func() error { return onEveryWorker(addr, "a.tenants.example.com", "https://a.example.com", true) })
	for _, c := range []struct {
		host, from string
		granted    bool
	}{
		{"a.tenants.example.com:8443", "https://a.example.com", true}, {"A.tenants.EXAMPLE.com", "https://a.example.com", true}, {"a.tenants.example.com.", "https://a.example.com", true},
		{"a.tenants.example.com", "https://b.example.com", false}, {"b.tenants.example.com", "https://b.example.com", true}, {"b.tenants.example.com", "https://x.b.example.com", true},
		{"b.tenants.example.com", "https://a.example.com", false}, {"none.tenants.example.com", "https://a.example.com", false}, {"c.tenants.example.com", "https://a.example.com", false},
		{"x.a.tenants.example.com", "https://a.example.com", false}, {"c.tenants.example.com", "https://static.example.com", true},
	} {
		if err := onEveryWorker(addr, c.host, c.from, c.granted); err != nil {
			t.Error(err)
		}
	}
	e.give(`{"hosts": {"a.tenants.example.com": {"allowOrigins": ["https://b.example.com"]}}}`, "")
	until(t, originPatience, func() error { return onEveryWorker(addr, "a.tenants.example.com", "https://a.example.com", false) })
	if err := onEveryWorker(addr, "b.tenants.example.com", "https://b.example.com", false); err != nil {
		t.Error(err)
	}
}

// severalSources has a source for each of two groups, one of which has credentials, and one for a rule.
var severalSources = `{
	"cors": [
		{"allowOriginsFrom": {"cluster": "origins", "path": "/several/credentials", ` + often + `}, "allowCredentials": true},
		{"allowOriginsFrom": {"cluster": "origins", "path": "/several/public", ` + often + `}}
	],
	"rules": [{"name": "partners", "match": {"hosts": ["partners.example.com"]}, "cors": ` + fetchingFrom("origins", "/several/partners", often) + `}]
}`

// A document is held to the rules of its group: with credentials there is no http origin, and a document that has one is refused whole.
func checkSeveral(t *testing.T, f fetching, addr string) {
	withCredentials := corpus.Header{"access-control-allow-credentials", "true"}
	credentials := f.service.at("/several/credentials")
	credentials.give(documentOf("https://one.example.com", "http://plain.example.com"), "")
	f.service.at("/several/public").give(documentOf("https://two.example.com", "http://plain.example.com"), "")
	f.service.at("/several/partners").give(documentOf("https://three.example.com"), "")
	until(t, originPatience, func() error { return onEveryWorker(addr, originsHost, "https://two.example.com", true) })
	until(t, originPatience, func() error { return onEveryWorker(addr, originsHost, "http://plain.example.com", true) })
	until(t, originPatience, func() error { return onEveryWorker(addr, "partners.example.com", "https://three.example.com", true) })
	until(t, originPatience, func() error { return f.counted(t, "origins_several_credentials", "invalid", 1) })
	for _, c := range [][2]string{{originsHost, "https://one.example.com"}, {originsHost, "https://three.example.com"}, {"partners.example.com", "https://two.example.com"}} {
		if err := onEveryWorker(addr, c[0], c[1], false); err != nil {
			t.Error(err)
		}
	}
	credentials.give(documentOf("https://one.example.com", "https://two.example.com"), "")
	until(t, originPatience, func() error {
		return onEveryWorker(addr, originsHost, "https://one.example.com", true, withCredentials)
	})
	until(t, originPatience, func() error {
		return onEveryWorker(addr, originsHost, "https://two.example.com", true, withCredentials)
	})
}

// counted returns an error unless a result of fetching was counted n times or more.
func (f fetching) counted(t *testing.T, source, result string, n int64) error {
	name := "wasmcustom.corsguard.source." + source + ".fetch." + result
	stats, err := f.Admin.Stats(t.Context(), "^wasmcustom.corsguard.source."+source+".")
	if err == nil && stats[name] < n {
		err = fmt.Errorf("%s is %d: %v", name, stats[name], stats)
	}
	return err
}

// A cluster may come, go and come again while the policy is in force.
func checkLaterCluster(t *testing.T, f fetching, addr string) {
	e := f.service.at("/later")
	e.give(documentOf("https://one.example.com"), "")
	until(t, originPatience, func() error { return f.counted(t, "later_later", "no_cluster", 2) })
	if err := onEveryWorker(addr, originsHost, "https://static.example.com", true); err != nil {
		t.Error(err)
	}
	later := envoy.Cluster("later", f.service.addr(), false)
	f.clusters.put(t, later)
	until(t, originPatience, func() error { return onEveryWorker(addr, originsHost, "https://one.example.com", true) })
	f.clusters.put(t)
	stats, err := f.Admin.Stats(t.Context(), "^wasmcustom.corsguard.source.later")
	if err != nil {
		t.Fatal(err)
	}
	missed := stats["wasmcustom.corsguard.source.later_later.fetch.no_cluster"]
	until(t, originPatience, func() error { return f.counted(t, "later_later", "no_cluster", missed+1) })
	if err := onEveryWorker(addr, originsHost, "https://one.example.com", true); err != nil {
		t.Error(err)
	}
	e.give(documentOf("https://two.example.com"), "")
	f.clusters.put(t, later)
	until(t, originPatience, func() error { return onEveryWorker(addr, originsHost, "https://two.example.com", true) })
}

// originFailures are the ways in which a source gives nothing, each named after the counter that tells of it.
var originFailures = []struct {
	name, counter string
	answer        http.HandlerFunc
}{
	{"500", "status", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, documentOf("https://evil.test"), http.StatusInternalServerError)
	}},
	{"a redirect", "status", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }},
	{"an empty 200", "invalid", func(http.ResponseWriter, *http.Request) {}},
	{"204", "status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }},
	{"no answer in time", "status", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	{"a body that never ends", "broken_off", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = fmt.Fprint(w, `{"allowOrigins": [ `)
			w.(http.Flusher).Flush()
			time.Sleep(50 * time.Millisecond)
		}
	}},
	{"a connection that breaks off", "status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = fmt.Fprint(w, `{"allowOrigins": [`)
		panic(http.ErrAbortHandler)
	}},
	{"a 304 that nobody asked for", "status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }},
	{"an encoded body", "encoded", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = fmt.Fprint(w, documentOf("https://evil.test"))
	}},
	{"garbage", "invalid", answerWith("<html>not found</html>")},
	{"half a document", "invalid", answerWith(`{"allowOrigins": ["https://evil.test"`)},
	{"a document with one bad origin", "invalid", answerWith(documentOf("https://evil.test", "https://Evil.test/"))},
	{"any origin", "invalid", answerWith(documentOf("*"))},
	{"another shape", "invalid", answerWith(`{"origins": ["https://evil.test"]}`)},
	{"both shapes", "invalid", answerWith(`{"allowOrigins": ["https://evil.test"], "hosts": {}}`)},
	{"an origin twice", "invalid", answerWith(documentOf("https://evil.test", "https://evil.test"))},
	{"more than maxBytes", "too_large", answerWith(documentOf("https://evil.test", "https://"+strings.Repeat("a", 60)+".example.com", strings.Repeat("x", 5000)))},
	{"invalid UTF-8", "invalid", answerWith("{\"allowOrigins\": [\"https://evil.test\", \"\xff\"]}")},
}

func answerWith(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
}

// sourcesInAConfiguration is how many there may be.
const sourcesInAConfiguration = 16

// failingConfig has a rule with a source for each of the failures from the first on, as many as may be.
func failingConfig(first int) string {
	var rules []string
	for i := first; i < min(first+sourcesInAConfiguration, len(originFailures)); i++ {
		rules = append(rules, fmt.Sprintf(`{"name": "failing-%d", "match": {"hosts": ["failing-%[1]d.example.com"]}, "cors": %s}`, i,
			fetchingFrom("origins", fmt.Sprintf("/failing/%d", i), `"interval": "1s", "timeout": "500ms", "maxBytes": 4096`)))
	}
	return `{"rules": [` + strings.Join(rules, ", ") + `]}`
}

// The last good document stays in force through every failure, which is counted; and the service is taken up again.
func checkFailures(t *testing.T, f fetching, addr string, first int) {
	each := func(do func(t *testing.T, failure int, host string, e *originEndpoint)) {
		for i := first; i < min(first+sourcesInAConfiguration, len(originFailures)); i++ {
			t.Run(originFailures[i].name, func(t *testing.T) {
				do(t, i, fmt.Sprintf("failing-%d.example.com", i), f.service.at(fmt.Sprintf("/failing/%d", i)))
			})
		}
	}
	each(func(_ *testing.T, _ int, _ string, e *originEndpoint) {
		e.give(documentOf("https://one.example.com"), "")
	})
	each(func(t *testing.T, i int, host string, e *originEndpoint) {
		until(t, originPatience, func() error { return onEveryWorker(addr, host, "https://one.example.com", true) })
		e.do(originFailures[i].answer)
	})
	each(func(t *testing.T, i int, host string, e *originEndpoint) {
		until(t, originPatience, func() error { return f.counted(t, fmt.Sprintf("origins_failing_%d", i), originFailures[i].counter, 2) })
		for from, granted := range map[string]bool{"https://one.example.com": true, "https://static.example.com": true, "https://evil.test": false} {
			if err := onEveryWorker(addr, host, from, granted); err != nil {
				t.Error(err)
			}
		}
		e.give(documentOf("https://two.example.com"), "")
	})
	each(func(t *testing.T, _ int, host string, _ *originEndpoint) {
		until(t, originPatience, func() error { return onEveryWorker(addr, host, "https://two.example.com", true) })
		until(t, originPatience, func() error { return onEveryWorker(addr, host, "https://one.example.com", false) })
	})
}

const changingListener = "of a policy that changes"

func changingPolicy(static string) string {
	return `{"cors": ` + strings.Replace(fetchingFrom("origins", "/changing", often), "https://static.example.com", static, 1) + `}`
}

// A new configuration takes over what the old one had fetched, at once, even when the service is down.
func checkChange(t *testing.T, f fetching, addr string) {
	e := f.service.at("/changing")
	e.give(documentOf("https://one.example.com"), "")
	until(t, originPatience, func() error { return onEveryWorker(addr, originsHost, "https://one.example.com", true) })
	e.do(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusInternalServerError) })
	put(t, f.Gateway, balanced(changingListener, changingPolicy("https://changed.example.com")))
	addr = f.Addr(changingListener)
	until(t, originPatience, func() error { return onEveryWorker(addr, originsHost, "https://changed.example.com", true) })
	if err := onEveryWorker(addr, originsHost, "https://one.example.com", true); err != nil {
		t.Error(err)
	}
}

func checkOriginMetrics(t *testing.T, f fetching) {
	text, err := f.Admin.Get(t.Context(), "/stats/prometheus")
	if err != nil {
		t.Fatal(err)
	}
	if err := operations.Compare(string(text), operations.LDS, operations.Source); err != nil {
		t.Error(err)
	}
	for _, name := range []string{`corsguard_source_fetch{source="origins_listed_x_y",result="not_modified"} `, `corsguard_source_fetch{source="later_later",result="no_cluster"} `} {
		if !strings.Contains(string(text), "\n"+name) {
			t.Errorf("there is no %s", name)
		}
	}
	const gauge = "wasmcustom.corsguard.source.origins_listed_x_y.last_success_seconds"
	stats, err := f.Admin.Stats(t.Context(), "^"+gauge+"$")
	if age := time.Now().Unix() - stats[gauge]; err != nil || age < 0 || age > 30 {
		t.Errorf("the last success was %d seconds ago, %v", age, err)
	}
}

func TestAHundredThousandFetchedOrigins(t *testing.T) {
	t.Parallel()
	const many = 100_000
	origins := make([]string, many)
	for i := range origins {
		origins[i] = fmt.Sprintf("https://app-%d.tenant-%d.example.com", i, i%1000)
	}
	s := newOriginService(t)
	e := s.at("/many")
	e.give(documentOf(origins...), `"v1"`)
	g := originGateway(t, s, wasm, nil)
	stopAtTheEnd(t, func() error { return stopGateway(g) })
	put(t, g, balanced("origins", `{"cors": `+fetchingFrom("origins", "/many", `"interval": "10s", "timeout": "3s", "maxBytes": 8000000`)+`}`))
	addr := g.Addr("origins")
	until(t, 2*originPatience, func() error { return onEveryWorker(addr, originsHost, origins[many-1], true) })
	for _, i := range []int{0, 1, many / 2} {
		if err := onEveryWorker(addr, originsHost, origins[i], true); err != nil {
			t.Error(err)
		}
	}
	inTime(t, "a removed origin was allowed for too long", func(try int) error {
		slowest, gone := time.Duration(0), origins[try]
		e.give(documentOf(origins[try+1:]...), fmt.Sprintf(`"v%d"`, try+2))
		removed := time.Now()
		for done := false; !done && time.Since(removed) < originPatience; {
			start := time.Now()
			got, err := wire.H1(addr, corpus.Request{Headers: []corpus.Header{originHeader(gone)}})
			if err != nil {
				t.Fatal(err)
			}
			slowest = max(slowest, time.Since(start))
			done = compareOwned(got.Headers, []corpus.Header{varyOrigin}) == nil && onEveryWorker(addr, originsHost, gone, false) == nil
		}
		t.Logf("refused after %v; the slowest request while the new document was read took %v", time.Since(removed), slowest)
		return notAfter(removed, 10*time.Second)
	})
}

// A VM that dies while it fetches keeps the lease until that ends; then another one fetches. Which one dies is Envoy's main thread's, as a rule: it ticks first.
func TestAVMThatDiesWhileItFetchesStopsNobody(t *testing.T) {
	t.Parallel()
	faulty, err := repo.BuildFaulty(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := newOriginService(t)
	const path = "/v1/origins?x-fault=trap"
	s.at(path).give(documentOf("https://one.example.com"), "")
	g := originGateway(t, s, faulty, nil)
	stopAtTheEnd(t, g.Stop)
	config := `{"cors": ` + fetchingFrom("origins", path, often) + `}`
	put(t, g, envoy.HCM{Filters: []envoy.Object{envoy.Plugin{Wasm: faulty, Config: []byte(config), Name: "faulty"}.Filter()}}.Listener("origins"))
	addr := g.Addr("origins")
	until(t, originPatience, func() error {
		if len(g.Log.Entries("the VM ends while it fetches")) != 1 {
			return errors.New("no VM has died")
		}
		return nil
	})
	until(t, originPatience, func() error { return grants(addr, "https://one.example.com") })
}
