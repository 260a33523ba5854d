package e2e_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/operations"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// What operations.RateLimitFile says, as far as the tests need to know.
const (
	shopOrigin       = "https://shop.example.com"
	accountOrigin    = "https://account.example.com"
	originTokens     = 600 // and 10 more each second
	addressTokens    = 60  // and 1 more each second
	exposedOnDenials = "retry-after, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, www-authenticate"
	rateLimitStats   = "api.http_local_rate_limit."
)

// Credentials of the file's user, and a token that jwtAuthn takes.
var (
	asAda     = corpus.Header{"authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("ada:password"))}
	withToken = corpus.Header{"authorization", "Bearer " + signed(`{"alg":"HS256","kid":"k"}`, `{"iss":"https://issuer.example.com","exp":4102444800}`)}
	withStale = corpus.Header{"authorization", "Bearer " + signed(`{"alg":"HS256","kid":"k"}`, `{"iss":"https://issuer.example.com","exp":1000000000}`)}
)

func signed(head, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(head)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, []byte("secret-secret-secret-secret-secret"))
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

// copies are the listeners beside the file's own, "api". Each has buckets of its own.
var copies = map[string]operations.Change{
	"jwt":     func(l operations.Listener) error { return l.Replace("envoy.filters.http.basic_auth", jwtAuthn()) },
	"denials": func(operations.Listener) error { return nil },
	"origins": func(operations.Listener) error { return nil },
	"address": func(operations.Listener) error { return nil },
	"deny": func(l operations.Listener) error {
		shown, err := operations.AccessLog()
		l.Manager()["access_log"] = shown
		return errors.Join(err, l.Edit(`"onRefusedOrigin": "pass"`, `"onRefusedOrigin": "deny"`))
	},
}

// deployment is an Envoy that runs the file and its copies, with the addresses of the listeners.
type deployment struct {
	*envoy.Process
	addrs map[string]string
}

// TestRateLimitFile runs the shipped configuration.
func TestRateLimitFile(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	t.Run("denials carry the policy's headers", d.denials)
	t.Run("what is not denied carries them too", d.passed)
	t.Run("preflights need no credentials and no tokens", d.preflights)
	t.Run("each origin has a bucket of its own", d.buckets)
	t.Run("one address cannot use up the bucket of an origin", d.attack)
	t.Run("origins that Corsguard denies take no tokens", d.deny)
	t.Run("the access log of docs/operations.md has what was refused and nothing else", d.accessLog)
	t.Run("counters have the names that alerts and dashboard know", d.counters)
}

func deploy(t *testing.T) deployment {
	t.Helper()
	bootstrap, err := operations.RateLimits(wasm, backend.Addr, copies)
	if err != nil {
		t.Fatal(err)
	}
	p, err := engine.Start(t.Context(), envoy.Options{
		Bootstrap: bootstrap,
		Mounts:    []string{wasm},
		Args:      []string{"--concurrency", "1", "--file-flush-interval-msec", "50"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(noPanics(p), p.Stop()); err != nil {
			t.Error(err)
		}
	})
	body, err := p.Admin.Get(t.Context(), "/listeners")
	if err != nil {
		t.Fatal(err)
	}
	addrs := map[string]string{}
	for line := range strings.Lines(string(body)) { // api::127.0.0.1:10000
		name, addr, _ := strings.Cut(strings.TrimSpace(line), "::")
		addrs[name] = addr
	}
	return deployment{p, addrs}
}

func noPanics(p *envoy.Process) error {
	stats, err := p.Admin.Stats(context.Background(), `^wasmcustom\.corsguard\.panics$`)
	for name, n := range stats {
		if n > 0 {
			err = errors.Join(err, fmt.Errorf("%s: %d", name, n))
		}
	}
	return err
}

// grantsOf are the headers of a response to an allowed origin, and of one to another.
func grantsOf(origin string) []corpus.Header {
	if origin != shopOrigin && origin != accountOrigin {
		return grantNothing
	}
	return []corpus.Header{
		{"access-control-allow-origin", origin},
		{"access-control-allow-credentials", "true"},
		{"access-control-expose-headers", exposedOnDenials},
		varyOrigin,
	}
}

// deniedOrigins are the origins that denials are looked at with; "" is a request without one.
var deniedOrigins = []string{shopOrigin, accountOrigin, otherOrigin, "https://shop.example.com.evil.test", "null", ""}

func fromOrigin(origin string, headers ...corpus.Header) corpus.Request {
	r := corpus.Request{Headers: headers}
	if origin != "" {
		r.Headers = append([]corpus.Header{originHeader(origin)}, headers...)
	}
	return r
}

// denials holds that the page of an allowed origin can read why its request was denied, whoever did it, and that no other page can.
func (d deployment) denials(t *testing.T) {
	for _, c := range []struct {
		name, listener, path string
		headers              []corpus.Header
		status               int
		names                []string // what the denial brings besides, each on one line
	}{
		{"basic_auth without credentials", "api", "/", nil, 401, []string{"www-authenticate"}},
		{"basic_auth with the wrong password", "api", "/", []corpus.Header{{"authorization", "Basic YWRhOndyb25n"}}, 401, []string{"www-authenticate"}},
		{"jwt_authn without a token", "jwt", "/", nil, 401, []string{"www-authenticate"}},
		{"jwt_authn with a token that has expired", "jwt", "/", []corpus.Header{withStale}, 401, []string{"www-authenticate"}},
		{"rbac", "api", "/admin/users", []corpus.Header{asAda}, 403, nil},
		{"local_ratelimit", "denials", "/", []corpus.Header{asAda}, 429, []string{"retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := d.addrs[c.listener]
			for _, origin := range deniedOrigins {
				for _, p := range protocols {
					for _, method := range []string{"GET", "HEAD", "POST", "DELETE"} {
						r := fromOrigin(origin, c.headers...)
						r.Method, r.Path = method, c.path
						got := send(t, p, addr, r)
						for n := 0; c.status == 429 && got.Status == 200 && n < 2*addressTokens; n++ { // until nothing is left
							got = send(t, p, addr, r)
						}
						if err := verify(got, c.status, grantsOf(origin)); err != nil {
							t.Errorf("%s %s from %q: %v", p.name, method, origin, err)
						}
						for _, name := range c.names {
							if values := got.Get(name); len(values) != 1 || values[0] == "" {
								t.Errorf("%s %s from %q: %s: %q", p.name, method, origin, name, values)
							}
							if !slices.Contains(elements(exposedOnDenials), name) {
								t.Errorf("pages cannot read %s", name)
							}
						}
					}
				}
			}
		})
	}
}

func (d deployment) passed(t *testing.T) {
	backend.On(t.Name(), upstream.Answer{Status: 404, Headers: upstreamCORS})
	for name, credentials := range map[string]corpus.Header{"api": asAda, "jwt": withToken} {
		for _, p := range protocols {
			for _, origin := range deniedOrigins {
				check(t, send(t, p, d.addrs[name], fromOrigin(origin, credentials)), 404, grantsOf(origin)...)
			}
		}
	}
}

func (d deployment) preflights(t *testing.T) {
	granted := []corpus.Header{
		{"access-control-allow-origin", shopOrigin},
		{"access-control-allow-credentials", "true"},
		{"access-control-allow-methods", "GET, HEAD, POST, PUT, DELETE"},
		{"access-control-allow-headers", "authorization, content-type"},
		{"access-control-max-age", "7200"},
		{"access-control-expose-headers", exposedOnDenials},
		varyPreflight,
	}
	before := d.limiter(t)
	for _, addr := range d.addrs {
		for _, p := range protocols {
			r := preflight(shopOrigin)
			r.Headers[2][1] = "authorization"
			check(t, send(t, p, addr, r), 204, granted...)
			check(t, send(t, p, addr, preflight(otherOrigin)), 204, varyPreflight)
		}
	}
	if seen := backend.Seen(t.Name()); len(seen) > 0 {
		t.Errorf("the upstream saw %d", len(seen))
	}
	if after := d.limiter(t); after != before {
		t.Errorf("the limiter was asked: %+v, before %+v", after, before)
	}
}

// limiter counts the requests that rate limits of the file were asked about, and the ones that they refused.
type limiter struct{ asked, refused int64 }

func (d deployment) limiter(t *testing.T) limiter {
	t.Helper()
	stats, err := d.Admin.Stats(t.Context(), "^"+rateLimitStats)
	if err != nil {
		t.Fatal(err)
	}
	return limiter{stats[rateLimitStats+"enabled"], stats[rateLimitStats+"rate_limited"]}
}

// visitor is a client with an address of its own, on the loopback interface.
type visitor struct{ client http.Client }

func newVisitor(t *testing.T, n int) *visitor {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+n/200), byte(1+n%200))}}
	transport := &http.Transport{DialContext: dialer.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{client: http.Client{Transport: transport}}
}

// get sends a request, and wants one of the two answers that a limit has, with the headers of the policy. It reports whether it passed.
func (v *visitor) get(t *testing.T, addr, origin string) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(asAda[0], asAda[1])
	if origin != "" {
		r.Header.Set("origin", origin)
	}
	resp, err := v.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	got := wire.Response{Status: resp.StatusCode}
	for name, values := range resp.Header {
		for _, value := range values {
			got.Headers = append(got.Headers, corpus.Header{strings.ToLower(name), value})
		}
	}
	want := 200
	if got.Status == 429 {
		want = 429
	}
	check(t, got, want, grantsOf(origin)...)
	return got.Status == 200
}

// empty sends requests until one is limited, and returns how many were not.
func (v *visitor) empty(t *testing.T, addr, origin string) (passed int) {
	t.Helper()
	for v.get(t, addr, origin) {
		if passed++; passed > 10*addressTokens {
			t.Fatalf("%d requests passed", passed)
		}
	}
	return passed
}

// atMost returns how many requests a bucket can have let pass since start.
func atMost(tokens int, perSecond float64, start time.Time) int {
	return tokens + int(perSecond*time.Since(start).Seconds()) + 2
}

// buckets holds that the visitors of one site use up that site's tokens and no other's.
func (d deployment) buckets(t *testing.T) {
	addr, start, visitors, passed := d.addrs["origins"], time.Now(), 0, 0
	for last := addressTokens; last >= addressTokens && passed <= 2*originTokens; visitors++ { // until one is limited whose own bucket is not empty
		last = newVisitor(t, visitors).empty(t, addr, shopOrigin)
		passed += last
	}
	if passed < originTokens || passed > atMost(originTokens, 10, start) {
		t.Errorf("%d requests from the shop passed, of %d visitors; its bucket has %d", passed, visitors, originTokens)
	}
	for _, origin := range []string{accountOrigin, otherOrigin, ""} {
		if n := newVisitor(t, visitors).empty(t, addr, origin); n < addressTokens {
			t.Errorf("what the shop used up is missing for %q: %d requests passed", origin, n)
		}
		visitors++
	}
}

// attack holds that a client which says it is a page of the shop is limited before the shop's visitors are, and that changing the Origin with each
// request does not help it.
func (d deployment) attack(t *testing.T) {
	addr, start, attacker, passed := d.addrs["address"], time.Now(), newVisitor(t, 0), 0
	for range 3 * originTokens {
		if attacker.get(t, addr, shopOrigin) {
			passed++
		}
	}
	if passed > atMost(addressTokens, 1, start) {
		t.Errorf("%d requests of one address passed", passed)
	}
	left := 0
	for n := 1; left < originTokens-passed; n++ {
		got := newVisitor(t, n).empty(t, addr, shopOrigin)
		if left += got; got < addressTokens {
			t.Fatalf("%d requests were left to the shop's visitors, of %d", left, originTokens)
		}
	}
	for n := range addressTokens {
		if attacker.get(t, addr, fmt.Sprintf("https://%d.evil.test", n)) {
			passed++
		}
	}
	for n := range addressTokens {
		newVisitor(t, 100+n).get(t, addr, accountOrigin) // its bucket outlives that many others
	}
	for range addressTokens {
		if attacker.get(t, addr, shopOrigin) {
			passed++
		}
	}
	if passed > atMost(addressTokens, 1, start) {
		t.Errorf("%d requests of one address passed, after it had changed the Origin", passed)
	}
}

func (d deployment) deny(t *testing.T) {
	addr, before := d.addrs["deny"], d.limiter(t)
	for _, p := range protocols {
		check(t, send(t, p, addr, fromOrigin(otherOrigin, asAda)), 403, varyOrigin)
	}
	if after := d.limiter(t); after != before {
		t.Errorf("the limiter was asked: %+v, before %+v", after, before)
	}
	check(t, send(t, http1, addr, fromOrigin(shopOrigin, asAda)), 200, grantsOf(shopOrigin)...)
	if after := d.limiter(t); after.asked != before.asked+1 {
		t.Errorf("the limiter was not asked: %+v, before %+v", after, before)
	}
}

// logged is the beginning of a line of that access log.
func logged(r corpus.Request, status int, outcome string) string {
	return fmt.Sprintf(`{"address":"127.0.0.1","corsguard":"%s rule=default","host":"api.example.test","method":"%s","origin":"%s","path":"%s","status":%d,`,
		outcome, r.Method, r.Headers[0][1], r.Path, status)
}

func (d deployment) accessLog(t *testing.T) {
	addr := d.addrs["deny"]
	refused, unlisted, allowed := fromOrigin(otherOrigin, asAda), preflight(shopOrigin), fromOrigin(shopOrigin, asAda)
	refused.Method, refused.Path = "DELETE", "/log/refused"
	unlisted.Path, unlisted.Headers[1][1] = "/log/unlisted", "PATCH"
	allowed.Path = "/log/allowed"
	last := refused
	last.Path = "/log/last"
	for _, r := range []corpus.Request{refused, unlisted, allowed, last} {
		send(t, http1, addr, r)
	}
	want := []string{
		logged(refused, 403, "decision=refused kind=actual reason=origin_not_allowed"),
		logged(unlisted, 204, "decision=refused kind=preflight reason=method_not_allowed"),
		logged(last, 403, "decision=refused kind=actual reason=origin_not_allowed"),
	}
	until(t, countersLimit, func() error {
		var got []string
		for line := range strings.Lines(d.Log.String()) {
			if start, _, found := strings.Cut(line, `"time":`); found && strings.Contains(start, `"path":"/log/`) {
				got = append(got, start)
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("the log has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return nil
	})
}

func (d deployment) counters(t *testing.T) {
	text, err := d.Admin.Get(t.Context(), "/stats/prometheus")
	if err != nil {
		t.Fatal(err)
	}
	if err := operations.Compare(string(text), operations.LocalRateLimit); err != nil {
		t.Error(err)
	}
}
