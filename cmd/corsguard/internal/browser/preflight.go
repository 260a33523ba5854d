package browser

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"corsguard/filter/fetch"
)

// Preflight is a CORS-preflight request.
type Preflight struct {
	URL           *url.URL
	RequestMethod string   // Access-Control-Request-Method
	UnsafeHeaders []string // the names of Access-Control-Request-Headers
	// Headers are those that Chromium and Firefox send, by name, in lower case, but for those that every request has: user-agent, accept-encoding and so on.
	// Credentials are never among them.
	Headers []Header
	// SkippedBy has the browsers that send the request at once all the same: they take a header for safelisted that others do not. UnsafeHeaders has what any of
	// them asks for.
	SkippedBy []string
}

// Preflight returns the CORS-preflight request that goes before the request, and the reasons for it, or nil where no browser sends one.
func (r *Request) Preflight() (p *Preflight, because []string) {
	if r.Mode != CORS || !r.IsCrossOrigin() {
		return nil, nil
	}
	method, headers, unsafe := r.method(), r.headers(), r.unsafeNames()
	if !fetch.IsSafelistedMethod(method) {
		because = append(because, "the method "+method+" is not CORS-safelisted")
	}
	if r.ForcePreflight {
		because = append(because, "the body is a stream, or the page listens to the upload")
	}
	p = &Preflight{URL: r.URL, RequestMethod: method, UnsafeHeaders: unsafe}
	if because == nil {
		if len(chromiumUnsafe(headers)) == 0 {
			p.SkippedBy = append(p.SkippedBy, chromium)
		}
		if len(firefoxUnsafe(headers)) == 0 {
			p.SkippedBy = append(p.SkippedBy, firefox)
		}
	}
	for _, name := range unsafe {
		all := combined(headers)
		because = append(because, whyUnsafe(all[slices.IndexFunc(all, func(h Header) bool { return h.Name == name })]))
	}
	if because == nil {
		return nil, nil
	}
	p.Headers = []Header{{fetch.HeaderAccept, "*/*"}, {fetch.HeaderOrigin, r.Origin}, {fetch.HeaderRequestMethod, method}}
	if len(unsafe) > 0 {
		p.Headers = append(p.Headers, Header{fetch.HeaderRequestHeaders, strings.Join(unsafe, ",")})
	}
	p.Headers = sortHeaders(append(p.Headers, r.metadata()...))
	return p, because
}

// skips reports whether a browser sends the request without a preflight.
func (r *Request) skips(browser string) bool {
	p, _ := r.Preflight()
	return p == nil || slices.Contains(p.SkippedBy, browser)
}

// whyUnsafe says why h, whose name is a CORS-unsafe request-header name, is one.
func whyUnsafe(h Header) string {
	switch h.Name {
	case "accept", "accept-language", "content-language", "content-type", "range":
	default:
		return "the header " + h.Name + " is not CORS-safelisted"
	}
	switch {
	case len(h.Value) > maxSafelistedValue:
		return fmt.Sprintf("the header %s has %d bytes, and is CORS-safelisted with no more than %d", h.Name, len(h.Value), maxSafelistedValue)
	case isSafelisted(h) && hasBeyondASCII(h.Value):
		return "the header " + h.Name + " has bytes beyond ASCII"
	case isSafelisted(h):
		return fmt.Sprintf("the header %s is one of the CORS-safelisted ones, which have more than %d bytes together", h.Name, maxSafelistedValues)
	}
	return fmt.Sprintf("the header %s is not CORS-safelisted with the value %s", h.Name, fetch.Quoted(h.Value, maxQuoted))
}
