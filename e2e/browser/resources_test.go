package browser_test

import (
	"testing"

	"github.com/chromedp/cdproto/network"
)

// TestResourcePolicy holds who may embed an image under each value, whatever the upstream sends; and that without the plugin, an upstream that says
// the strictest value twice has said nothing.
func TestResourcePolicy(t *testing.T) {
	t.Parallel()
	profile := newProfile(t)
	const notSameOrigin, notSameSite = network.BlockedReasonCorpNotSameOrigin, network.BlockedReasonCorpNotSameSite
	sameOrigin, sameSite, crossOrigin := resourcePolicy(t, "same-origin"), resourcePolicy(t, "same-site"), resourcePolicy(t, "cross-origin")
	twice := []string{corp + "same-origin", corp + "same-origin"}
	for _, c := range []struct {
		name  string
		site  site
		own   []string                 // what the upstream sends
		wants [3]network.BlockedReason // for an image of the same origin, of the same site, of another site
	}{
		{"no header", bare, nil, [3]network.BlockedReason{}},
		{"upstream says same-origin", bare, twice[:1], [3]network.BlockedReason{"", notSameOrigin, notSameOrigin}},
		{"upstream says same-origin twice", bare, twice, [3]network.BlockedReason{}},
		{"same-origin", sameOrigin, nil, [3]network.BlockedReason{"", notSameOrigin, notSameOrigin}},
		{"same-origin over twice the same", sameOrigin, twice, [3]network.BlockedReason{"", notSameOrigin, notSameOrigin}},
		{"same-origin over cross-origin", sameOrigin, []string{corp + "cross-origin"}, [3]network.BlockedReason{"", notSameOrigin, notSameOrigin}},
		{"same-site", sameSite, nil, [3]network.BlockedReason{"", "", notSameSite}},
		{"cross-origin", crossOrigin, nil, [3]network.BlockedReason{}},
		{"cross-origin over same-origin", crossOrigin, twice[:1], [3]network.BlockedReason{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := profile.in(t)
			p.load(c.site.url(app, "/page"))
			for i, host := range []string{app, api, other} {
				address := c.site.url(host, "/image", c.own...)
				got := eval[string](p, "image(%q)", address)
				if want := c.wants[i]; want == "" && got != "load" {
					t.Errorf("the image of %s gave %s", host, got)
				} else if want != "" {
					p.checkBlocked(address, got, want)
				}
			}
		})
	}
}

func resourcePolicy(t *testing.T, value string) site {
	t.Helper()
	return behind(t, `{"isolation": {"crossOriginResourcePolicy": "`+value+`"}}`)
}

func (p *page) checkBlocked(address, outcome string, want network.BlockedReason) {
	p.t.Helper()
	if outcome != "error" {
		p.t.Errorf("%s gave %s", address, outcome)
		return
	}
	if why := p.whyFailed(address); why.BlockedReason != want {
		p.t.Errorf("%s was blocked for %q (%s), want %q", address, why.BlockedReason, why.ErrorText, want)
	}
}

// TestOpaqueResponseBlocking holds what nosniff keeps out of the processes of other sites: elements that embed without asking get an error, and not
// the bytes. A fetch without CORS resolves either way, empty-handed.
func TestOpaqueResponseBlocking(t *testing.T) {
	t.Parallel()
	profile := open(t, bare.url(app, "/page"))
	nosniff := behind(t, `{"securityHeaders": {"xContentTypeOptions": "nosniff"}, "cors": {"allowOrigins": ["https://app.example.test:*"]}}`)
	for _, c := range []struct {
		name    string
		site    site
		path    string
		mime    string
		script  string // outcome of a script element
		image   string // of an image
		blocked bool
	}{
		{"JSON", nosniff, "/data.json", "application/json", "error", "error", true},
		{"JSON, labelled as text", nosniff, "/data.json", "text/plain", "error", "error", true},
		{"JSON, labelled as JavaScript", nosniff, "/data.json", "text/javascript", "error", "error", true},
		{"JavaScript", nosniff, "/script.js", "text/javascript", "load", "error", false},
		{"JavaScript, labelled as text", nosniff, "/script.js", "text/plain", "error", "error", true},
		{"JavaScript, labelled as HTML", nosniff, "/script.js", "text/html", "error", "error", true},
		{"image", nosniff, "/image", "image/svg+xml", "error", "load", false},

		// Without nosniff, what a label says is not believed. JSON is still known by its bytes.
		{"JSON, sniffed", bare, "/data.json", "application/json", "error", "error", true},
		{"JavaScript, labelled as text, sniffed", bare, "/script.js", "text/plain", "load", "error", false},
		{"JavaScript, labelled as HTML, sniffed", bare, "/script.js", "text/html", "load", "error", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := profile.in(t)
			for element, want := range map[string]string{"script": c.script, "image": c.image} {
				address := c.site.url(other, c.path, "content-type: "+c.mime)
				if got := eval[string](p, "%s(%q)", element, address); got != want {
					t.Errorf("the %s gave %s", element, got)
				}
				if c.blocked {
					if why := p.whyFailed(address); why.ErrorText != "net::ERR_BLOCKED_BY_ORB" {
						t.Errorf("the %s failed with %s", element, why.ErrorText)
					}
				}
			}
			opaque := response{Type: "opaque", Headers: map[string]string{}}
			address := c.site.url(other, c.path, "content-type: "+c.mime)
			checkResponse(t, eval[response](p, "read(%q, {mode: 'no-cors'})", address), opaque)
			if got := eval[response](p, "read(%q)", address); c.site == nosniff && (got.Status != 200 || got.Body != contents[c.path[1:]].body) {
				t.Errorf("a fetch that CORS allows gave %+v", got)
			}
		})
	}
}
