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
	ofOrigins                      // those of a feature
	noValue
	sandboxTokens
	reportName
	reportURLs
	sinkGroups
	policyNames
	allowOrBlock
)

// directives are those of CSP 3, and those of Trusted Types, Upgrade Insecure Requests, Mixed Content, Fenced Frame and Local Network Access.
var directives = [...]string{
	"default-src",
	"script-src",
	"script-src-elem",
	"script-src-attr",
	"style-src",
	"style-src-elem",
	"style-src-attr",
	"img-src",
	"font-src",
	"media-src",
	"object-src",
	"connect-src",
	"frame-src",
	"child-src",
	"worker-src",
	"manifest-src",
	"fenced-frame-src",
	"base-uri",
	"form-action",
	"frame-ancestors",
	"sandbox",
	"report-to",
	"report-uri",
	"upgrade-insecure-requests",
	obsolete,
	"treat-as-public-address",
	"require-trusted-types-for",
	"trusted-types",
	"webrtc",
}

// directiveKinds are the kinds of directives, one by one.
var directiveKinds = [len(directives)]kind{
	ofURLs | ofScripts | ofElements | ofStyles | ofConnections,
	ofURLs | ofScripts | ofElements,
	ofURLs | ofScripts | ofElements,
	ofURLs | ofScripts,
	ofURLs | ofStyles,
	ofURLs | ofStyles,
	ofURLs | ofStyles,
	ofURLs,
	ofURLs,
	ofURLs,
	ofURLs,
	ofURLs | ofConnections,
	ofURLs,
	ofURLs | ofScripts,
	ofURLs | ofScripts,
	ofURLs,
	ofURLs,
	ofURLs,
	ofURLs,
	ofAncestors,
	sandboxTokens,
	reportName,
	reportURLs,
	noValue,
	noValue,
	noValue,
	sinkGroups,
	policyNames,
	allowOrBlock,
}

const obsolete = "block-all-mixed-content"

// removed are the directives that there once were, each before what to write in its place.
var removed = [...]string{
	"plugin-types", "write object-src 'none', or leave it out",
	"prefetch-src", "leave it out: default-src governs prefetches",
	"navigate-to", "leave it out: form-action and frame-src govern what can be governed",
	"require-sri-for", "leave it out: there is a header Integrity-Policy",
	"referrer", "write the key referrerPolicy",
	"reflected-xss", "leave it out: the filters that it set are gone",
	"disown-opener", "write the key isolation.crossOriginOpenerPolicy",
	"frame-options", "write frame-ancestors",
	"xhr-src", "write connect-src",
	"allow", "write default-src",
	"options", "write script-src with 'unsafe-inline' or 'unsafe-eval'",
	"policy-uri", "write the policy itself",
	"require-trusted-types", "write require-trusted-types-for 'script'",
}

// ContentSecurityPolicy checks a value of Content-Security-Policy, or of Content-Security-Policy-Report-Only (CSP 3, section 2.2): one policy.
func ContentSecurityPolicy(value string, reportOnly bool) []Finding {
	const unknown = "has the directive $, which there is not; write one of the standard, such as default-src"
	c := checker{rest: value}
	if !c.isPlain(value) {
		return c.list
	}
	if strings.IndexByte(value, ',') >= 0 {
		// There is no telling what stands where: it may be a list, or two policies.
		c.report("has a comma, which begins another policy; write spaces between sources, semicolons between directives, and percent-encode it in a path")
		return c.list
	}
	empty, reports := true, false
	for !c.full() && c.next(';') {
		rest := c.rest
		c.rest = c.word
		c.next(' ')
		empty = false
		if i := find(removed[:], c.word); i >= 0 {
			c.report("has $, which was taken out of the standard, and browsers ignore it; " + removed[i+1])
		} else if i = c.known(directives[:], unknown); i >= 0 {
			kind := directiveKinds[i]
			c.name = directives[i]
			reports = reports || kind == reportName || kind == reportURLs
			m := ""
			switch {
			case c.name == obsolete:
				m = "warning: has %, which is obsolete, since browsers block or upgrade mixed content anyway; leave it out"
			case reportOnly && (kind == sandboxTokens || kind == noValue):
				m = "warning: has %, which does nothing where a policy only reports; leave it out, or write it in contentSecurityPolicy"
			}
			c.report(m)
			if kind&(ofURLs|ofAncestors) != 0 {
				c.sources(kind)
			} else {
				c.values(kind)
			}
		}
		c.rest = rest
	}
	m := ""
	switch {
	case empty:
		m = "has no directive; write one, such as default-src 'self'"
	case reportOnly && !reports && c.errors == 0:
		m = "warning: has neither report-to nor report-uri, without which a policy that only reports does nothing; add report-to with the name of an endpoint"
	}
	c.report(m)
	return c.list
}
