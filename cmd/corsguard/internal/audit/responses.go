package audit

import (
	"fmt"
	"net/http"
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
)

// errors judges errors and redirects that came for pages of allowed origins.
func (j *jury) errors() {
	for _, w := range j.wanted {
		j.failed(w, w.actual, w.given)
		if refused := w.actual.ok() && !w.actual.allowed(); refused || w.actual == nil {
			continue // so are its errors, and that is no news
		}
		j.failed(w, w.missing, false)
		j.failed(w, w.unauthenticated, false)
		for _, p := range w.paths {
			j.failed(w, p, false)
		}
	}
}

// failed judges one answer. Where it is what the endpoint itself says to an origin that must be allowed, the origin's pages do not work.
func (j *jury) failed(w *wanted, p *Probe, breaks bool) {
	if p == nil || p.allowed() {
		return
	}
	var f *finding.Finding
	switch {
	case p.Status >= 400:
		f = j.add(ruleErrorWithoutCORS, fmt.Sprintf("the %d for %s carries no CORS headers for %s", p.Status, p.URL, w),
			"send the CORS headers with every response, whatever its status, and before authentication; nginx: add_header … always, Apache: Header always", p)
	case p.redirects():
		f = j.add(ruleRedirectWithoutCORS, fmt.Sprintf("the %d for %s carries no CORS headers for %s", p.Status, p.URL, w), "send the CORS headers with redirects too", p)
	default:
		return
	}
	if breaks {
		f.Severity = finding.Error
	}
}

// exposure judges what pages may read beside the body.
func (j *jury) exposure() {
	plain := []*Probe{j.base, j.stranger}
	for _, w := range j.wanted {
		plain = append(plain, w.actual)
	}
	var timing, cookies, all bool
	for _, p := range plain {
		if !timing && p.has("Timing-Allow-Origin", "*") && !j.anyAllowed() {
			timing = true
			j.add(ruleTimingAnyOrigin, "timing-allow-origin: * where not every origin may read", "send timing-allow-origin with the allowed origin", p)
		}
		if !cookies && p.has("Access-Control-Expose-Headers", "set-cookie") {
			cookies = true
			j.add(ruleExposesCookies, "access-control-expose-headers has set-cookie", "take it out", p)
		}
		if !all && p.has("Access-Control-Expose-Headers", "*") && !p.saysCredentials() {
			all = true
			j.add(ruleExposesAll, "access-control-expose-headers: *", "list the headers that pages need", p)
		}
	}
}

// isDocument reports whether the answer is one that browsers show as a page.
func isDocument(p *Probe) bool {
	mime, _, _ := strings.Cut(strings.ToLower(strings.Join(p.values("Content-Type"), ",")), ";")
	mime = strings.TrimSpace(mime)
	return p.Status != http.StatusNoContent && !p.redirects() && (mime == "text/html" || mime == "application/xhtml+xml")
}
