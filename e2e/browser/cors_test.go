package browser_test

import (
	"testing"

	"github.com/chromedp/cdproto/network"
)

// policy of the tests of CORS. Ports of the sites are not known before.
const appPolicy = `{"cors": {
	"allowOrigins": ["https://app.example.test:*"],
	"allowMethods": ["GET", "PUT"],
	"allowHeaders": ["x-token"],
	"exposeHeaders": ["x-total"],
	"allowCredentials": true
}}`

// Header lines of upstreams that settle CORS themselves.
const (
	allowAll         = "access-control-allow-origin: *"
	allowOrigin      = "access-control-allow-origin: $origin"
	allowCredentials = "access-control-allow-credentials: true"
)

// TestFetch holds what a page reads of another origin, and where the browser sees the cause when it reads nothing. Simple requests arrive all the same.
func TestFetch(t *testing.T) {
	t.Parallel()
	s := behind(t, appPolicy)
	pages := openAll(t, app, api, evil)
	const plain, credentials = "{}", "{credentials: 'include'}"
	for _, c := range []struct {
		name, from string
		site       site
		init       string
		own        []string
		want       network.CorsError // empty: it is read
	}{
		{"allowed origin", app, s, plain, nil, ""},
		{"allowed origin with credentials", app, s, credentials, nil, ""},
		{"allowed origin over an upstream with *", app, s, credentials, []string{allowAll}, ""},
		{"allowed origin over an upstream that says it too", app, s, credentials, []string{allowOrigin, allowCredentials}, ""},
		{"same-site origin that is not allowed", api, s, plain, nil, network.CorsErrorMissingAllowOriginHeader},
		{"refused origin", evil, s, plain, nil, network.CorsErrorMissingAllowOriginHeader},
		{"refused origin over an upstream with *", evil, s, plain, []string{allowAll}, network.CorsErrorMissingAllowOriginHeader},
		{"refused origin over an upstream that allows all with credentials", evil, s, credentials, []string{allowOrigin, allowCredentials}, network.CorsErrorMissingAllowOriginHeader},

		{"no plugin", app, bare, plain, nil, network.CorsErrorMissingAllowOriginHeader},
		{"no plugin, upstream with *", evil, bare, plain, []string{allowAll}, ""},
		{"no plugin, upstream with *, credentials", evil, bare, credentials, []string{allowAll}, network.CorsErrorWildcardOriginNotAllowed},
		{"no plugin, upstream that allows all with credentials", evil, bare, credentials, []string{allowOrigin, allowCredentials}, ""},
		{"no plugin, upstream that says it twice", app, bare, plain, []string{allowOrigin, allowOrigin}, network.CorsErrorMultipleAllowOriginValues},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pages[c.from].in(t)
			address := c.site.url("www.example.test", "/data.json", c.own...)
			got := eval[response](p, "read(%q, %s)", address, c.init)
			only(t, address)
			if c.want != "" {
				checkResponse(t, got, failed)
				p.checkCORSError(address, c.want)
			} else if got.Body != contents["data.json"].body || got.Type != "cors" {
				t.Errorf("the page got %+v", got)
			}
		})
	}
}

func (p *page) checkCORSError(address string, want network.CorsError) {
	p.t.Helper()
	why := p.whyFailed(address)
	if why.CorsErrorStatus == nil || why.CorsErrorStatus.CorsError != want {
		p.t.Errorf("%s failed with %s, %+v, want %s", address, why.ErrorText, why.CorsErrorStatus, want)
	}
}

// TestCookies holds that credentials go and come where the policy allows them and the page asks for them.
func TestCookies(t *testing.T) {
	t.Parallel()
	s := behind(t, appPolicy)
	p := open(t, bare.url(app, "/page"))
	set := s.url(api, "/data.json", "set-cookie: session=1; Secure; HttpOnly")
	eval[response](p, "read(%q, {credentials: 'include'})", set)
	for init, want := range map[string]string{"{credentials: 'include'}": "session=1", "{}": ""} {
		address := s.url(api, "/data.json")
		if got := eval[response](p, "read(%q, %s)", address, init); got.Status != 200 {
			t.Errorf("with %s, the page got %+v", init, got)
		}
		if got := only(t, address).header.Get("cookie"); got != want {
			t.Errorf("with %s, the upstream got the cookie %q", init, got)
		}
	}
}

// TestPreflight holds that the plugin answers for the upstream, and that what it refuses is not sent; the browser names what it lacked.
func TestPreflight(t *testing.T) {
	t.Parallel()
	s := behind(t, appPolicy)
	pages := openAll(t, app, api, evil)
	for _, c := range []struct {
		name, from, init string
		want             network.CorsError // empty: it is sent
	}{
		{"allowed method", app, "{method: 'PUT'}", ""},
		{"allowed method and header, with credentials", app, "{method: 'PUT', credentials: 'include', headers: {'x-token': '1'}}", ""},
		{"method that is not allowed", app, "{method: 'DELETE'}", network.CorsErrorMethodDisallowedByPreflightResponse},
		{"header that is not allowed", app, "{headers: {'x-other': '1'}}", network.CorsErrorHeaderDisallowedByPreflightResponse},
		{"refused origin", evil, "{method: 'PUT'}", network.CorsErrorPreflightMissingAllowOriginHeader},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pages[c.from].in(t)
			address := s.url(api, "/data.json")
			got := eval[response](p, "read(%q, %s)", address, c.init)
			if c.want != "" {
				none(t, address)
				checkResponse(t, got, failed)
				p.checkCORSError(address, c.want)
				return
			}
			if a := only(t, address); a.method != "PUT" || got.Status != 200 {
				t.Errorf("%s arrived, the page got %+v", a.method, got)
			}

			address = bare.url(api, "/data.json")
			checkResponse(t, eval[response](p, "read(%q, %s)", address, c.init), failed)
			if a := only(t, address); a.method != "OPTIONS" {
				t.Errorf("without the plugin, %s arrived", a.method)
			}
		})
	}
}

// TestReadable holds that the page of an allowed origin sees which error it got, from the upstream or from Envoy, and the headers exposed to it.
func TestReadable(t *testing.T) {
	t.Parallel()
	s := behind(t, appPolicy)
	pages := openAll(t, app, evil)
	for _, c := range []struct {
		name, path string
		status     int
		own        []string
	}{
		{"upstream 401", "/data.json", 401, []string{"status: 401", `www-authenticate: Bearer realm="api"`}},
		{"upstream 403", "/data.json", 403, []string{"status: 403"}},
		{"upstream 404", "/data.json", 404, []string{"status: 404"}},
		{"upstream 503", "/data.json", 503, []string{"status: 503"}},
		{"upstream down", "/down/", 503, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, refused := pages[app].in(t), pages[evil].in(t)
			if got := eval[response](p, "read(%q)", s.url(api, c.path, c.own...)); got.Status != c.status {
				t.Errorf("the page got %+v", got)
			}
			checkResponse(t, eval[response](refused, "read(%q)", s.url(api, c.path, c.own...)), failed)
			checkResponse(t, eval[response](p, "read(%q)", bare.url(api, c.path, c.own...)), failed)
		})
	}
	t.Run("exposed header", func(t *testing.T) {
		got := eval[response](pages[app].in(t), "read(%q)", s.url(api, "/data.json", "x-total: 7", "x-internal: 8")).Headers
		if got["x-total"] != "7" || got["x-internal"] != "" {
			t.Errorf("the page got the headers %v", got)
		}
	})
}

// TestNullOrigin holds that a frame without an origin is refused, unless the policy allows null.
func TestNullOrigin(t *testing.T) {
	t.Parallel()
	body := contents["data.json"].body
	for policy, want := range map[string]string{
		appPolicy:                       "TypeError",
		`{"cors": {"allowNull": true}}`: body,
	} {
		p := open(t, bare.url(app, "/page"))
		address := behind(t, policy).url(api, "/data.json", allowOrigin)
		if got := eval[string](p, "fromNowhere(%q)", address); got != want {
			t.Errorf("with %s, the frame got %q", policy, got)
		}
		if got := only(t, address).header.Get("origin"); got != "null" {
			t.Errorf("the frame sent the origin %q", got)
		}
	}
}

// TestCache holds that a response which the browser keeps serves the one origin only: what Vary is for. Without it, a page that the upstream allows
// gets what the cache has for another.
func TestCache(t *testing.T) {
	t.Parallel()
	const www = "www.example.test"
	pages := openAll(t, app, www) // with one cache, as they are of one site
	s := behind(t, `{"cors": {"allowOrigins": ["https://*.example.test:*"]}}`)
	for _, c := range []struct {
		name string
		site site
		own  []string
		read bool // whether the second page reads it
	}{
		{"plugin", s, nil, true},
		{"upstream without Vary", bare, []string{allowOrigin}, false},
		{"upstream with Vary", bare, []string{allowOrigin, "vary: Origin"}, true},
		{"plugin over an upstream without Vary", s, []string{allowOrigin}, true},
	} {
		for _, first := range []string{"read", "image"} { // an image is asked for without an Origin
			t.Run(c.name+", "+first, func(t *testing.T) {
				address := c.site.url(api, "/image", append(c.own, "cache-control: max-age=60")...)
				eval[any](pages[app].in(t), "%s(%q)", first, address)
				if got := eval[response](pages[www].in(t), "read(%q)", address); (got.Status == 200) != c.read {
					t.Errorf("the second page got %+v", got)
				}
			})
		}
	}
}
