package headervalue

import "strings"

// kind tells what the value of a directive is, and which directives a keyword is for. A list of sources can be of several kinds.
type kind uint16

const (
	ofURLs        kind = 1 << iota // hosts, schemes and 'self': every list of sources
	ofScripts                      // … of scripts, of what runs them, and of workers
	ofElements                     // … of <script> elements
	ofStyles                       // … of styles
	ofConnections                  // … of fetches
	ofAncestors                    // hosts, schemes and 'self', and nothing else
	ofOrigins                      // hosts and schemes of a feature
	noValue                        // and from here on, kinds are of one directive each
)

const (
	obsolete = noValue + 1 + iota // no value either
	sandboxTokens
	policyNames
	sinkGroups
	oneOfTwo
	reportName
	reportURLs
)

// directives are those of CSP 3, and those of Trusted Types, Upgrade Insecure Requests, Mixed Content, Fenced Frame and Local Network Access.
const directives = "default-src " +
	"script-src script-src-elem " +
	"script-src-attr child-src worker-src " +
	"style-src style-src-elem style-src-attr " +
	"connect-src " +
	"img-src font-src media-src object-src frame-src manifest-src fenced-frame-src base-uri form-action " +
	"frame-ancestors " +
	"upgrade-insecure-requests treat-as-public-address block-all-mixed-content " +
	"sandbox trusted-types require-trusted-types-for webrtc report-to report-uri"

// directiveKinds are the kinds of directives, one by one.
var directiveKinds = [...]kind{
	ofURLs | ofScripts | ofElements | ofStyles | ofConnections,
	ofURLs | ofScripts | ofElements, ofURLs | ofScripts | ofElements,
	ofURLs | ofScripts, ofURLs | ofScripts, ofURLs | ofScripts,
	ofURLs | ofStyles, ofURLs | ofStyles, ofURLs | ofStyles,
	ofURLs | ofConnections,
	ofURLs, ofURLs, ofURLs, ofURLs, ofURLs, ofURLs, ofURLs, ofURLs, ofURLs,
	ofAncestors,
	noValue, noValue, obsolete,
	sandboxTokens, policyNames, sinkGroups, oneOfTwo, reportName, reportURLs,
}

// removed are the directives that there once were.
const removed = "plugin-types prefetch-src navigate-to require-sri-for referrer reflected-xss disown-opener frame-options xhr-src allow options policy-uri " +
	"require-trusted-types"

// instead are what to write in their place, one by one.
var instead = [...]string{
	"write object-src 'none', or leave it out",
	"leave it out: default-src governs prefetches",
	"leave it out: form-action and frame-src govern what can be governed",
	"leave it out: there is a header Integrity-Policy",
	"write the key referrerPolicy",
	"leave it out: the filters that it set are gone",
	"write the key isolation.crossOriginOpenerPolicy",
	"write frame-ancestors",
	"write connect-src",
	"write default-src",
	"write script-src with 'unsafe-inline' or 'unsafe-eval'",
	"write the policy itself",
	"write require-trusted-types-for 'script'",
}

// ContentSecurityPolicy checks a value of Content-Security-Policy, or of Content-Security-Policy-Report-Only (CSP 3, section 2.2): one policy.
func ContentSecurityPolicy(value string, reportOnly bool) []Finding {
	c := read(value)
	empty, reports, m := true, false, ""
	if strings.IndexByte(c.rest, ',') >= 0 {
		// There is no telling what stands where: it may be a list, or two policies.
		c.rest = ""
		m = "has a comma, which begins another policy; write spaces between sources, semicolons between directives, and percent-encode it in a path"
	}
	for c.next(';') {
		rest := c.rest
		c.rest = c.word
		c.next(' ')
		empty = false
		if i := find(removed, c.word); i >= 0 {
			c.report("has $, which was taken out of the standard, and browsers ignore it; " + instead[i])
		} else if i = c.known(directives, "has the directive $, which there is not; write one of the standard, such as default-src"); i >= 0 {
			reports = c.directive(directiveKinds[i], reportOnly) || reports
		}
		c.rest = rest
	}
	switch {
	case c.errors > 0:
	case empty && m == "":
		m = "has no directive; write one, such as default-src 'self'"
	case reportOnly && !reports && m == "":
		m = "warning: has neither report-to nor report-uri, without which a policy that only reports does nothing; add report-to with the name of an endpoint"
	}
	c.report(m)
	return c.list
}

// directive checks the one of that kind whose name is at hand. It reports whether it says where reports go.
func (c *checker) directive(of kind, reportOnly bool) bool {
	c.name = c.word
	m := ""
	switch {
	case of == obsolete:
		m = "warning: has %, which is obsolete, since browsers block or upgrade mixed content anyway; leave it out"
	case reportOnly && (of == noValue || of == sandboxTokens):
		m = "warning: has %, which does nothing where a policy only reports; leave it out, or write it in contentSecurityPolicy"
	}
	c.report(m)
	if of < noValue {
		c.sources(of)
	} else {
		c.values(of)
	}
	return of == reportName || of == reportURLs
}
