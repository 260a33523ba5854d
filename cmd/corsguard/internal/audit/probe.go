package audit

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
)

// Bounds of what a report shows of an answer, which a server may have made to do harm.
const (
	maxShownValue = 300 // characters of one value
	maxShownLines = 4   // lines of one header
)

// redacted stands for what the auditor gave as a secret.
const redacted = "[redacted]"

// Probe is a request that was sent, and what came back. Its exported fields are fit to be shown: printable, bounded and without the auditor's secrets.
type Probe struct {
	Number  int      `json:"number"`
	Purpose string   `json:"purpose"`
	Method  string   `json:"method"`
	URL     string   `json:"url"`
	Origin  string   `json:"origin,omitempty"`
	Sent    []string `json:"sent,omitempty"`
	// Status is 0 where no answer came; Failure says why.
	Status  int      `json:"status,omitempty"`
	Came    []string `json:"came,omitempty"`
	Failure string   `json:"failure,omitempty"`
	// Verdict is what a browser makes of the answer for a page of Origin.
	Verdict string `json:"verdict"`

	origin string
	header http.Header // of the answer
	line   string      // the request line
	proto  string
}

// values returns the lines of a header. A nil probe has none.
func (p *Probe) values(name string) []string {
	if p == nil {
		return nil
	}
	return p.header.Values(name)
}

// list returns the elements of a header that is a list, over all of its lines.
func (p *Probe) list(name string) []string {
	var elements []string
	for _, line := range p.values(name) {
		for e := range strings.SplitSeq(line, ",") {
			if e = strings.TrimSpace(e); e != "" {
				elements = append(elements, e)
			}
		}
	}
	return elements
}

// has reports whether the list in a header has the element, without regard to case.
func (p *Probe) has(name, element string) bool {
	return slices.ContainsFunc(p.list(name), func(e string) bool { return strings.EqualFold(e, element) })
}

// allowOrigin returns the value of Access-Control-Allow-Origin; several lines are no value.
func (p *Probe) allowOrigin() string {
	if v := p.values("Access-Control-Allow-Origin"); len(v) == 1 {
		return v[0]
	}
	return ""
}

// allowed reports whether the answer passes the CORS check of the Fetch standard for a request without credentials.
func (p *Probe) allowed() bool {
	return p != nil && p.origin != "" && (p.allowOrigin() == p.origin || p.allowOrigin() == "*")
}

// echoed reports whether the answer names the origin itself: it was compared, or sent back unseen.
func (p *Probe) echoed() bool { return p != nil && p.origin != "" && p.allowOrigin() == p.origin }

// credentialed reports whether the answer passes the CORS check for a request with credentials.
func (p *Probe) credentialed() bool { return p.echoed() && p.saysCredentials() }

// saysCredentials reports whether Access-Control-Allow-Credentials is what browsers take for yes.
func (p *Probe) saysCredentials() bool {
	return slices.Equal(p.values("Access-Control-Allow-Credentials"), []string{"true"})
}

// ok reports whether the status is one with which a preflight succeeds.
func (p *Probe) ok() bool { return p != nil && p.Status >= 200 && p.Status < 300 }

// passes reports whether a preflight is answered so that the request for the origin follows.
func (p *Probe) passes() bool { return p.ok() && p.allowed() }

func (p *Probe) redirects() bool {
	return p != nil && p.Status >= 300 && p.Status < 400 && p.Status != http.StatusNotModified
}

func (p *Probe) verdict() string {
	preflight := p.Method == http.MethodOptions
	switch {
	case p.Failure != "":
		return "no answer"
	case p.origin == "" && len(p.values("Access-Control-Allow-Origin")) > 0:
		return "CORS headers without an Origin"
	case p.origin == "":
		return "no CORS headers"
	case preflight && !p.ok():
		return "preflight fails"
	case !p.allowed():
		return "refused"
	case p.credentialed():
		return "allowed, with credentials"
	}
	return "allowed"
}

// evidence returns the request and the answer in lines.
func (p *Probe) evidence() []string {
	lines := []string{"> " + p.line}
	for _, h := range p.Sent {
		lines = append(lines, "> "+h)
	}
	if p.Failure != "" {
		return append(lines, "< "+p.Failure)
	}
	lines = append(lines, strings.TrimSpace(fmt.Sprintf("< %s %d %s", p.proto, p.Status, http.StatusText(p.Status))))
	for _, h := range p.Came {
		lines = append(lines, "< "+h)
	}
	return lines
}

// shownHeaders are those of an answer that matter here, beside all access-control-* and cross-origin-*.
var shownHeaders = []string{
	"Allow", "Cache-Control", "Content-Security-Policy", "Content-Type", "Expires", "Location", "Origin-Agent-Cluster", "Permissions-Policy", "Referrer-Policy",
	"Retry-After", "Strict-Transport-Security", "Timing-Allow-Origin", "Vary", "Www-Authenticate", "X-Content-Type-Options", "X-Frame-Options",
}

func isShown(name string) bool {
	return slices.Contains(shownHeaders, name) || strings.HasPrefix(name, "Access-Control-") || strings.HasPrefix(name, "Cross-Origin-")
}

// show returns a header in lines, as they may be shown.
func show(header http.Header, redact func(string) string) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(header)) {
		values := header[name]
		for i, v := range values {
			if i == maxShownLines {
				lines = append(lines, strings.ToLower(name)+": … "+strconv.Itoa(len(values)-i)+" more lines")
				break
			}
			lines = append(lines, strings.ToLower(name)+": "+bounded(redact(v)))
		}
	}
	return lines
}

// bounded returns s so that it can be shown: one line, printable and short.
func bounded(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if n := len(s); n > maxShownValue {
		s = strings.ToValidUTF8(s[:maxShownValue], "") + "… (" + strconv.Itoa(n) + " bytes)"
	}
	return finding.Printable(s)
}
