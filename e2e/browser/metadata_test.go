package browser_test

import (
	"fmt"
	"testing"
)

// metadata is what the browser says of a request.
type metadata struct{ site, mode, dest, origin string }

func metadataOf(a arrival) metadata {
	get := a.header.Get
	return metadata{get("sec-fetch-site"), get("sec-fetch-mode"), get("sec-fetch-dest"), get("origin")}
}

// TestMetadata holds which requests of a page fetchMetadata refuses, and what the browser says of them, as seen where no plugin is.
func TestMetadata(t *testing.T) {
	t.Parallel()
	const target = "www.example.test"
	const cors = `"cors": {"allowOrigins": ["https://cdn.other.test:*"]}`
	s := behind(t, `{`+cors+`, "fetchMetadata": {}}`)
	strict := behind(t, `{`+cors+`, "fetchMetadata": {"allowSameSite": false}}`)
	report := behind(t, `{`+cors+`, "fetchMetadata": {"mode": "report"}}`)
	from := map[string]string{evil: bare.origin(evil), other: bare.origin(other), api: bare.origin(api)}
	pages := openAll(t, evil, other, api)
	for _, c := range []struct {
		name, from, script, path string
		says                     metadata
		passes, strict           bool // by default, and where same-site requests are refused
	}{
		{"image of another site", evil, "image(%q)", "/image", metadata{"cross-site", "no-cors", "image", ""}, false, false},
		{"script of another site", evil, "script(%q)", "/script.js", metadata{"cross-site", "no-cors", "script", ""}, false, false},
		{"fetch without CORS", evil, "read(%q, {mode: 'no-cors'})", "/data.json", metadata{"cross-site", "no-cors", "empty", ""}, false, false},
		{"POST without CORS", evil, "read(%q, {mode: 'no-cors', method: 'POST', body: 'x'})", "/data.json", metadata{"cross-site", "no-cors", "empty", from[evil]}, false, false},
		{"object of another site", evil, "element('object', {data: %q})", "/page", metadata{"cross-site", "navigate", "object", ""}, false, false},
		{"embed of another site", evil, "element('embed', {src: %q})", "/page", metadata{"cross-site", "navigate", "embed", ""}, false, false},
		{"frame in another site", evil, "frame(%q)", "/frame", metadata{"cross-site", "navigate", "iframe", ""}, true, true},

		{"CORS from a refused origin", evil, "read(%q)", "/data.json", metadata{"cross-site", "cors", "empty", from[evil]}, false, false},
		{"CORS from an allowed origin", other, "read(%q)", "/data.json", metadata{"cross-site", "cors", "empty", from[other]}, true, true},
		// An allowed origin is known by its Origin, which images and scripts go without.
		{"image of an allowed origin", other, "image(%q)", "/image", metadata{"cross-site", "no-cors", "image", ""}, false, false},
		{"POST without CORS from an allowed origin", other, "read(%q, {mode: 'no-cors', method: 'POST', body: 'x'})", "/data.json", metadata{"cross-site", "no-cors", "empty", from[other]}, true, true},

		{"image of the same site", api, "image(%q)", "/image", metadata{"same-site", "no-cors", "image", ""}, true, false},
		{"CORS from the same site, refused origin", api, "read(%q)", "/data.json", metadata{"same-site", "cors", "empty", from[api]}, true, false},
		{"frame in the same site", api, "frame(%q)", "/frame", metadata{"same-site", "navigate", "iframe", ""}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pages[c.from].in(t)
			for site, passes := range map[site]bool{bare: true, s: c.passes, strict: c.strict, report: true} {
				address := site.url(target, c.path)
				eval[any](p, c.script, address)
				if !passes {
					none(t, address)
				} else if got := metadataOf(only(t, address)); got != c.says {
					t.Errorf("the browser says %+v", got)
				}
			}
		})
	}
}

// TestRefusedByMetadata holds what becomes of a page's own request that fetchMetadata refuses.
func TestRefusedByMetadata(t *testing.T) {
	t.Parallel()
	p := open(t, bare.url(evil, "/page"))
	refused := behind(t, `{"fetchMetadata": {}}`).url(app, "/image")
	if got := eval[string](p, "image(%q)", refused); got != "error" {
		t.Errorf("the image gave %s", got)
	}
	until(t, tellLimit, func() error {
		if status := p.status(refused); status != 403 {
			return fmt.Errorf("status %d", status)
		}
		return nil
	})
	if got := eval[string](p, "image(%q)", bare.url(app, "/image")); got != "load" {
		t.Errorf("without the plugin, the image gave %s", got)
	}
}

// TestNavigation holds which navigations from another site fetchMetadata lets through.
func TestNavigation(t *testing.T) {
	t.Parallel()
	profile := newProfile(t)
	s := behind(t, `{"fetchMetadata": {}}`)
	strict := behind(t, `{"fetchMetadata": {"allowUnsafeNavigations": false}}`)
	for _, c := range []struct {
		name, script   string
		method, origin string
		strict         int64 // status where only safe navigations are let through
	}{
		{"link", "click(%q)", "GET", "", 200},
		{"location", "location.href = %q", "GET", "", 200},
		{"form", "submit(%q, 'POST')", "POST", bare.origin(evil), 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := profile.in(t)
			for site, status := range map[site]int64{bare: 200, s: 200, strict: c.strict} {
				address := site.url(app, "/page")
				p.load(bare.url(evil, "/page"))
				if got := p.follow(c.script, address); got != status {
					t.Errorf("status %d, want %d", got, status)
				}
				if status == 403 {
					none(t, address)
					continue
				}
				a := only(t, address)
				if want := (metadata{"cross-site", "navigate", "document", c.origin}); metadataOf(a) != want || a.method != c.method {
					t.Errorf("%s, of which the browser says %+v", a.method, metadataOf(a))
				}
			}
		})
	}
}

// TestOwnMetadata holds that fetchMetadata does not stand between a site and its own pages, nor in the way of the user's.
func TestOwnMetadata(t *testing.T) {
	t.Parallel()
	s := behind(t, `{"fetchMetadata": {"allowSameSite": false, "allowUnsafeNavigations": false}}`)
	address := s.url(app, "/page")
	p := open(t, address)
	if got, want := metadataOf(only(t, address)), (metadata{"none", "navigate", "document", ""}); got != want {
		t.Errorf("of the address that the user types, the browser says %+v", got)
	}
	for _, script := range []string{"image(%q)", "read(%q)", "read(%q, {method: 'POST', body: 'x'})", "read(%q, {mode: 'no-cors'})"} {
		address := s.url(app, "/image")
		eval[any](p, script, address)
		if got := metadataOf(only(t, address)); got.site != "same-origin" {
			t.Errorf("of %s, the browser says %+v", script, got)
		}
	}
	if got := p.follow("submit(%q, 'POST')", s.url(app, "/page")); got != 200 {
		t.Errorf("a form of its own got status %d", got)
	}
}
