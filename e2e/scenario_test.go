package e2e_test

import (
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// The policy of the tests that are not about policies, and what it has every kind of request get.
const (
	appConfig = `{"cors": {
		"allowOrigins": ["https://app.example.com"], "allowMethods": ["GET", "PUT"], "allowHeaders": ["x-one", "x-two"],
		"exposeHeaders": ["x-request-id"], "allowCredentials": true, "maxAge": 600
	}}`
	appOrigin   = "https://app.example.com"
	otherOrigin = "https://evil.example.net"
)

var (
	varyOrigin    = corpus.Header{"vary", "Origin"}
	varyPreflight = corpus.Header{"vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}

	grantActual = []corpus.Header{
		{"access-control-allow-origin", appOrigin},
		{"access-control-allow-credentials", "true"},
		{"access-control-expose-headers", "x-request-id"},
		varyOrigin,
	}
	grantPreflight = []corpus.Header{
		{"access-control-allow-origin", appOrigin},
		{"access-control-allow-credentials", "true"},
		{"access-control-allow-methods", "GET, PUT"},
		{"access-control-allow-headers", "x-one, x-two"},
		{"access-control-max-age", "600"},
		{"access-control-expose-headers", "x-request-id"},
		varyPreflight,
	}
	grantNothing = []corpus.Header{varyOrigin}

	// What an upstream does that was told to "just allow everything".
	upstreamCORS = []corpus.Header{
		{"access-control-allow-origin", "*"},
		{"access-control-allow-origin", otherOrigin},
		{"Access-Control-Allow-Credentials", "true"},
		{"access-control-allow-methods", "*"},
		{"timing-allow-origin", "*"},
	}
)

// app returns a connection manager with the plugin of appConfig first and later filters after it.
func app(later ...envoy.Object) envoy.HCM {
	return envoy.HCM{Filters: append([]envoy.Object{plugin(appConfig)}, later...)}
}

func originHeader(value string) corpus.Header { return corpus.Header{"origin", value} }

// preflight returns a preflight that appConfig allows when it comes from appOrigin.
func preflight(from string) corpus.Request {
	return corpus.Request{Method: "OPTIONS", Headers: []corpus.Header{
		originHeader(from),
		{"access-control-request-method", "PUT"},
		{"access-control-request-headers", "x-one"},
	}}
}

// send sends a request, marked with the test's name for the upstream.
func send(t *testing.T, p protocol, addr string, r corpus.Request) wire.Response {
	t.Helper()
	got, err := p.do(addr, wire.With(r, upstream.CaseHeader, t.Name()))
	if err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	return got
}

// checkActuals sends r with the allowed origin, with a refused one, and with none, over both protocols, and wants this status and no CORS header
// but the plugin's.
func checkActuals(t *testing.T, addr string, r corpus.Request, status int) {
	t.Helper()
	for _, p := range protocols {
		for _, from := range []struct {
			name string
			add  []corpus.Header
			want []corpus.Header
		}{
			{"allowed", []corpus.Header{originHeader(appOrigin)}, grantActual},
			{"refused", []corpus.Header{originHeader(otherOrigin)}, grantNothing},
			{"no origin", nil, grantNothing},
		} {
			with := r
			with.Headers = append(append([]corpus.Header{}, r.Headers...), from.add...)
			if err := verify(send(t, p, addr, with), status, from.want); err != nil {
				t.Errorf("%s, %s: %v", p.name, from.name, err)
			}
		}
	}
}

// checkPreflights wants preflights answered by the plugin, whatever stands behind it.
func checkPreflights(t *testing.T, addr string) {
	t.Helper()
	before := len(backend.Seen(t.Name()))
	for _, p := range protocols {
		check(t, send(t, p, addr, preflight(appOrigin)), 204, grantPreflight...)
		check(t, send(t, p, addr, preflight(otherOrigin)), 204, varyPreflight)
	}
	if after := len(backend.Seen(t.Name())); after != before {
		t.Errorf("the upstream saw %d preflights", after-before)
	}
}
