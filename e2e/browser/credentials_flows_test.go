package browser_test

import (
	"testing"

	"github.com/chromedp/cdproto/network"

	"corsguard/e2e/envoy"
)

// TestCredentials holds that responses to requests with cookies are read where the policy says so, and not where it does not.
func TestCredentials(t *testing.T) {
	t.Parallel()
	const without = `{"cors": {"allowOrigins": ["https://app.example.test:*"]}}`
	p := open(t, bare.url(app, "/page"))
	eval[string](p, "document.cookie = %q", "session=1; domain=example.test; secure")
	for _, c := range []struct {
		name string
		site site
		want network.CorsError // empty: it is read
	}{
		{"allowCredentials", behind(t, appPolicy), ""},
		{"no allowCredentials", behind(t, without), network.CorsErrorInvalidAllowCredentials},
		{"any origin", behind(t, `{"cors": {"allowOrigins": ["*"]}}`), network.CorsErrorWildcardOriginNotAllowed},
		{"no plugin", bare, network.CorsErrorMissingAllowOriginHeader},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := p.in(t)
			address := c.site.url(api, "/data.json")
			got := eval[response](p, "read(%q, {credentials: 'include'})", address)
			if cookie := only(t, address).header.Get("cookie"); cookie != "session=1" {
				t.Errorf("the upstream got the cookie %q", cookie)
			}
			if c.want == "" {
				if got.Status != 200 {
					t.Errorf("the page got %+v", got)
				}
				return
			}
			checkResponse(t, got, failed)
			p.checkCORSError(address, c.want)
		})
	}
}

// TestExposedHeaders holds that a page reads the headers that the policy exposes, whatever the upstream would expose.
func TestExposedHeaders(t *testing.T) {
	t.Parallel()
	p := open(t, bare.url(app, "/page"))
	for _, c := range []struct {
		name, policy    string
		total, internal string
	}{
		{"x-total", appPolicy, "7", ""},
		{"nothing", `{"cors": {"allowOrigins": ["https://app.example.test:*"]}}`, "", ""},
		{"everything", `{"cors": {"allowOrigins": ["https://app.example.test:*"], "exposeHeaders": ["*"]}}`, "7", "8"},
		{"upstreamHeaders keep", `{"cors": {"allowOrigins": ["https://app.example.test:*"], "upstreamHeaders": "keep"}}`, "", "8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := behind(t, c.policy).url(api, "/data.json", allowOrigin, "access-control-expose-headers: x-internal", "x-total: 7", "x-internal: 8")
			got := eval[response](p.in(t), "read(%q)", address)
			if got.Status != 200 || got.Headers["x-total"] != c.total || got.Headers["x-internal"] != c.internal {
				t.Errorf("the page got %+v", got)
			}
		})
	}
}

// basicAuth lets ada in.
func basicAuth() envoy.Object {
	return envoy.Filter("basic_auth", "envoy.extensions.filters.http.basic_auth.v3.BasicAuth", envoy.Object{
		"users": envoy.Object{"inline_string": "ada:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="},
	})
}

// TestDenial holds that a page reads the 401 of a filter that stands behind the plugin, and gets its preflight past it. Where the plugin stands behind, it does not.
func TestDenial(t *testing.T) {
	t.Parallel()
	policy := corsguard(`{"cors": {"allowOrigins": ["https://app.example.test:*"], "allowHeaders": ["authorization"], "exposeHeaders": ["www-authenticate"]}}`)
	first, second := through(t, policy, basicAuth()), through(t, basicAuth(), policy)
	p := open(t, bare.url(app, "/page"))
	const ada = "{headers: {authorization: 'Basic ' + btoa('ada:password')}}"
	const stranger = "{headers: {authorization: 'Basic ' + btoa('ada:guessed')}}"
	for name, init := range map[string]string{"no credentials": "{}", "wrong credentials": stranger} {
		address := first.url(api, "/data.json")
		got := eval[response](p, "read(%q, %s)", address, init)
		if got.Status != 401 || got.Headers["www-authenticate"] == "" || got.Body == "" {
			t.Errorf("%s: the page got %+v", name, got)
		}
		none(t, address)

		address = second.url(api, "/data.json")
		checkResponse(t, eval[response](p, "read(%q, %s)", address, init), failed)
	}
	if got := eval[response](p, "read(%q, %s)", first.url(api, "/data.json"), ada); got.Status != 200 {
		t.Errorf("with credentials, the page got %+v", got)
	}
	address := second.url(api, "/data.json")
	checkResponse(t, eval[response](p, "read(%q, %s)", address, ada), failed)
	p.checkCORSError(address, network.CorsErrorPreflightMissingAllowOriginHeader)
}
