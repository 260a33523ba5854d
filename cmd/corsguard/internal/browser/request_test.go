package browser

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// ask returns a request of a page for a URL.
func ask(t testing.TB, origin, address string) *Request {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &Request{URL: u, Origin: origin}
}

func TestWhatMakesFetchThrow(t *testing.T) {
	const address = "https://api.example.test/"
	for _, c := range []struct {
		name   string
		change func(*Request)
		want   string // in the error; empty: there is none
	}{
		{"nothing", func(*Request) {}, ""},
		{"method in lower case", func(r *Request) { r.Method = "patch" }, ""},
		{"method that is no token", func(r *Request) { r.Method = "GET /" }, `the method "GET /" is no token`},
		{"forbidden method", func(r *Request) { r.Method = "Trace" }, "the method Trace is forbidden"},
		{"method without CORS", func(r *Request) { r.Method, r.Mode = "PUT", NoCORS }, "PUT is not CORS-safelisted"},
		{"safelisted method without CORS", func(r *Request) { r.Method, r.Mode = "head", NoCORS }, ""},
		{"method of a navigation", func(r *Request) { r.Method, r.Mode = "PUT", Navigate }, "do not navigate"},
		{"header name that is no token", func(r *Request) { r.Headers = []Header{{"x a", "1"}} }, `"x a" is no token`},
		{"empty header name", func(r *Request) { r.Headers = []Header{{"", "1"}} }, `"" is no token`},
		{"line break in a value", func(r *Request) { r.Headers = []Header{{"X-A", "1\r\nx"}} }, "header x-a has a line break"},
		{"line break behind a value", func(r *Request) { r.Headers = []Header{{"X-A", "1\r\n"}} }, ""},
		{"zero byte in a value", func(r *Request) { r.Headers = []Header{{"X-A", "\x00"}} }, "zero byte"},
		{"forbidden header", func(r *Request) { r.Headers = []Header{{"Cookie", "a=1"}} }, ""},
		{"credentials in the URL", func(r *Request) { r.URL.User = url.User("u") }, "credentials"},
		{"credentials in the URL of a navigation", func(r *Request) { r.URL.User, r.Mode = url.User("u"), Navigate }, ""},
		{"another scheme", func(r *Request) { r.URL.Scheme = "ws" }, "absolute"},
		{"no host", func(r *Request) { r.URL.Host = "" }, "absolute"},
		{"no URL", func(r *Request) { r.URL = nil }, "absolute"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ask(t, "https://app.example.test", address)
			c.change(r)
			if err := r.Validate(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	r := ask(t, "null", address)
	r.Method, r.Headers = "CONNECT", []Header{{"(", ""}}
	if err := r.Validate(); err == nil || !strings.Contains(err.Error(), "CONNECT") || !strings.Contains(err.Error(), `"("`) {
		t.Errorf("not all is said: %v", err)
	}
}

func TestForbiddenHeadersAreDropped(t *testing.T) {
	names := func(headers []Header) (names []string) {
		for _, h := range headers {
			names = append(names, h.Name)
		}
		return names
	}
	r := ask(t, "https://app.example.test", "https://api.example.test/")
	r.Headers = []Header{
		{"X-Token", "1"}, {"Cookie", "1"}, {"X-HTTP-Method-Override", "PUT"}, {"X-Method-Override", "put, trace "}, {"X-HTTP-Method", "CONNECT"}, {"Sec-X", "1"},
		{"Access-Control-Request-Method", "PUT"}, {"Access-Control-Request-Private-Network", "true"}, {"Accept", "a"}, {"Range", "bytes=0-"}, {"Content-Type", "application/json"},
	}
	if got, want := names(r.Ignored()), []string{"Cookie", "X-Method-Override", "X-HTTP-Method", "Sec-X", "Access-Control-Request-Method"}; !slices.Equal(got, want) {
		t.Errorf("dropped are %q, want %q", got, want)
	}
	r.Mode = NoCORS
	if got := names(r.Ignored()); len(got) != len(r.Headers)-1 || slices.Contains(got, "Accept") {
		t.Errorf("without CORS, dropped are %q", got)
	}
	r.Mode = Navigate
	if got := r.Ignored(); len(got) != len(r.Headers) {
		t.Errorf("of a navigation, dropped are %q", got)
	}
}

func TestSitesAreSchemeful(t *testing.T) {
	for _, c := range []struct{ origin, address, want string }{
		{"https://app.example.com", "https://app.example.com/x", "same-origin"},
		{"https://app.example.com", "https://APP.example.com:443/x", "same-origin"},
		{"http://app.example.com", "http://app.example.com:80", "same-origin"},
		{"https://[2001:db8::1]:8443", "https://[2001:DB8::1]:8443/", "same-origin"},
		{"https://app.example.com", "https://app.example.com:8443", "same-site"},
		{"https://app.example.com", "https://api.example.com", "same-site"},
		{"https://example.com", "https://a.b.example.com", "same-site"},
		{"https://app.example.com", "http://app.example.com", "cross-site"},
		{"https://app.example.com", "https://example.org", "cross-site"},
		{"https://a.github.io", "https://b.github.io", "cross-site"},
		{"https://a.co.uk", "https://b.co.uk", "cross-site"},
		{"https://co.uk", "https://co.uk:8443", "same-site"},
		{"https://192.0.2.1", "https://192.0.2.1:8443", "same-site"},
		{"https://192.0.2.1", "https://198.51.2.1", "cross-site"},
		{"http://localhost:3000", "http://localhost:8080", "same-site"},
		{"http://localhost:3000", "http://127.0.0.1:8080", "cross-site"},
		{"https://xn--bcher-kva.example.com", "https://bücher.example.com", "same-origin"},
		{"null", "https://app.example.com", "cross-site"},
		{"", "https://app.example.com", "cross-site"},
		{"chrome-extension://abc", "https://abc", "cross-site"},
	} {
		r := ask(t, c.origin, c.address)
		if site, mode, dest := r.SecFetch(); site != c.want || mode != "cors" || dest != "empty" {
			t.Errorf("%s to %s: %s, %s, %s; want %s", c.origin, c.address, site, mode, dest, c.want)
		}
		if got, want := r.IsCrossOrigin(), c.want != "same-origin"; got != want {
			t.Errorf("%s to %s: cross-origin %v", c.origin, c.address, got)
		}
	}
}

func TestMetadataGoesToTrustworthyURLsAlone(t *testing.T) {
	for address, want := range map[string]bool{
		"https://example.com": true, "http://example.com": false, "http://localhost:3000": true, "http://app.localhost": true, "http://127.0.0.2": true, "http://[::1]:80": true,
		"http://192.168.0.1": false, "http://localhost.example.com": false,
	} {
		r := ask(t, "https://app.example.test", address)
		r.Method = "PUT"
		_, headers := r.Sent()
		p, _ := r.Preflight()
		for _, sent := range [][]Header{headers, p.Headers} {
			if got := slices.ContainsFunc(sent, func(h Header) bool { return h.Name == "sec-fetch-site" }); got != want {
				t.Errorf("%s gets %v", address, sent)
			}
		}
	}
}

func TestPagesOfHTTPSDoNotAskForHTTP(t *testing.T) {
	for _, c := range []struct {
		origin, address string
		mode            Mode
		want            bool
	}{
		{"https://app.example.test", "http://app.example.test", CORS, true}, {"https://app.example.test", "http://192.168.0.1", NoCORS, true},
		{"https://app.example.test", "http://localhost:3000", CORS, false}, {"https://app.example.test", "http://app.example.test", Navigate, false},
		{"https://app.example.test", "https://api.example.test", CORS, false}, {"http://app.example.test", "http://api.example.test", CORS, false},
		{"null", "http://api.example.test", CORS, false},
	} {
		r := ask(t, c.origin, c.address)
		r.Mode = c.mode
		if got := r.MixedContent(); got != c.want {
			t.Errorf("%s to %s, mode %s: %v", c.origin, c.address, c.mode, got)
		}
	}
}

func TestWhichRequestsHaveAnOrigin(t *testing.T) {
	const app, api = "https://app.example.test", "https://api.example.test"
	for _, c := range []struct {
		address, method string
		mode            Mode
		want            bool
	}{
		{api, "GET", CORS, true}, {api, "head", CORS, true}, {app, "GET", CORS, false}, {app, "HEAD", CORS, false}, {app, "POST", CORS, true},
		{api, "GET", NoCORS, false}, {api, "POST", NoCORS, true}, {api, "GET", Navigate, false}, {api, "POST", Navigate, true},
	} {
		r := ask(t, app, c.address)
		r.Method, r.Mode = c.method, c.mode
		_, sent := r.Sent()
		if got := slices.Contains(sent, Header{"origin", app}); got != c.want {
			t.Errorf("%s %s, mode %s: %v", c.method, c.address, c.mode, sent)
		}
	}
}

func TestURLsAreWrittenAsBrowsersDo(t *testing.T) {
	for address, want := range map[string]string{
		"https://API.example.test":                    "https://api.example.test/",
		"https://api.example.test:443/a":              "https://api.example.test/a",
		"https://api.example.test:8443/a/b?c=d#e":     "https://api.example.test:8443/a/b?c=d#e",
		"https://api.example.test?":                   "https://api.example.test/?",
		"https://api.example.test/a|b/ü/%7C?'\"<ü>|`": "https://api.example.test/a|b/%C3%BC/%7C?%27%22%3C%C3%BC%3E|`",
		"https://api.example.test/a%2Fb[]":            "https://api.example.test/a%2Fb[]",
		"http://[2001:DB8::1]:80/":                    "http://[2001:db8::1]/",
		"https://BÜCHER.example.test:8443":            "https://xn--bcher-kva.example.test:8443/",
		"https://api.example.test/#a|b`":              "https://api.example.test/#a|b%60",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := href(u); got != want {
			t.Errorf("%s is written %s, want %s", address, got, want)
		}
	}
}

func TestNamesOfModesAreRead(t *testing.T) {
	for c := SameOrigin; c <= Omit; c++ {
		if got, ok := ParseCredentials(c.String()); !ok || got != c {
			t.Errorf("%s is read as %v", c, got)
		}
	}
	for m := CORS; m <= Navigate; m++ {
		if got, ok := ParseMode(m.String()); !ok || got != m {
			t.Errorf("%s is read as %v", m, got)
		}
	}
	for _, name := range []string{"", "Include", "cors "} {
		_, credentials := ParseCredentials(name)
		_, mode := ParseMode(name)
		if credentials || mode {
			t.Errorf("%q is read", name)
		}
	}
}

func TestFailuresHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{"": true}
	for _, f := range Failures() {
		if seen[f.String()] || strings.Trim(f.String(), "abcdefghijklmnopqrstuvwxyz-") != "" {
			t.Errorf("failure %d is called %q", f, f)
		}
		seen[f.String()] = true
	}
	if len(seen) != len(failureNames) || fmt.Sprint(None) != "" {
		t.Errorf("%d failures", len(seen))
	}
}
