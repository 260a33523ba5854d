package explain

import (
	"fmt"
	"slices"
	"strings"

	"corsguard/cmd/corsguard/internal/browser"
	"corsguard/cmd/corsguard/internal/edge"
	"corsguard/filter/fetch"
	"corsguard/filter/policy"
)

// Page is a request that a page makes.
type Page struct {
	browser.Request
	Route string // the name of the Envoy route that the request takes
	// Upstream is what the upstream answers to whatever reaches it.
	Upstream edge.Response
}

// Explain tells what becomes of the request of a page. The request must be valid, by its Validate.
func (p *Policy) Explain(page *Page) Report {
	r := p.explain(page)
	if page.MixedContent() {
		r.Browser = &Browser{Failure: mixedContent}
		r.Changes = append([]Change{{Text: "serve the URL over https, and have the page ask for that"}}, r.Changes...)
		r.note("browsers do not send this: a page of https may not ask for what comes over http; the rest is what would become of it")
		if page.Mode == browser.NoCORS {
			r.note("for an image, audio or video they ask over https instead, unless the host is an IP address")
		}
	}
	return r
}

// mixedContent is the failure where a browser sends nothing, since others could read and change it on the way.
const mixedContent = "mixed-content"

// explain leaves out whether browsers would send the request.
func (p *Policy) explain(page *Page) Report {
	r := Report{
		Request: Request{
			Method: page.Method, URL: page.URL.String(), Origin: page.Origin, Mode: page.Mode.String(), Credentials: page.Credentials.String(),
			Headers: pairs(page.Headers), Route: page.Route,
		},
		CrossOrigin: page.IsCrossOrigin(),
	}
	for _, h := range page.Ignored() {
		r.note("pages may not set the header %s: the browser drops it", fetch.Quoted(h.Name, maxShown))
	}
	a := advisor{policy: p}
	preflight, because := page.Preflight()
	r.PreflightBecause = because
	sent := true
	if preflight != nil {
		r.Preflight = p.step(requestTo(page, "OPTIONS", pairs(preflight.Headers)), &page.Upstream)
		verdict := browser.CheckPreflight(&page.Request, answer(r.Preflight))
		a.decided(r.Preflight, page.Origin)
		if sent = verdict.Allowed; !sent {
			r.preflightFailed = true
			r.Browser = judged(&verdict)
			a.blocked(page, r.Preflight, &verdict)
		}
		r.noteStep(p, r.Preflight, true)
		if len(preflight.SkippedBy) > 0 {
			r.note("%s sends the request at once: it takes a header for safelisted that others do not", strings.Join(preflight.SkippedBy, ", "))
		}
	}
	if sent {
		method, headers := page.Sent()
		r.Actual = p.step(requestTo(page, method, pairs(headers)), &page.Upstream)
		verdict := browser.CheckActual(&page.Request, answer(r.Actual))
		r.Browser = judged(&verdict)
		if r.CrossOrigin || r.Actual.Decision == "refused" {
			a.decided(r.Actual, page.Origin)
		}
		if !verdict.Allowed {
			a.blocked(page, r.Actual, &verdict)
		}
		if verdict.Location != "" {
			r.note("the answer redirects to %s, which is a request of its own: explain that, too", fetch.Quoted(verdict.Location, maxShown))
		}
		r.noteStep(p, r.Actual, false)
	}
	r.Changes = a.changes
	return r
}

// ExplainRaw tells what becomes of a request exactly as it is, whatever sends it, without a browser's part.
func (p *Policy) ExplainRaw(r *edge.Request, url string, upstream *edge.Response) Report {
	report := Report{Request: Request{Method: r.Method, URL: url, Headers: r.Headers, Route: r.Route}}
	report.Actual = p.step(r, upstream)
	a := advisor{policy: p}
	var origins []string
	for _, h := range r.Headers {
		if fetch.Lower(h[0]) == fetch.HeaderOrigin {
			origins = append(origins, h[1])
		}
	}
	asked := strings.Join(origins, ", ")
	report.Request.Origin = asked
	a.decided(report.Actual, asked)
	report.Changes = a.changes
	report.noteStep(p, report.Actual, false)
	return report
}

func (r *Report) note(format string, args ...any) {
	if note := fmt.Sprintf(format, args...); !slices.Contains(r.Notes, note) {
		r.Notes = append(r.Notes, note)
	}
}

// noteStep says what about s depends on more than the policy and the request.
func (r *Report) noteStep(p *Policy, s *Step, isPreflight bool) {
	x := &s.exchange
	if x.Shared {
		m := p.mode(x.Rule)
		other := "decided and counted alone (shadow)"
		if m.Otherwise == policy.Off {
			other = "left alone (off)"
		}
		r.note("the policy is enforced for %s %% of the requests, as here; the others are %s", percent(policy.Million-m.Unenforced), other)
	}
	if _, reason := x.Outcome.Split(); reason == policy.OriginNotAllowed && len(p.inForce) < p.Sources() && x.Effect != policy.NoEffect {
		r.note("the policy fetches origins at run time, which are not known here: give them by --fetched")
	}
	if isPreflight && x.Forwarded {
		r.note("the preflight goes on to the upstream, whose answer is taken to be that of --upstream-status and --upstream-header")
	}
}

func percent(ofMillion uint32) string {
	s := fmt.Sprintf("%d.%04d", ofMillion/10_000, ofMillion%10_000)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// requestTo gives a request of the page as it arrives at Envoy.
func requestTo(page *Page, method string, headers []edge.Header) *edge.Request {
	return &edge.Request{
		Method: method, Scheme: page.URL.Scheme, Authority: authority(page), Path: page.URL.RequestURI(), Route: page.Route, Headers: headers,
	}
}

// authority is the host as browsers send it: in lower case, and without the scheme's default port.
func authority(page *Page) string {
	host := fetch.Lower(page.URL.Host)
	if port := page.URL.Port(); port == "" || page.URL.Scheme == "https" && port == "443" || page.URL.Scheme == "http" && port == "80" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return host
}

func judged(v *browser.Verdict) *Browser {
	return &Browser{
		Allowed: v.Allowed, Failure: v.Failure.String(), Chromium: v.Chromium, Firefox: v.Firefox, Readable: v.Readable, Opaque: v.Opaque,
		AllowedBy: v.AllowedBy,
	}
}

func answer(s *Step) browser.Answer {
	a := browser.Answer{Status: s.Status}
	for _, h := range s.ResponseHeaders {
		a.Headers = append(a.Headers, browser.Header{Name: h[0], Value: h[1]})
	}
	return a
}

func pairs(headers []browser.Header) []edge.Header {
	all := make([]edge.Header, 0, len(headers))
	for _, h := range headers {
		all = append(all, edge.Header{fetch.Lower(h.Name), h.Value})
	}
	return all
}
