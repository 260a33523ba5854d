package audit

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

// star answers as a public API does, the same for everybody.
func star(_ *http.Request, a *reply) {
	withoutCredentials(nil, a)
	a.set("Access-Control-Allow-Origin", "*")
	a.header.Del("Vary")
}

func starWithPreflights(r *http.Request, a *reply) {
	star(r, a)
	if isPreflight(r) {
		a.set("Access-Control-Allow-Methods", "GET, HEAD")
		a.set("Access-Control-Max-Age", "7200")
	}
}

// publicFaults are audits in which no origin is given.
var publicFaults = []answerFault{
	{"a public API", starWithPreflights, []string{"answers-any-origin note"}},
	{"a public API that answers no preflights", func(r *http.Request, a *reply) {
		star(r, a)
		if isPreflight(r) {
			a.status = http.StatusMethodNotAllowed
		}
	}, []string{"answers-any-origin note", "preflight-not-answered warning"}},
	{"a public API without errors that can be read", func(r *http.Request, a *reply) {
		starWithPreflights(r, a)
		if missing(r) {
			bare(http.StatusNotFound)(a)
		}
	}, []string{"answers-any-origin note", "error-without-cors warning"}},
	{"a public API with stars all over", func(r *http.Request, a *reply) {
		star(r, a)
		a.set("Access-Control-Allow-Methods", "*")
		a.set("Access-Control-Allow-Headers", "*")
		a.set("Access-Control-Expose-Headers", "*")
		a.set("Access-Control-Max-Age", "7200")
		a.set("Timing-Allow-Origin", "*")
	}, []string{"answers-any-header note", "answers-any-method note", "answers-any-origin note", "exposes-any-header note"}},
	{"star for CORS requests alone", func(r *http.Request, a *reply) {
		starWithPreflights(r, a)
		if r.Header.Get("Origin") == "" {
			bare(a.status)(a)
		}
	}, []string{"answers-any-origin note", "missing-vary-origin warning"}},
	{"one origin for everybody", func(_ *http.Request, a *reply) {
		withoutCredentials(nil, a)
		a.set("Access-Control-Allow-Origin", pageOrigin)
		a.set("Access-Control-Max-Age", "60")
		a.header.Del("Vary")
	}, nil},
	{"no CORS", func(_ *http.Request, a *reply) { bare(a.status)(a) }, nil},
	{"no CORS, and authentication", func(_ *http.Request, a *reply) { bare(http.StatusUnauthorized)(a) }, nil},
}

func TestEndpointsOfWhichNothingIsKnown(t *testing.T) {
	t.Parallel()
	for _, f := range publicFaults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			r := run(t, &endpoint{edit: f.edit}, target, Options{Rate: 1e6})
			wantFindings(t, r, f.want...)
		})
	}
}

// TestWhatCouldNotBeTestedIsSaid holds that an audit that found no allowed origin does not look like one that tested everything.
func TestWhatCouldNotBeTestedIsSaid(t *testing.T) {
	t.Parallel()
	r := run(t, &endpoint{allow: oneOf("https://unheard-of.example.net")}, target, Options{Rate: 1e6})
	wantFindings(t, r)
	if said := strings.Join(r.NotTested, "\n"); !strings.Contains(said, "--origin") {
		t.Errorf("not tested: %q", said)
	}
}

// TestTheSitesFrontPageIsFound holds that origins are looked for where none is given.
func TestTheSitesFrontPageIsFound(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{"https://example.com", "https://www.example.com"} {
		r := run(t, &endpoint{allow: oneOf(origin), edit: on(isPreflight, bare(http.StatusNotFound))}, target, Options{Rate: 1e6})
		wantFindings(t, r, "preflight-not-answered warning")
	}
}

// TestTheDefaultLimitIsEnough holds that an audit which finds all that it looks for, and a long host, is not cut off.
func TestTheDefaultLimitIsEnough(t *testing.T) {
	t.Parallel()
	deep := "https://a.b.c.api.example.com/v1/items"
	e := &endpoint{allow: oneOf("https://example.com", "https://www.example.com", "https://a.b.c.api.example.com"), edit: withoutCredentials}
	o := Options{Rate: 1e6}
	serve(t, e, &o)
	o.Resolve["a.b.c.api.example.com:443"] = o.Resolve["api.example.com:443"]
	r, err := Run(context.Background(), deep, o)
	if err != nil || r.Incomplete != "" {
		t.Fatal(err, r.Incomplete)
	}
	wantFindings(t, r)
}

// TestTheOwnOriginNeedsNoCORS holds that a server need not grant what browsers allow anyhow.
func TestTheOwnOriginNeedsNoCORS(t *testing.T) {
	t.Parallel()
	o := pageOptions()
	o.Origins = append(o.Origins, "https://api.example.com")
	r := run(t, &endpoint{}, target, o)
	wantFindings(t, r)
	if said := strings.Join(r.NotTested, "\n"); !strings.Contains(said, "https://api.example.com: is the endpoint's own origin") {
		t.Errorf("not tested: %q", said)
	}
}

// TestInternationalNames holds that names are asked for and sent as browsers do.
func TestInternationalNames(t *testing.T) {
	t.Parallel()
	e := &endpoint{}
	o := pageOptions()
	serve(t, e, &o)
	o.Resolve["xn--bcher-kva.example:443"] = o.Resolve["api.example.com:443"]
	r, err := Run(context.Background(), "https://bücher.example/v1/items", o)
	if err != nil || r.Target != "https://xn--bcher-kva.example/v1/items" {
		t.Fatalf("%v, %+v", err, r)
	}
	for _, req := range e.seen {
		if strings.ContainsFunc(req.Header.Get("Origin"), func(c rune) bool { return c > 126 }) {
			t.Errorf("sent %q", req.Header.Get("Origin"))
		}
	}
}

// TestHTTPEndpoints holds that HSTS and the http twin are not asked of what is http itself.
func TestHTTPEndpoints(t *testing.T) {
	t.Parallel()
	o := pageOptions()
	wantFindings(t, run(t, &endpoint{edit: on(always, deleting("Strict-Transport-Security"))}, strings.Replace(target, "https", "http", 1), o))
}

// TestWhatTheAuditorDescribes holds the options that say how pages use the endpoint.
func TestWhatTheAuditorDescribes(t *testing.T) {
	t.Parallel()
	t.Run("a refused origin", func(t *testing.T) {
		t.Parallel()
		o := pageOptions()
		o.Origins = append(o.Origins, "https://www.example.com")
		wantFindings(t, run(t, &endpoint{}, target, o), "allowed-origin-refused error")
	})
	t.Run("credentials that are not allowed", func(t *testing.T) {
		t.Parallel()
		wantFindings(t, run(t, &endpoint{edit: withoutCredentials}, target, pageOptions()), "allowed-origin-refused error")
	})
	t.Run("no credentials", func(t *testing.T) {
		t.Parallel()
		o := pageOptions()
		o.Credentials = false
		wantFindings(t, run(t, &endpoint{edit: withoutCredentials}, target, o))
	})
	t.Run("a star does not cover Authorization", func(t *testing.T) {
		t.Parallel()
		o := Options{Origins: []string{pageOrigin}, RequestHeaders: []string{"authorization", "x-other"}, Rate: 1e6}
		edit := func(r *http.Request, a *reply) {
			starWithPreflights(r, a)
			if isPreflight(r) {
				a.set("Access-Control-Allow-Headers", "*")
			}
		}
		wantFindings(t, run(t, &endpoint{edit: edit}, target, o), "answers-any-header note", "answers-any-origin note", "preflight-refuses-header error")
	})
	t.Run("paths", func(t *testing.T) {
		t.Parallel()
		o := pageOptions()
		o.Paths = []string{"/private", "https://other.example.com/"}
		edit := func(r *http.Request, a *reply) {
			if r.URL.Path == "/private" {
				bare(http.StatusUnauthorized)(a)
			}
		}
		r := run(t, &endpoint{edit: edit}, target, o)
		wantFindings(t, r, "error-without-cors warning")
		if said := strings.Join(r.NotTested, "\n"); !strings.Contains(said, "https://other.example.com/") {
			t.Errorf("not tested: %q", said)
		}
	})
}
