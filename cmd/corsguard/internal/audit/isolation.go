package audit

import (
	"slices"
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
)

// isolated is an isolation header: what it may say, and the rule for its absence.
type isolated struct {
	name     string
	values   []string
	missing  *finding.Rule
	document bool // means something on documents alone
	fix      string
}

var isolationHeaders = []isolated{
	{"Cross-Origin-Resource-Policy", []string{"same-origin", "same-site", "cross-origin"}, ruleMissingCORP, false,
		"send cross-origin-resource-policy: same-origin, or same-site, or cross-origin where everybody may embed it"},
	{"Cross-Origin-Opener-Policy", []string{"unsafe-none", "same-origin", "same-origin-allow-popups", "noopener-allow-popups"}, ruleMissingCOOP, true,
		"send cross-origin-opener-policy: same-origin, or same-origin-allow-popups where it opens pages of others, such as for signing in"},
	{"Cross-Origin-Embedder-Policy", []string{"unsafe-none", "require-corp", "credentialless"}, ruleMissingCOEP, true,
		"send cross-origin-embedder-policy: require-corp where everything that it embeds allows that"},
}

// isolation judges the headers that keep pages of other sites at a distance.
func (j *jury) isolation() {
	// Over http to another machine browsers ignore the two for documents.
	trustworthy := j.target.Scheme == "https" || siteOf(j.target).isLoopback()
	for _, h := range isolationHeaders {
		if h.document && !(trustworthy && isDocument(j.base)) {
			continue
		}
		lines := j.base.values(h.name)
		if len(lines) == 0 {
			j.add(h.missing, "no "+strings.ToLower(h.name), h.fix, j.base)
			continue
		}
		value, _, _ := strings.Cut(lines[0], ";")
		if len(lines) > 1 || !slices.Contains(h.values, strings.TrimSpace(value)) {
			j.add(ruleInvalidIsolation, strings.ToLower(h.name)+": "+j.shown(strings.Join(lines, ", ")), "send one line with one of "+strings.Join(h.values, ", "), j.base)
		}
	}
}
