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
	// Headers are those that Chromium sends, by name, in lower case, but for those that every request has: user-agent, accept-encoding and so on. Credentials are
	// never among them.
	Headers []Header
}

// Preflight returns the CORS-preflight request that goes before the request, and the reasons for it, or nil where the request is sent at once.
func (r *Request) Preflight() (p *Preflight, because []string) {
	if r.Mode != CORS || !r.IsCrossOrigin() {
		return nil, nil
	}
	method, headers := r.method(), r.headers()
	if !fetch.IsSafelistedMethod(method) {
		because = append(because, "the method "+method+" is not CORS-safelisted")
	}
	unsafe := unsafeNames(headers)
	for _, name := range unsafe {
		i := slices.IndexFunc(headers, func(h Header) bool { return h.Name == name })
		because = append(because, whyUnsafe(headers[i]))
	}
	if r.ForcePreflight {
		because = append(because, "the body is a stream, or the page listens to the upload")
	}
	if because == nil {
		return nil, nil
	}
	p = &Preflight{URL: r.URL, RequestMethod: method, UnsafeHeaders: unsafe}
	p.Headers = []Header{{fetch.HeaderAccept, "*/*"}, {fetch.HeaderOrigin, r.Origin}, {fetch.HeaderRequestMethod, method}}
	if len(unsafe) > 0 {
		p.Headers = append(p.Headers, Header{fetch.HeaderRequestHeaders, strings.Join(unsafe, ",")})
	}
	p.Headers = sortHeaders(append(p.Headers, (&Request{URL: r.URL, Origin: r.Origin, Initiator: r.Initiator}).metadata()...))
	return p, because
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
	case isSafelisted(h):
		return fmt.Sprintf("the header %s is one of the CORS-safelisted ones, which have more than %d bytes together", h.Name, maxSafelistedValues)
	}
	return fmt.Sprintf("the header %s is not CORS-safelisted with the value %s", h.Name, fetch.Quoted(h.Value, maxQuoted))
}
