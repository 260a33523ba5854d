package e2e_test

import (
	"slices"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// headersBlocks set every header that there is to be set.
const headersBlocks = `
	"isolation": {
		"crossOriginOpenerPolicy": {"value": "same-origin", "reportTo": "main"}, "crossOriginOpenerPolicyReportOnly": {"value": "noopener-allow-popups", "reportTo": "main"},
		"crossOriginEmbedderPolicy": "require-corp", "crossOriginEmbedderPolicyReportOnly": {"value": "credentialless", "reportTo": "main"},
		"crossOriginResourcePolicy": "same-site", "originAgentCluster": true, "documentIsolationPolicy": "isolate-and-credentialless",
		"reportingEndpoints": {"main": "https://reports.example.com/main", "other": "/other"}
	},
	"securityHeaders": {
		"contentSecurityPolicy": "default-src 'self'; frame-ancestors 'none'", "contentSecurityPolicyReportOnly": "default-src 'none'; report-to main",
		"strictTransportSecurity": "max-age=31536000; includeSubDomains", "xContentTypeOptions": "nosniff", "xFrameOptions": "DENY",
		"referrerPolicy": "no-referrer, strict-origin-when-cross-origin", "permissionsPolicy": "geolocation=(), camera=(self)", "xXssProtection": "0"
	}`

var (
	// headersSet is what they say, over http.
	headersSet = []corpus.Header{
		{"cross-origin-opener-policy", `same-origin; report-to="main"`}, {"cross-origin-opener-policy-report-only", `noopener-allow-popups; report-to="main"`},
		{"cross-origin-embedder-policy", "require-corp"}, {"cross-origin-embedder-policy-report-only", `credentialless; report-to="main"`},
		{"cross-origin-resource-policy", "same-site"}, {"origin-agent-cluster", "?1"}, {"document-isolation-policy", "isolate-and-credentialless"},
		{"reporting-endpoints", `main="https://reports.example.com/main", other="/other"`},
		{"content-security-policy", "default-src 'self'; frame-ancestors 'none'"}, {"content-security-policy-report-only", "default-src 'none'; report-to main"},
		{"x-content-type-options", "nosniff"}, {"x-frame-options", "DENY"},
		{"referrer-policy", "no-referrer, strict-origin-when-cross-origin"}, {"permissions-policy", "geolocation=(), camera=(self)"}, {"x-xss-protection", "0"},
	}
	headersSecure = corpus.Header{"strict-transport-security", "max-age=31536000; includeSubDomains"}
)

// headersDoubled is what an upstream sends of them that has no plan: each twice, once with another value, before or behind the one that is wanted.
func headersDoubled() []corpus.Header {
	var doubled []corpus.Header
	for i, h := range append(slices.Clone(headersSet), headersSecure) {
		lines := []corpus.Header{h, {h[0], "from-the-upstream"}}
		if i%2 == 0 {
			slices.Reverse(lines)
		}
		doubled = append(doubled, lines...)
	}
	return doubled
}

// headersApp is a connection manager that sets all headers, and has the policy of appConfig beside that.
func headersApp(routes []envoy.Object, later ...envoy.Object) envoy.HCM {
	config := `{` + headersBlocks + `, ` + appConfig[1:]
	return envoy.HCM{Filters: append([]envoy.Object{plugin(config)}, later...), Routes: routes}
}

// TestHeadersOnEveryResponse holds that exactly one line of every header that is set goes out, whoever made the response and whatever it had.
func TestHeadersOnEveryResponse(t *testing.T) {
	t.Parallel()
	to := func(cluster string) []envoy.Object { return []envoy.Object{envoy.Route("/", cluster)} }
	route := func(r envoy.Object) []envoy.Object { return []envoy.Object{r} }
	for _, c := range []struct {
		name   string
		hcm    envoy.HCM
		answer upstream.Answer
		status int
	}{
		{"upstream 200", headersApp(nil), upstream.Answer{Status: 200, Body: "page"}, 200},
		{"upstream 204", headersApp(nil), upstream.Answer{Status: 204}, 204},
		{"upstream 302", headersApp(nil), upstream.Answer{Status: 302}, 302},
		{"upstream 304", headersApp(nil), upstream.Answer{Status: 304}, 304},
		{"upstream 404", headersApp(nil), upstream.Answer{Status: 404}, 404},
		{"upstream 500", headersApp(nil), upstream.Answer{Status: 500}, 500},
		{"upstream over HTTP/2", headersApp(to("upstream-h2")), upstream.Answer{Status: 200, Body: "page"}, 200},
		{"upstream down", headersApp(to("down")), upstream.Answer{}, 503},
		{"upstream closes without a word", headersApp(nil), upstream.Answer{Raw: closeAtOnce}, 503},
		{"upstream talks no HTTP", headersApp(nil), upstream.Answer{Raw: noHTTP}, 502},
		{"upstream too slow", headersApp(route(impatientRoute())), upstream.Answer{Delay: time.Minute}, 504},
		{"no route", headersApp([]envoy.Object{envoy.Route("/elsewhere", "upstream")}), upstream.Answer{}, 404},
		{"direct response", headersApp(route(directRoute(418))), upstream.Answer{}, 418},
		{"redirect", headersApp(route(redirectRoute())), upstream.Answer{}, 301},
		{"later basic_auth", headersApp(nil, basicAuth()), upstream.Answer{}, 401},
		{"later jwt_authn", headersApp(nil, jwtAuthn()), upstream.Answer{}, 401},
		{"later rbac", headersApp(nil, rbac()), upstream.Answer{}, 403},
		{"later local_ratelimit", headersApp(nil, rateLimit()), upstream.Answer{}, 429},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.answer.Headers = append(headersDoubled(), upstreamCORS...)
			backend.On(t.Name(), c.answer)
			addr := listen(t, c.hcm)
			send(t, http1, addr, corpus.Request{}) // takes the only token of the rate limit
			for _, p := range protocols {
				for _, method := range []string{"GET", "HEAD"} {
					for origin, cors := range map[string][]corpus.Header{appOrigin: grantActual, otherOrigin: grantNothing} {
						got := send(t, p, addr, corpus.Request{Method: method, Headers: from(origin)})
						if err := verify(got, c.status, append(slices.Clone(headersSet), cors...)); err != nil {
							t.Errorf("%s, %s from %s: %v", p.name, method, origin, err)
						}
					}
				}
			}
			checkPreflights(t, addr)
		})
	}
}

// TestHeadersWithoutCORS holds that a policy without a cors block sets its headers, and leaves the upstream's CORS and Vary as they are, preflights included.
func TestHeadersWithoutCORS(t *testing.T) {
	t.Parallel()
	own := []corpus.Header{{"access-control-allow-origin", "*"}, {"access-control-allow-methods", "PUT"}, {"timing-allow-origin", "*"}, {"vary", "Accept"}}
	backend.On(t.Name(), upstream.Answer{Headers: append(headersDoubled(), own...)})
	addr := listen(t, envoy.HCM{Filters: []envoy.Object{plugin(`{` + headersBlocks + `}`)}})
	for _, p := range protocols {
		for _, r := range []corpus.Request{{}, {Headers: from(otherOrigin)}, preflight(otherOrigin)} {
			check(t, send(t, p, addr, r), 200, append(slices.Clone(headersSet), own...)...)
		}
	}
}

// TestStrictTransportSecurity holds when the header goes out: where Envoy vouches for https. Otherwise the upstream's goes, too.
func TestStrictTransportSecurity(t *testing.T) {
	t.Parallel()
	// The plugin reads the scheme by itself where nothing else of the request matters, and with all of the request where rules do.
	const (
		block   = `"securityHeaders": {"strictTransportSecurity": "max-age=31536000"}`
		alone   = `{` + block + `}`
		byRules = `{` + block + `, "rules": [
			{"name": "denying", "match": {"paths": [{"prefix": "/denying"}]}, "cors": {"allowOrigins": ["https://app.example.com"], "onMissingOrigin": "deny"}},
			{"name": "if-absent", "match": {"paths": [{"prefix": "/if-absent"}]}, "securityHeaders": {"strictTransportSecurity": {"value": "max-age=31536000", "ifAbsent": true}}}
		]}`
	)
	const name = "strict-transport-security"
	ours, theirs, none := []corpus.Header{{name, "max-age=31536000"}}, []corpus.Header{{name, "max-age=1"}}, []corpus.Header(nil)
	type response struct {
		path        string
		sent        []corpus.Header // by the upstream
		status      int
		https, http []corpus.Header
	}
	configs := []struct {
		name, config string
		responses    []response
	}{
		{"without rules", alone, []response{
			{"/", nil, 200, ours, none}, {"/", theirs, 200, ours, none}, {"/", slices.Concat(theirs, ours), 200, ours, none}, {"/down", nil, 503, ours, none},
		}},
		{"with rules", byRules, []response{
			{"/", nil, 200, ours, none}, {"/", theirs, 200, ours, none}, {"/down", nil, 503, ours, none},
			{"/if-absent", nil, 200, ours, none}, {"/if-absent", theirs, 200, theirs, theirs},
			{"/denying", nil, 403, append(slices.Clone(ours), varyOrigin), []corpus.Header{varyOrigin}},
		}},
	}
	for _, c := range []struct {
		name      string
		tls, edge bool
		https     map[string]bool // by x-forwarded-proto of the client
	}{
		{"plain", false, false, map[string]bool{"": false, "http": false, "https": true, "HTTPS": true, "wss": false}},
		{"plain, at the edge", false, true, map[string]bool{"": false, "https": false}},
		{"TLS", true, false, map[string]bool{"": true, "https": true, "http": false}},
		{"TLS, at the edge", true, true, map[string]bool{"": true, "http": true}},
	} {
		for _, by := range configs {
			t.Run(c.name+", "+by.name, func(t *testing.T) {
				h := envoy.HCM{
					Filters: []envoy.Object{plugin(by.config)}, Routes: []envoy.Object{envoy.Route("/down", "down"), envoy.Route("/", "upstream")},
					Extra: envoy.Object{"use_remote_address": c.edge},
				}
				if c.tls {
					h.TransportSocket = serverTLS(t)
				}
				addr := listen(t, h)
				for forwarded, https := range c.https {
					for _, want := range by.responses {
						backend.On(t.Name(), upstream.Answer{Headers: want.sent})
						r := wire.With(corpus.Request{Path: want.path}, upstream.CaseHeader, t.Name())
						if forwarded != "" {
							r = wire.With(r, "x-forwarded-proto", forwarded)
						}
						headers := want.http
						if https {
							headers = want.https
						}
						if err := verify(exchange(t, addr, c.tls, r), want.status, headers); err != nil {
							t.Errorf("x-forwarded-proto %q, %s, the upstream sends %q: %v", forwarded, want.path, want.sent, err)
						}
					}
				}
			})
		}
	}
}

// TestHeadersOfRoutes holds that what a route adds to responses counts as the upstream's: it is there before the plugin sets its own, and is replaced, or stays where the
// policy says "if absent". The plugin's own denials have what the plugin sets.
func TestHeadersOfRoutes(t *testing.T) {
	t.Parallel()
	const config = `{
		"cors": {"allowOrigins": ["https://app.example.com"], "onRefusedOrigin": "deny"},
		"isolation": {"crossOriginResourcePolicy": "same-origin"}, "securityHeaders": {"xFrameOptions": {"value": "DENY", "ifAbsent": true}}
	}`
	replaced, stays := corpus.Header{"cross-origin-resource-policy", "same-origin"}, corpus.Header{"x-frame-options", "SAMEORIGIN"}
	adding := func(r envoy.Object, names ...string) envoy.Object {
		for _, n := range names {
			headers, _ := r["response_headers_to_add"].([]envoy.Object)
			r["response_headers_to_add"] = append(headers, added(n, map[string]string{
				"cross-origin-resource-policy": "cross-origin", "x-frame-options": "SAMEORIGIN",
			}[n]))
		}
		return r
	}
	both := []string{"cross-origin-resource-policy", "x-frame-options"}
	addr := listen(t, envoy.HCM{Filters: []envoy.Object{plugin(config)}, Routes: []envoy.Object{
		adding(at("/redirect", "", redirectRoute()), both...), adding(at("/direct", "", directRoute(418)), both...), adding(envoy.Route("/down", "down"), both...),
		adding(envoy.Route("/twice", "upstream"), both[0], both[0], both[1]), adding(envoy.Route("/", "upstream"), both...),
	}})
	backend.On(t.Name(), upstream.Answer{Headers: []corpus.Header{{"cross-origin-resource-policy", "same-site"}}})
	for _, p := range protocols {
		for path, status := range map[string]int{"/": 200, "/twice": 200, "/redirect": 301, "/direct": 418, "/down": 503} {
			got := send(t, p, addr, corpus.Request{Path: path})
			if err := verify(got, status, []corpus.Header{replaced, stays, varyOrigin}); err != nil {
				t.Errorf("%s, %s: %v", p.name, path, err)
			}
		}
		check(t, send(t, p, addr, corpus.Request{Headers: from(otherOrigin)}), 403, replaced, corpus.Header{"x-frame-options", "DENY"}, varyOrigin)
	}
}
