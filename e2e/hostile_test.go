package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/wire"
)

// answerLimit bounds the answer to one hostile request.
const answerLimit = 2 * time.Second

// soon sends a request, which must be answered within answerLimit. A machine may stall for as long, but not each time: what takes that long by itself does so again.
func soon(t *testing.T, p protocol, addr string, r corpus.Request) wire.Response {
	t.Helper()
	for try := 1; ; try++ {
		start := time.Now()
		got, err := p.do(addr, r)
		if err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		took := time.Since(start)
		if took <= answerLimit {
			return got
		}
		if t.Logf("%s: the answer took %v", p.name, took); try == 5 {
			t.Errorf("%s: none of %d answers came within %v", p.name, try, answerLimit)
			return got
		}
	}
}

// TestLongRequestHeaders sends preflights that ask for close to the 60 KiB of headers that Envoy takes. None is allowed; each is answered soon; the VM
// lives on.
func TestLongRequestHeaders(t *testing.T) {
	t.Parallel()
	addr := listen(t, app())
	const size = 58 << 10
	for name, values := range map[string][]string{
		"one name":        {strings.Repeat("x", size)},
		"names":           {strings.Repeat("x-one,", size/6) + "x-one"},
		"spaces":          {"x-one," + strings.Repeat(" ", size-20) + ",x-two"},
		"tabs":            {"x-one," + strings.Repeat("\t", size-20) + ",x-two"},
		"empty elements":  {strings.Repeat(",", size)},
		"spaced elements": {strings.Repeat(" ,", size/2)},
		"several lines":   {strings.Repeat("x-one,", size/24), strings.Repeat("x-one,", size/24), strings.Repeat(",", size/4), strings.Repeat("x", size/4)},
		"no tokens":       {strings.Repeat("(\"\\", size/3)},
		"above 0x7f":      {strings.Repeat("\xff\xfe", size/2)},
		"ninety lines":    slices.Repeat([]string{"x-one"}, 90), // Envoy takes a hundred header lines
	} {
		t.Run(name, func(t *testing.T) {
			r := corpus.Request{Method: "OPTIONS", Headers: []corpus.Header{originHeader(appOrigin), {"access-control-request-method", "PUT"}}}
			for _, v := range values {
				r.Headers = append(r.Headers, corpus.Header{"access-control-request-headers", v})
			}
			for _, p := range protocols {
				// The lists go out whole whatever was asked for: of 60 KB asked for, nothing comes back.
				check(t, soon(t, p, addr, r), 204, grantPreflight...)
			}
		})
	}
	checkPreflights(t, addr)
}

// hostileOrigins try what parsers trip over.
var hostileOrigins = []string{
	"", "null", "NULL", "*", "https://", "://", ":", "//", "https:", "https://app.example.com,", ",https://app.example.com",
	"https://app.example.com https://app.example.com", "https://app.example.com/", "https://app.example.com:", "https://app.example.com:443",
	"https://app.example.com:99999999999999999999", "https://app.example.com:-1", "https://APP.example.com", "HTTPS://app.example.com",
	"https://app.example.com.", "https://app.example.com..", "https://.app.example.com", "https://app.example.com@evil.example.net",
	"https://user:pw@app.example.com", "https://app.example.com#", "https://app.example.com?", "https://app.example.com\\", "https://[::1", "https://]",
	"https://[::1]:x", "https://%00", "https://app%2eexample.com", "javascript:alert(1)", "data:text/html,x", "\xc3\x28", "\xff",
	"https://" + strings.Repeat("a.", 4000), "https://" + strings.Repeat("a", 9000), strings.Repeat("https://", 1000), strings.Repeat(":", 5000),
	"https://" + strings.Repeat(".", 3000) + "app.example.com", strings.Repeat("9", 2000), strings.Repeat(",", 3000),
}

// TestHostileFlood sends thousands of hostile requests in a row, and then good ones. No answer may hold a grant, or anything that was sent.
func TestHostileFlood(t *testing.T) {
	t.Parallel()
	addr := listen(t, app())
	const rounds = 60
	for _, dial := range []struct {
		name string
		open func(string) (conn, error)
	}{
		{"HTTP/1.1", func(a string) (conn, error) { return wire.DialH1(a) }},
		{"HTTP/2", func(a string) (conn, error) { return wire.DialH2(a) }},
	} {
		t.Run(dial.name, func(t *testing.T) {
			c, err := dial.open(addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for i := range rounds * len(hostileOrigins) {
				from := hostileOrigins[i%len(hostileOrigins)]
				for _, r := range []corpus.Request{{Headers: []corpus.Header{originHeader(from)}}, preflight(from)} {
					got, err := c.Do(r)
					if err != nil {
						t.Fatalf("request %d, origin %.80q: %v", i, from, err)
					}
					if err := compareOwned(got.Headers, hostileWant(r, from)); err != nil || got.Status >= 500 {
						t.Fatalf("request %d, %s with origin %.80q: status %d, %v", i, r.Method, from, got.Status, err)
					}
				}
			}
		})
	}
	checkActuals(t, addr, corpus.Request{}, 200)
	checkPreflights(t, addr)
}

type conn interface {
	Do(corpus.Request) (wire.Response, error)
	Close() error
}

// hostileWant returns what a hostile origin gets. One that is empty makes no preflight.
func hostileWant(r corpus.Request, from string) []corpus.Header {
	if r.Method == "OPTIONS" && from != "" {
		return []corpus.Header{varyPreflight}
	}
	return grantNothing
}

// TestEveryByte puts every byte at several places of the allowed origin. Envoy may refuse the request; nothing may be granted.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	addr := listen(t, envoy.HCM{Filters: []envoy.Object{plugin(appConfig)}})
	for b := range 256 {
		if b == '\r' || b == '\n' {
			continue // they end the line: TestOddOriginHTTP1 has them
		}
		for _, format := range []string{"%shttps://app.example.com", "https:%s//app.example.com", "https://%sapp.example.com", "https://app.example.com%s"} {
			value := fmt.Sprintf(format, string([]byte{byte(b)}))
			if strings.Trim(value, " \t") == appOrigin {
				continue // white space around a value is no part of it
			}
			got, err := wire.H1(addr, corpus.Request{Headers: []corpus.Header{originHeader(value)}})
			if err != nil {
				t.Fatalf("origin %q: %v", value, err)
			}
			want := grantNothing
			if got.Status == 400 {
				want = nil
			}
			if err := compareOwned(got.Headers, want); err != nil {
				t.Errorf("origin %q: status %d, %v", value, got.Status, err)
			}
		}
	}
}
