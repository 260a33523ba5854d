package audit

import (
	"slices"
	"strings"
)

// security judges the headers that have nothing to do with CORS, and are most often set in the same place.
func (j *jury) security() {
	j.transport()
	switch options := j.base.list("X-Content-Type-Options"); {
	case len(options) == 0:
		j.add(ruleMissingNosniff, "no x-content-type-options", "send x-content-type-options: nosniff", j.base)
	case !strings.EqualFold(options[0], "nosniff"):
		j.add(ruleInvalidSecurity, "x-content-type-options: "+j.shown(options[0]), "send x-content-type-options: nosniff", j.base)
	}
	if isDocument(j.base) {
		j.document()
	}
}

// transport judges HSTS, which browsers take over https and for names alone.
func (j *jury) transport() {
	if j.target.Scheme != "https" || !siteOf(j.target).isName() {
		return
	}
	const name, fix = "Strict-Transport-Security", "send strict-transport-security: max-age=31536000; includeSubDomains"
	lines := j.base.values(name)
	if len(lines) == 0 {
		j.add(ruleMissingHSTS, "no strict-transport-security", fix, j.base)
		return
	}
	if !lasting(lines[0]) {
		j.add(ruleInvalidSecurity, "strict-transport-security: "+j.shown(lines[0]), fix, j.base)
	}
}

// lasting reports whether a value of HSTS has a max-age of more than nothing.
func lasting(value string) bool {
	for directive := range strings.SplitSeq(value, ";") {
		name, seconds, _ := strings.Cut(strings.TrimSpace(directive), "=")
		seconds = strings.Trim(seconds, `"`)
		if strings.EqualFold(name, "max-age") && seconds != "" && strings.Trim(seconds, "0123456789") == "" {
			return strings.Trim(seconds, "0") != ""
		}
	}
	return false
}

// document judges what matters for pages alone.
func (j *jury) document() {
	policy := j.base.values("Content-Security-Policy")
	if len(policy) == 0 {
		j.add(ruleMissingCSP, "no content-security-policy", "begin with content-security-policy-report-only: default-src 'self'", j.base)
	}
	if len(j.base.values("Referrer-Policy")) == 0 {
		j.add(ruleMissingReferrerPolicy, "no referrer-policy", "send referrer-policy: strict-origin-when-cross-origin", j.base)
	}
	framed := slices.ContainsFunc(policy, func(line string) bool { return strings.Contains(strings.ToLower(line), "frame-ancestors") })
	const fix = "send content-security-policy: frame-ancestors 'none', or 'self'"
	switch options := j.base.list("X-Frame-Options"); {
	case framed:
	case len(options) == 0:
		j.add(ruleMissingFraming, "neither frame-ancestors in a content-security-policy, nor x-frame-options", fix, j.base)
	case !strings.EqualFold(options[0], "deny") && !strings.EqualFold(options[0], "sameorigin"):
		j.add(ruleInvalidSecurity, "x-frame-options: "+j.shown(options[0]), fix, j.base)
	}
}
