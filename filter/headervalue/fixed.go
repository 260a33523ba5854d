package headervalue

import (
	"strings"

	"corsguard/filter/fetch"
)

// ContentTypeOptions checks a value of X-Content-Type-Options (Fetch, section 3.6), which has one.
func ContentTypeOptions(value string) []Finding {
	return oneOf(value, " nosniff ", "-", "", `is no value of this key; write "nosniff"`)
}

// FrameOptions checks a value of X-Frame-Options (HTML, section 7.7).
func FrameOptions(value string) []Finding {
	return oneOf(value, " DENY SAMEORIGIN ",
		"allow-from", `is no longer known to browsers, which then let every page frame this one; write contentSecurityPolicy "frame-ancestors https://app.example.com"`,
		`is no value of this key; write "DENY" or "SAMEORIGIN"`)
}

// XSSProtection checks a value of X-XSS-Protection. Nothing but 0 is safe: where there still is a filter, it can be made to take scripts out of a page that
// protect it, and to tell by what it takes out what stands in the page.
func XSSProtection(value string) []Finding {
	return oneOf(value, " 0 ",
		"1", `switches on a filter that browsers have given up, since it could be turned against the page; write "0", and a contentSecurityPolicy`,
		`is no value of this key; write "0"`)
}

// oneOf checks that value is one of values. If it begins with old, whyNot tells why it is none of them, and otherwise says so of all others.
func oneOf(value, values, old, whyNot, otherwise string) []Finding {
	var c checker
	switch {
	case !c.isPlain(value):
	case strings.HasPrefix(fetch.Lower(value), old):
		c.report(whyNot)
	case strings.IndexByte(value, ' ') >= 0 || !strings.Contains(values, " "+value+" "):
		c.report(otherwise)
	}
	return c.list
}

var referrerPolicies = [...]string{
	"no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin", "origin-when-cross-origin", "strict-origin-when-cross-origin",
	unsafeURL,
}

const unsafeURL = "unsafe-url"

// ReferrerPolicy checks a value of Referrer-Policy (Referrer Policy, section 4.1): a list, of which browsers take the last token that they know.
func ReferrerPolicy(value string) []Finding {
	const unknown = "has $, which is no referrer policy; write one of the standard, such as strict-origin-when-cross-origin"
	c := checker{rest: value}
	if !c.isPlain(value) {
		return c.list
	}
	for !c.full() && c.next(',') {
		i, m := c.known(referrerPolicies[:], unknown), ""
		switch {
		case i < 0:
		case c.word != fetch.Lower(c.word):
			m = "has $ in another case than the standard; write it in lower case"
		case c.word == unsafeURL:
			m = "warning: sends whole URLs, which may have secrets in them, to every host and unencrypted; write strict-origin-when-cross-origin"
		}
		c.report(m)
	}
	if c.seen == 0 && c.errors == 0 {
		c.report("has no policy; write one of the standard, such as strict-origin-when-cross-origin")
	}
	return c.list
}
