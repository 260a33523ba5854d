// Package browser foretells what a browser does with a request of a page: by the Fetch standard, and, where browsers differ from it or from each other, as
// Chromium and Firefox do, with the messages of their consoles. It sends nothing.
package browser

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"corsguard/filter/fetch"
)

// Header is a header of a request or of a response. Case does not matter in its name.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Credentials is a request's credentials mode: when cookies, HTTP authentication and client certificates go with it. The zero value is that of fetch().
type Credentials int

// The credentials modes.
const (
	SameOrigin Credentials = iota
	Include
	Omit
)

// String returns the mode's name in the Fetch standard.
func (c Credentials) String() string { return [...]string{"same-origin", "include", "omit"}[c] }

// ParseCredentials returns the credentials mode of that name, and whether there is one.
func ParseCredentials(name string) (Credentials, bool) {
	for c := SameOrigin; c <= Omit; c++ {
		if c.String() == name {
			return c, true
		}
	}
	return 0, false
}

// Mode is a request's mode. The zero value is that of fetch().
type Mode int

// The modes.
const (
	CORS Mode = iota
	NoCORS
	Navigate // a document, for a window
)

// String returns the mode's name in the Fetch standard.
func (m Mode) String() string { return [...]string{"cors", "no-cors", "navigate"}[m] }

// ParseMode returns the mode of that name, and whether there is one.
func ParseMode(name string) (Mode, bool) {
	for m := CORS; m <= Navigate; m++ {
		if m.String() == name {
			return m, true
		}
	}
	return 0, false
}

// Initiator is what makes the request. The zero value is fetch().
type Initiator int

// The initiators. Elements ask in CORS mode where they have the attribute crossorigin, and fonts always.
const (
	Fetch Initiator = iota
	XMLHttpRequest
	Image
	Script
	Stylesheet
	Font
)

// EmbedderPolicy is the Cross-Origin-Embedder-Policy of the page.
type EmbedderPolicy int

// The embedder policies.
const (
	UnsafeNone EmbedderPolicy = iota
	RequireCORP
	Credentialless
)

// Request is a request as a page asks for it. URL must be absolute, http or https.
type Request struct {
	URL            *url.URL
	Origin         string // of the page, serialised: "null" where it is opaque
	Method         string // as the page spells it; empty is GET
	Headers        []Header
	Credentials    Credentials
	Mode           Mode
	Initiator      Initiator
	Embedder       EmbedderPolicy
	ForcePreflight bool // the body is a stream, or something listens to the progress of the upload
}

// Validate returns what makes fetch() throw before it sends anything, all of it, or nil.
func (r *Request) Validate() error {
	var errs []error
	throw := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if r.URL == nil || r.URL.Host == "" || r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		throw("the URL is not an absolute one of http or https")
	} else if r.URL.User != nil && r.Mode != Navigate {
		throw("the URL includes credentials")
	}
	switch method := r.method(); {
	case !fetch.IsToken(method):
		throw("the method %s is no token", fetch.Quoted(method, maxQuoted))
	case fetch.IsForbiddenMethod(method):
		throw("the method %s is forbidden", method)
	case r.Mode == NoCORS && !fetch.IsSafelistedMethod(method):
		throw("the method %s is not CORS-safelisted, which the mode no-cors asks for", method)
	case r.Mode == Navigate && method != "GET" && method != "POST":
		throw("pages do not navigate with the method %s", method)
	}
	for _, h := range r.Headers {
		switch value := normalizeValue(h.Value); {
		case !fetch.IsToken(h.Name):
			throw("the header name %s is no token", fetch.Quoted(h.Name, maxQuoted))
		case strings.ContainsAny(value, "\x00\r\n"):
			throw("the value of the header %s has a line break or a zero byte", fetch.Lower(h.Name))
		}
	}
	return errors.Join(errs...)
}

// maxQuoted bounds what is quoted of a value.
const maxQuoted = 100

// Ignored returns the headers that the browser drops without a word, since pages may not set them.
func (r *Request) Ignored() []Header {
	var ignored []Header
	for _, h := range r.Headers {
		if r.ignores(h) {
			ignored = append(ignored, h)
		}
	}
	return ignored
}

func (r *Request) ignores(h Header) bool {
	if isForbiddenRequestHeader(h) {
		return true
	}
	switch r.Mode {
	case NoCORS:
		return !isNoCORSSafelisted(h)
	case Navigate:
		return true
	}
	return false
}

// isForbiddenRequestHeader reports whether pages may not set h, by its name or by its value.
func isForbiddenRequestHeader(h Header) bool {
	switch fetch.Lower(h.Name) {
	case "x-http-method", "x-http-method-override", "x-method-override":
		return slices.ContainsFunc(strings.Split(h.Value, ","), func(method string) bool { return fetch.IsForbiddenMethod(fetch.TrimOWS(method)) })
	}
	return fetch.IsForbiddenRequestHeader(h.Name)
}

// normalizeValue returns value without the whitespace around it that a header value can't have.
func normalizeValue(value string) string { return strings.Trim(value, "\t\n\r ") }

// headers returns what the page sets and the browser keeps, with names in lower case.
func (r *Request) headers() []Header {
	var kept []Header
	for _, h := range r.Headers {
		if !r.ignores(h) {
			kept = append(kept, Header{fetch.Lower(h.Name), normalizeValue(h.Value)})
		}
	}
	return kept
}

// combined returns headers with the values of one name in one, as they are sent, in the order in which the names came first.
func combined(headers []Header) []Header {
	var all []Header
	for _, h := range headers {
		if i := slices.IndexFunc(all, func(c Header) bool { return c.Name == h.Name }); i >= 0 {
			all[i].Value += ", " + h.Value
		} else {
			all = append(all, h)
		}
	}
	return all
}

// method returns the method as the browser sends it.
func (r *Request) method() string {
	if r.Method == "" {
		return "GET"
	}
	return fetch.NormalizeMethod(r.Method)
}

// withCredentials reports whether the request asks another origin with credentials.
func (r *Request) withCredentials() bool { return r.Credentials == Include }

// IsCrossOrigin reports whether the page and what it asks for are of different origins. An opaque origin is different from all.
func (r *Request) IsCrossOrigin() bool { return r.Origin != originOf(r.URL) }

// Sent returns the actual request's method, and the headers of it that matter to CORS and to Fetch Metadata, those that the page sets among them, by name, in
// lower case. Cookies and the like are not among them.
func (r *Request) Sent() (method string, headers []Header) {
	method, headers = r.method(), combined(r.headers())
	if r.sendsOrigin() {
		headers = append(headers, Header{fetch.HeaderOrigin, r.Origin})
	}
	if r.isScripted() && !slices.ContainsFunc(headers, func(h Header) bool { return h.Name == fetch.HeaderAccept }) {
		headers = append(headers, Header{fetch.HeaderAccept, "*/*"})
	}
	return method, sortHeaders(append(headers, r.metadata()...))
}

// isScripted reports whether a script gets the response. Whatever else asks has an Accept header of its own kind.
func (r *Request) isScripted() bool {
	return r.Mode != Navigate && (r.Initiator == Fetch || r.Initiator == XMLHttpRequest)
}

// sendsOrigin reports whether an Origin header goes with the actual request.
func (r *Request) sendsOrigin() bool {
	if method := r.method(); method != "GET" && method != "HEAD" {
		return true
	}
	return r.Mode == CORS && r.IsCrossOrigin()
}

func sortHeaders(headers []Header) []Header {
	slices.SortStableFunc(headers, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	return headers
}
