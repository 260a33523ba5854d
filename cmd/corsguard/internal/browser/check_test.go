package browser

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheCacheIsCappedByEachBrowser(t *testing.T) {
	const five, none = 5 * time.Second, 0
	for _, c := range []struct {
		values []string
		want   Cache
	}{
		{nil, Cache{five, five, five}},
		{[]string{""}, Cache{five, five, five}},
		{[]string{"0"}, Cache{none, none, none}},
		{[]string{"60"}, Cache{time.Minute, time.Minute, time.Minute}},
		{[]string{" 600 "}, Cache{10 * time.Minute, 10 * time.Minute, 10 * time.Minute}},
		{[]string{"601"}, Cache{601 * time.Second, 601 * time.Second, MaxAgeSafari}},
		{[]string{"7200"}, Cache{2 * time.Hour, 2 * time.Hour, MaxAgeSafari}},
		{[]string{"86400"}, Cache{MaxAgeChromium, 24 * time.Hour, MaxAgeSafari}},
		{[]string{"86401"}, Cache{MaxAgeChromium, MaxAgeFirefox, MaxAgeSafari}},
		{[]string{"99999999999999999999"}, Cache{five, MaxAgeFirefox, five}},
		{[]string{"-1"}, Cache{none, none, five}},
		{[]string{"60s"}, Cache{five, none, five}},
		{[]string{"60.5"}, Cache{five, none, five}},
		{[]string{"60", "60"}, Cache{five, none, five}},
	} {
		r := ask(t, "https://app.example.test", "https://api.example.test/")
		r.Method = "POST"
		r.Headers = []Header{{"x-a", "1"}}
		a := Answer{Status: 200, Headers: []Header{{"Access-Control-Allow-Origin", "*"}, {"Access-Control-Allow-Headers", "*"}}}
		for _, value := range c.values {
			a.Headers = append(a.Headers, Header{"Access-Control-Max-Age", value})
		}
		if v := CheckPreflight(r, a); !v.Allowed || v.Cache != c.want {
			t.Errorf("%q: %v, %+v; want %+v", c.values, v.Failure, v.Cache, c.want)
		}
		a.Status = 404
		if v := CheckPreflight(r, a); v.Cache != (Cache{}) {
			t.Errorf("what is refused is kept for %+v", v.Cache)
		}
	}
}

func TestWithoutACrossOriginRequestThereIsNoCheck(t *testing.T) {
	a := Answer{Status: 200, Headers: []Header{{"X-A", "1"}, {"Set-Cookie", "a=1"}, {"Cross-Origin-Resource-Policy", "same-origin"}}}
	same := ask(t, "https://api.example.test", "https://api.example.test/")
	if v := CheckActual(same, a); !v.Allowed || v.Chromium != "" || v.Firefox != "" || !slices.Equal(v.Readable, []string{"cross-origin-resource-policy", "x-a"}) {
		t.Errorf("of the same origin: %+v", v)
	}
	same.Mode = NoCORS
	if v := CheckActual(same, a); !v.Allowed || v.Opaque {
		t.Errorf("of the same origin, without CORS: %+v", v)
	}
	document := ask(t, "https://app.example.test", "https://api.example.test/")
	document.Mode = Navigate
	if v := CheckActual(document, a); !v.Allowed || !v.Opaque || v.Readable != nil {
		t.Errorf("of a navigation: %+v", v)
	}
	moved := Answer{Status: 307, Headers: []Header{{"Location", "/x"}}}
	for _, r := range []*Request{same, document} {
		if v := CheckActual(r, moved); !v.Allowed || v.Location != "/x" {
			t.Errorf("of a redirect: %+v", v)
		}
	}
}

func TestRedirectsAreFollowedWhereCORSAllowsThem(t *testing.T) {
	r := ask(t, "https://app.example.test", "https://api.example.test/a")
	for _, c := range []struct {
		status   int
		location []string
		failure  Failure
		follows  bool
	}{
		{302, []string{"/b"}, None, true}, {308, []string{"//other.test"}, None, true}, {303, []string{"http://other.test"}, None, true}, {304, []string{"/b"}, None, false},
		{300, []string{"/b"}, None, false}, {302, nil, None, false}, {301, []string{"https://u@other.test"}, RedirectWithCredentials, false},
		{301, []string{"https://:@other.test"}, None, true}, {301, []string{"ftp://other.test"}, RedirectScheme, false}, {307, []string{"http://[x"}, RedirectScheme, false},
	} {
		a := Answer{Status: c.status, Headers: []Header{{"access-control-allow-origin", "*"}}}
		for _, location := range c.location {
			a.Headers = append(a.Headers, Header{"location", location})
		}
		if v := CheckActual(r, a); v.Failure != c.failure || (v.Location != "") != c.follows {
			t.Errorf("%d to %q: %+v", c.status, c.location, v)
		}
	}
}

func TestChromiumTellsURLsFromOtherValues(t *testing.T) {
	for value, want := range map[string]bool{
		"https://a": true, "HTTP://A:80/b?c#d": true, "https:a": true, "https:/a": true, `https:\\a`: true, "https://u:p@a": true, "https://*.a": true, "https://(.*)": true,
		"https://[::1]:443": true, "localhost:3000": true, "a:443": true, "chrome-extension://a": true, "data:x": true, "ws://a": true, "https://192.0.2.1": true, "https://a:00080": true,
		"https://%61": true, "https://a%20b": true, "https://0x7f.1": true, "https://0X": true, "https://017.0.0.255": true, "https://4294967295": true, "https://1.": true,
		"https://a.0xg": true, "https://4294967296": false, "https://1.256.1": false, "https://a.1": false, "https://08": false, "https://1.2.3.4.5": false, "https://a.": true,
		"": false, "a": false, "a.example": false, "//a": false, "https://": false, "https:": false, "https://a:65536": false, "https://a:x": false, "https://[::1": false,
		"https://[a]": false, "https://[::1]x": false, "https://<a>": false, "https://a|b": false, "https://%": false, "1a://b": false, ":a": false,
		"https://1.2.3.256": false, `"https://a"`: false, "https://a^b": false,
	} {
		if got := isURL(value); got != want {
			t.Errorf("%q is a URL: %v", value, got)
		}
	}
}

func TestResourcePoliciesKnowSchemes(t *testing.T) {
	for _, c := range []struct {
		origin, address string
		want            Failure
	}{
		{"https://app.example.test", "https://api.example.test", None},
		{"https://app.example.test", "http://api.example.test", None},
		{"http://app.example.test", "https://api.example.test", ResourcePolicySameSite},
		{"https://app.other.test", "https://api.example.test", ResourcePolicySameSite},
		{"null", "https://api.example.test", ResourcePolicySameSite},
	} {
		r := ask(t, c.origin, c.address)
		r.Mode = NoCORS
		if v := CheckActual(r, Answer{Status: 200, Headers: []Header{{"cross-origin-resource-policy", "same-site"}}}); v.Failure != c.want {
			t.Errorf("%s to %s: %+v", c.origin, c.address, v)
		}
	}
}

// FuzzVerdict holds what must be so of whatever a server answers.
func FuzzVerdict(f *testing.F) {
	for _, c := range readConsoleCases(f) {
		for _, a := range []*consoleAnswer{c.Preflight, c.Actual} {
			if a != nil {
				f.Add(c.Request.Method, c.origin(), strings.Join(c.Request.Headers, "\n"), a.Status, c.fill(strings.Join(a.Headers, "\n")), c.Request.Credentials == "include", c.Request.Mode == "no-cors")
			}
		}
	}
	lines := func(text string) (headers []Header) {
		for _, line := range strings.Split(text, "\n") {
			name, value, _ := strings.Cut(line, ":")
			headers = append(headers, Header{name, value})
		}
		return headers
	}
	f.Fuzz(func(t *testing.T, method, origin, request string, status int, answer string, credentials, opaque bool) {
		u, err := url.Parse("https://api.example.test:9443/case/")
		if err != nil {
			t.Fatal(err)
		}
		r := &Request{URL: u, Origin: origin, Method: method, Headers: lines(request)}
		if credentials {
			r.Credentials = Include
		}
		if opaque {
			r.Mode = NoCORS
		}
		if r.Validate() != nil || !r.IsCrossOrigin() {
			return
		}
		a := Answer{Status: status, Headers: lines(answer)}
		v := CheckActual(r, a)
		checkConsistent(t, r, v)
		p, because := r.Preflight()
		if (p == nil) != (because == nil) {
			t.Fatalf("%+v, because %q", p, because)
		}
		if r.Mode == NoCORS {
			return
		}
		checkGranted(t, r, &a, v)
		if p == nil {
			return
		}
		v = CheckPreflight(r, a)
		checkConsistent(t, r, v)
		checkGranted(t, r, &a, v)
		if v.Allowed && (status < 200 || status > 299) {
			t.Fatalf("status %d is allowed", status)
		}
	})
}

// checkConsistent holds that consoles speak of failures, and of no more than warnings else.
func checkConsistent(t *testing.T, r *Request, v Verdict) {
	t.Helper()
	if v.Allowed != (v.Failure == None) || v.Allowed && (v.Chromium != "" || v.Firefox != "" || v.AllowedBy != nil) {
		t.Fatalf("%+v", v)
	}
	if !v.Allowed && (v.Chromium == "" && !slices.Contains(v.AllowedBy, chromium) || v.Firefox == "" && !slices.Contains(v.AllowedBy, firefox)) {
		t.Fatalf("nothing is said of %v, %+v", v.Failure, r)
	}
	if r.withCredentials() && slices.Contains(v.Readable, "*") && v.Opaque {
		t.Fatalf("%+v", v)
	}
}

// checkGranted holds that nothing is allowed without a single value that names the origin, or stands for any where no credentials are.
func checkGranted(t *testing.T, r *Request, a *Answer, v Verdict) {
	t.Helper()
	if !v.Allowed {
		return
	}
	origins := a.values("access-control-allow-origin")
	if len(origins) != 1 || origins[0] != r.Origin && (origins[0] != "*" || r.withCredentials()) {
		t.Fatalf("%q is allowed for %q", origins, r.Origin)
	}
	if r.withCredentials() && !slices.Equal(a.values("access-control-allow-credentials"), []string{"true"}) {
		t.Fatalf("credentials are allowed by %q", a.Headers)
	}
}
