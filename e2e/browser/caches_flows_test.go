package browser_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// sharedCache is a cache as it stands in front of a gateway: for all clients alike, by URL, and by the request headers that Vary names (RFC 9111, section 4.1). It keeps what says
// how long it may be kept, and never throws it away. It is safe for concurrent use.
type sharedCache struct {
	site   // where it is to be found
	behind site

	client http.Client
	mu     sync.Mutex
	kept   map[string][]*keptResponse // by URL
}

type keptResponse struct {
	request http.Header // of the request that it answered
	status  int
	header  http.Header
	body    []byte
}

func startSharedCache(t *testing.T, behind site) *sharedCache {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(identity.key)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := x509.ParseCertificate(identity.der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(trusted)
	transport := &http.Transport{
		DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) { // the names of the tests are the browser's alone
			return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+behind.port)
		},
	}
	c := &sharedCache{site: site{port}, behind: behind, client: http.Client{Transport: transport}, kept: map[string][]*keptResponse{}}
	server := http.Server{
		Handler: c, ReadHeaderTimeout: idleLimit,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{identity.der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12},
	}
	go func() { _ = server.ServeTLS(listener, "", "") }() // returns when it is closed
	t.Cleanup(func() { server.Close(); transport.CloseIdleConnections() })
	return c
}

// ServeHTTP answers one request, from what is kept or from behind.
func (c *sharedCache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	url := c.behind.origin(strings.Split(r.Host, ":")[0]) + r.URL.RequestURI()
	answer := c.find(r, url)
	if answer == nil {
		var err error
		if answer, err = c.fetch(r, url); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
	}
	maps.Copy(w.Header(), answer.header)
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body) // who has gone away needs none
}

func (c *sharedCache) find(r *http.Request, url string) *keptResponse {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.kept[url] {
		if r.Method == http.MethodGet && k.fits(r.Header) {
			return k
		}
	}
	return nil
}

// fits reports whether it would have answered a request with these headers.
func (k *keptResponse) fits(h http.Header) bool {
	for _, line := range k.header.Values("vary") {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.TrimSpace(name)
			if name == "*" || strings.Join(h.Values(name), ",") != strings.Join(k.request.Values(name), ",") {
				return false
			}
		}
	}
	return true
}

func (c *sharedCache) fetch(r *http.Request, url string) (*keptResponse, error) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, url, r.Body)
	if err != nil {
		return nil, err
	}
	request.Header = r.Header.Clone()
	resp, err := c.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	k := &keptResponse{request: request.Header, status: resp.StatusCode, header: resp.Header}
	if k.body, err = io.ReadAll(resp.Body); err != nil {
		return nil, err
	}
	if r.Method == http.MethodGet && strings.Contains(resp.Header.Get("cache-control"), "max-age=") {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.kept[url] = append(c.kept[url], k)
	}
	return k, nil
}

// TestSharedCache holds that nobody can make a cache in front of Envoy serve a page what was meant for another: an attacker who asks first with an Origin of his own, or with none,
// only fills his own place. Without Vary, what he was given is what the page gets, and the page breaks.
func TestSharedCache(t *testing.T) {
	t.Parallel()
	const www = "www.example.test"
	const policy = `{"cors": {"allowOrigins": ["https://*.example.test:*"]}}`
	// Profiles of their own, so that the cache in the middle is the only one.
	reader, visitor, attacker := open(t, bare.url(app, "/page")), open(t, bare.url(www, "/page")), open(t, bare.url(evil, "/page"))
	guarded := behind(t, policy)
	for _, c := range []struct {
		name     string
		site     site
		own      []string
		poisoned bool
	}{
		{"plugin", guarded, nil, false},
		{"plugin over an upstream that allows all without Vary", guarded, []string{allowOrigin, allowCredentials}, false},
		{"upstream that allows all without Vary", bare, []string{allowOrigin, allowCredentials}, true},
		{"upstream that allows all with Vary", bare, []string{allowOrigin, "vary: Origin"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cache := startSharedCache(t, c.site)
			for _, first := range []struct {
				name   string
				from   *page
				script string
			}{
				{"another allowed page", visitor, "read"}, {"an attacker's page", attacker, "read"}, {"an image, without an Origin", attacker, "image"},
			} {
				address := cache.url(api, "/image", append(c.own, "cache-control: no-store, max-age=60")...)
				eval[any](first.from.in(t), "%s(%q)", first.script, address)
				for range 2 {
					if got := eval[response](reader.in(t), "read(%q)", address); (got.Status == 200) == c.poisoned {
						t.Errorf("after %s, the page got %+v", first.name, got)
					}
				}
				want := 2 // one for each Origin; the page's second comes out of the cache
				if c.poisoned {
					want = 1
				}
				if arrived := backend.seen(t, address); len(arrived) != want {
					t.Errorf("after %s, %d requests came to the upstream, want %d", first.name, len(arrived), want)
				}
			}
		})
	}
}

// TestPreflightCache holds that the browser asks once and then remembers for as long as the policy says, for that URL and what was asked. Corsguard answers preflights, so it is its
// counters that tell how many came.
func TestPreflightCache(t *testing.T) {
	t.Parallel()
	const put, token = "{method: 'PUT'}", "{method: 'PUT', headers: {'x-token': '1'}}"
	p := open(t, bare.url(app, "/page"))
	for _, c := range []struct {
		name, maxAge string
		inits        [3]string
		preflights   int64
		otherURLs    bool
	}{
		{name: "kept", maxAge: `, "maxAge": 600`, inits: [3]string{put, put, put}, preflights: 1},
		{name: "not_kept", maxAge: `, "maxAge": 0`, inits: [3]string{put, put, put}, preflights: 3},
		{name: "other_header", maxAge: `, "maxAge": 600`, inits: [3]string{put, token, put}, preflights: 1},
		{name: "other_url", maxAge: `, "maxAge": 600`, inits: [3]string{put, put, put}, preflights: 3, otherURLs: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := behind(t, fmt.Sprintf(`{"rules": [{"name": "cache_%s", "match": {"hosts": ["api.example.test"]}, "cors": {
				"allowOrigins": ["https://app.example.test:*"], "allowMethods": ["PUT"], "allowHeaders": ["x-token"]%s}}]}`, c.name, c.maxAge))
			address := s.url(api, "/data.json")
			for _, init := range c.inits {
				if c.otherURLs {
					address = s.url(api, "/data.json")
				}
				if got := eval[response](p.in(t), "read(%q, %s)", address, init); got.Status != 200 {
					t.Fatalf("the page got %+v", got)
				}
			}
			prefix, suffix := "wasmcustom.corsguard.rule.cache_"+c.name+".kind.", ".decision.allowed.reason.origin_allowed"
			until(t, tellLimit, func() error {
				stats, err := gateway.Admin.Stats(t.Context(), "cache_"+c.name)
				if preflights, n := stats[prefix+"preflight"+suffix], stats[prefix+"actual"+suffix]; preflights != c.preflights || n != 3 {
					return cmp.Or(err, fmt.Errorf("%d preflights, want %d, and %d requests", preflights, c.preflights, n))
				}
				return nil
			})
		})
	}
}
