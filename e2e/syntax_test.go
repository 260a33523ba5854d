package e2e_test

import (
	"fmt"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// What Envoy makes of odd requests before a filter sees them, and what the plugin makes of the rest. Where Envoy answers by itself the plugin has
// no say, so no header of its own is on the answer.

// TestOddOriginHTTP1 sends header lines of an Origin as bytes, in HTTP/1.1.
func TestOddOriginHTTP1(t *testing.T) {
	t.Parallel()
	addr := listen(t, app())
	for _, c := range []struct {
		name, lines string
		status      int
		want        []corpus.Header
	}{
		{"as it should be", "origin: https://app.example.com\r\n", 200, grantActual},
		{"name in upper case", "ORIGIN: https://app.example.com\r\n", 200, grantActual},
		{"white space around it is no part of it", "origin: \t https://app.example.com \t\r\n", 200, grantActual},
		{"a bare line feed ends a line too", "origin: https://app.example.com\n", 200, grantActual},
		{"a bare carriage return is dropped", "origin: https://app.exa\rmple.com\r\n", 200, grantActual},
		{"twice, the same: joined by Envoy, so refused", "origin: https://app.example.com\r\norigin: https://app.example.com\r\n", 200, grantNothing},
		{"twice, the allowed one first", "origin: https://app.example.com\r\norigin: https://evil.example.net\r\n", 200, grantNothing},
		{"twice, the allowed one last", "origin: https://evil.example.net\r\norigin: https://app.example.com\r\n", 200, grantNothing},
		{"folded, before the value", "origin:\r\n https://app.example.com\r\n", 200, grantActual},
		{"folded, inside the value", "origin: https://app.\r\n example.com\r\n", 200, grantNothing},
		{"a tab inside", "origin: https://app.example\t.com\r\n", 200, grantNothing},
		{"a byte above 0x7f", "origin: https://app.example.com\xa0\r\n", 200, grantNothing},
		{"empty", "origin:\r\n", 200, grantNothing},
		{"only white space", "origin: \t \r\n", 200, grantNothing},
		{"NUL", "origin: https://app.example.com\x00\r\n", 400, nil},
		{"a control byte", "origin: https://app.example.com\x01\r\n", 400, nil},
		{"escape", "origin: \x1b[31mhttps://app.example.com\r\n", 400, nil},
		{"DEL", "origin: https://app.example.com\x7f\r\n", 400, nil},
		{"white space before the colon", "origin : https://app.example.com\r\n", 400, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := wire.Raw(addr, "GET", "GET / HTTP/1.1\r\nhost: api.example.test\r\n"+c.lines+"\r\n")
			if err != nil {
				t.Fatal(err)
			}
			check(t, got, c.status, c.want...)
		})
	}
}

// TestOddOriginHTTP2 does the same in HTTP/2, where a value has no line to break out of.
func TestOddOriginHTTP2(t *testing.T) {
	t.Parallel()
	addr := listen(t, app())
	for _, c := range []struct {
		name   string
		values []string
		want   []corpus.Header
	}{
		{"as it should be", []string{appOrigin}, grantActual},
		{"twice, the same", []string{appOrigin, appOrigin}, grantNothing},
		{"twice, the allowed one first", []string{appOrigin, otherOrigin}, grantNothing},
		{"twice, the allowed one last", []string{otherOrigin, appOrigin}, grantNothing},
		{"a byte above 0x7f", []string{appOrigin + "\xa0"}, grantNothing},
		{"empty", []string{""}, grantNothing},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r corpus.Request
			for _, v := range c.values {
				r.Headers = append(r.Headers, originHeader(v))
			}
			check(t, send(t, http2, addr, r), 200, c.want...)
		})
	}
	for name, value := range map[string]string{"NUL": "\x00", "line feed": "\n", "carriage return": "\r", "line break": "\r\nx: y"} {
		t.Run(name, func(t *testing.T) {
			got, err := wire.H2(addr, corpus.Request{Headers: []corpus.Header{originHeader(appOrigin + value)}})
			if err == nil {
				t.Errorf("Envoy took it, and answered %d %v", got.Status, got.Headers)
			}
		})
	}
}

// TestMethods holds that no method but OPTIONS makes a preflight, in this spelling, and that Envoy stops what is no token.
func TestMethods(t *testing.T) {
	t.Parallel()
	h := app()
	h.Extra = envoy.Object{"http_protocol_options": envoy.Object{"allow_custom_methods": true}}
	addr := listen(t, h)
	for _, method := range []string{"GET", "options", "Options", "OPTIONSX", "XOPTIONS", "PURGE", "X-OPTIONS", "TRACE"} {
		t.Run(method, func(t *testing.T) {
			r := preflight(appOrigin)
			r.Method = method
			for _, p := range protocols {
				check(t, send(t, p, addr, r), 200, grantActual...)
			}
			if n := len(backend.Seen(t.Name())); n != len(protocols) {
				t.Errorf("the upstream saw %d requests", n)
			}
		})
	}
	for _, method := range []string{"OPT(IONS", "OPTIONS,GET", "O\x00", "G\xc9T"} {
		t.Run(fmt.Sprintf("%q", method), func(t *testing.T) {
			got, err := wire.Raw(addr, "GET", method+" / HTTP/1.1\r\nhost: api.example.test\r\norigin: "+appOrigin+"\r\n\r\n")
			if err != nil {
				t.Fatal(err)
			}
			check(t, got, 400)
		})
	}
}

// TestHTTP10 holds that requests of HTTP/1.0 are served, with a Host and, where Envoy is told what to assume, without.
func TestHTTP10(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, defaultHost, lines string
		status                   int
		want                     []corpus.Header
	}{
		{"with Host", "", "host: api.example.test\r\norigin: https://app.example.com\r\n", 200, grantActual},
		{"with Host, same origin", "", "host: api.example.test\r\norigin: http://api.example.test\r\n", 200, grantNothing},
		{"without Host: Envoy's own 400", "", "origin: https://app.example.com\r\n", 400, nil},
		{"without Host, with a default", "default.example.test", "origin: https://app.example.com\r\n", 200, grantActual},
		{"without Host or Origin, with a default", "default.example.test", "", 200, grantNothing},
	} {
		t.Run(c.name, func(t *testing.T) {
			backend.On(t.Name(), upstream.Answer{Headers: upstreamCORS})
			h := app()
			options := envoy.Object{"accept_http_10": true}
			if c.defaultHost != "" {
				options["default_host_for_http_10"] = c.defaultHost
			}
			h.Extra = envoy.Object{"http_protocol_options": options}
			got, err := wire.Raw(listen(t, h), "GET", fmt.Sprintf("GET / HTTP/1.0\r\n%s: %s\r\n%s\r\n", upstream.CaseHeader, t.Name(), c.lines))
			if err != nil {
				t.Fatal(err)
			}
			check(t, got, c.status, c.want...)
		})
	}
}
