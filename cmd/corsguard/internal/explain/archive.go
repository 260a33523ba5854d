package explain

import (
	"net/url"
	"slices"
	"strings"

	"corsguard/cmd/corsguard/internal/browser"
	"corsguard/cmd/corsguard/internal/edge"
	"corsguard/cmd/corsguard/internal/har"
	"corsguard/filter/fetch"
)

// ExplainEntry tells what becomes of a recorded request, exactly as it is, and what the browser makes of it. The recorded response is taken for the upstream's. What headers hold that is
// secret is not in the report: archives have people's cookies, and reports are shown around.
func (p *Policy) ExplainEntry(e *har.Entry, route string) Report {
	r := p.explainEntry(e, route)
	if scheme, _, ok := strings.Cut(e.URL, "://"); ok {
		_, authority, path := split(e.URL)
		r.Request.URL = scheme + "://" + authority + path
	}
	r.Request.Headers = redacted(r.Request.Headers)
	for _, s := range []*Step{r.Preflight, r.Actual} {
		if s != nil {
			s.Headers, s.ResponseHeaders = redacted(s.Headers), redacted(s.ResponseHeaders)
		}
	}
	return r
}

// redacted returns headers without the values that let others act for a person.
func redacted(headers []edge.Header) []edge.Header {
	headers = slices.Clone(headers)
	for i := range headers {
		switch fetch.Lower(headers[i][0]) {
		case fetch.HeaderAuthorization, "proxy-authorization", "cookie", "set-cookie":
			headers[i][1] = "[redacted]"
		}
	}
	return headers
}

func (p *Policy) explainEntry(e *har.Entry, route string) Report {
	scheme, authority, path := split(e.URL)
	raw := &edge.Request{Method: e.Method, Scheme: scheme, Authority: authority, Path: path, Route: route, Headers: e.RequestHeaders}
	upstream := edge.Response{Status: e.Status, Headers: e.ResponseHeaders}
	if upstream.Status == 0 {
		upstream.Status = 200
	}
	r := p.ExplainRaw(raw, e.URL, &upstream)
	if e.Status == 0 {
		r.note("the archive has no response, as where the browser blocked one: the upstream's is taken to be 200 without CORS headers")
	}
	page, ok := pageOf(e, route, upstream)
	if !ok || page.Validate() != nil {
		return r
	}
	r.Request.Mode, r.Request.Credentials = page.Mode.String(), page.Credentials.String()
	if isPreflight(e) {
		v := browser.CheckPreflight(&page.Request, answer(r.Actual))
		r.CrossOrigin, r.Browser = true, judged(&v)
		if !v.Allowed {
			a := advisor{policy: p, changes: r.Changes}
			a.blocked(page, r.Actual, &v)
			r.Changes = a.changes
		}
		return r
	}
	simulated := p.explain(page)
	if e.Status == 0 {
		simulated = p.Explain(page)
	}
	r.preflightFailed = simulated.preflightFailed
	r.CrossOrigin, r.Browser, r.PreflightBecause, r.Preflight = simulated.CrossOrigin, simulated.Browser, simulated.PreflightBecause, simulated.Preflight
	for _, c := range simulated.Changes {
		if !slices.Contains(r.Changes, c) {
			r.Changes = append(r.Changes, c)
		}
	}
	return r
}

// split takes a URL apart as it is written: a recorded one need not be as browsers write them.
func split(rawURL string) (scheme, authority, path string) {
	scheme, rest, _ := strings.Cut(rawURL, "://")
	rest, _, _ = strings.Cut(rest, "#")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	authority, path = rest[:end], rest[end:]
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		authority = authority[at+1:]
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return scheme, authority, path
}

func isPreflight(e *har.Entry) bool {
	return e.Method == "OPTIONS" && recorded(e, fetch.HeaderRequestMethod) != ""
}

func recorded(e *har.Entry, name string) string {
	for _, h := range e.RequestHeaders {
		if fetch.Lower(h[0]) == name {
			return h[1]
		}
	}
	return ""
}

// unsafe is a value that no safelisted request header may have.
const unsafe = `"`

// pageOf gives what the page asked for, as far as the request tells, and whether it was a page's, in CORS mode.
func pageOf(e *har.Entry, route string, upstream edge.Response) (*Page, bool) {
	u, err := url.Parse(e.URL)
	from := recorded(e, fetch.HeaderOrigin)
	if mode := recorded(e, fetch.HeaderFetchMode); err != nil || from == "" || mode != "" && mode != "cors" {
		return nil, false
	}
	page := &Page{Route: route, Upstream: upstream, Request: browser.Request{URL: u, Origin: from, Method: e.Method}}
	if e.HasCookies || recorded(e, "cookie") != "" {
		page.Credentials = browser.Include
	}
	if isPreflight(e) {
		page.Method = recorded(e, fetch.HeaderRequestMethod)
		for _, name := range strings.Split(recorded(e, fetch.HeaderRequestHeaders), ",") {
			if name = fetch.TrimOWS(name); name != "" {
				page.Headers = append(page.Headers, browser.Header{Name: name, Value: unsafe})
			}
		}
		return page, true
	}
	for _, h := range e.RequestHeaders {
		if !isBrowsers(fetch.Lower(h[0])) {
			page.Headers = append(page.Headers, browser.Header{Name: h[0], Value: h[1]})
		}
	}
	return page, true
}

// isBrowsers reports whether it is the browser that sets a header, and not the page. The developer tools set the last two, where they switch the cache off.
func isBrowsers(name string) bool {
	return fetch.IsForbiddenRequestHeader(name) || strings.HasPrefix(name, "sec-") ||
		slices.Contains([]string{"user-agent", "priority", "upgrade-insecure-requests", "cache-control", "pragma"}, name)
}
