package browser_test

import (
	"testing"

	"github.com/chromedp/cdproto/network"
)

// TestRedirect holds that redirects can be followed, since they carry the policy's headers like other responses; and that the Origin is null behind one that leads from another origin
// to a third, which a policy has to allow by name.
func TestRedirect(t *testing.T) {
	t.Parallel()
	const nullToo = `{"cors": {"allowOrigins": ["https://app.example.test:*"], "allowMethods": ["PUT"], "allowNull": true}}`
	s, null := behind(t, appPolicy), behind(t, nullToo)
	pages := openAll(t, app)
	for _, c := range []struct {
		name     string
		via      site   // of the redirect
		viaHost  string // which api has; app has the page
		to       site
		toHost   string
		init     string
		origin   string            // that the second request has
		want     network.CorsError // empty: it is read
		notAsked bool              // the second request is not sent
	}{
		{"within an origin", s, api, s, api, "{}", bare.origin(app), "", false},
		{"with a preflight for each", s, api, s, api, "{method: 'PUT'}", bare.origin(app), "", false},
		{"to a third origin", s, api, null, other, "{}", "null", "", false},
		{"to a third origin that does not allow null", s, api, s, other, "{}", "null", network.CorsErrorMissingAllowOriginHeader, false},
		{"from the page's own origin", bare, app, s, api, "{}", bare.origin(app), "", false},
		{"without the plugin", bare, api, s, api, "{}", "", network.CorsErrorMissingAllowOriginHeader, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pages[app].in(t)
			to := c.to.url(c.toHost, "/data.json")
			via := c.via.url(c.viaHost, "/data.json", "status: 307", "location: "+to)
			got := eval[response](p, "read(%q, %s)", via, c.init)
			only(t, via)
			if c.notAsked {
				none(t, to)
			} else if origin := only(t, to).header.Get("origin"); origin != c.origin {
				t.Errorf("behind the redirect, the Origin is %q", origin)
			}
			if c.want == "" {
				if got.Status != 200 || got.Body != contents["data.json"].body {
					t.Errorf("the page got %+v", got)
				}
				return
			}
			checkResponse(t, got, failed)
		})
	}
}
