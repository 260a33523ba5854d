package headervalue

import "corsguard/filter/fetch"

// ContentTypeOptions checks a value of X-Content-Type-Options (Fetch, section 3.6), which has one.
func ContentTypeOptions(value string) []Finding {
	return oneOf(value, "nosniff", "", `is no value of this key; write "nosniff"`)
}

// FrameOptions checks a value of X-Frame-Options (HTML, section 7.7).
func FrameOptions(value string) []Finding {
	const old = "allow-from"
	m := `is no value of this key; write "DENY" or "SAMEORIGIN"`
	if len(value) >= len(old) && fetch.EqualFold(value[:len(old)], old) {
		m = `is no longer known to browsers, which then let every page frame this one; write contentSecurityPolicy "frame-ancestors https://app.example.com"`
	}
	return oneOf(value, "DENY", "SAMEORIGIN", m)
}

// XSSProtection checks a value of X-XSS-Protection. Nothing but 0 is safe: where there still is a filter, it can be made to take scripts out of a page that
// protect it, and to tell by what it takes out what stands in the page.
func XSSProtection(value string) []Finding {
	m := `is no value of this key; write "0"`
	if value != "" && value[0] == '1' {
		m = `switches on a filter that browsers have given up, since it could be turned against the page; write "0", and a contentSecurityPolicy`
	}
	return oneOf(value, "0", "", m)
}

// oneOf checks that value is one of two, and otherwise says message.
//
//go:noinline
func oneOf(value, one, two, message string) []Finding {
	c := read(value)
	if c.rest != "" && value != one && value != two {
		c.report(message)
	}
	return c.list
}

const referrerPolicies = "no-referrer no-referrer-when-downgrade same-origin origin strict-origin origin-when-cross-origin strict-origin-when-cross-origin unsafe-url"

// ReferrerPolicy checks a value of Referrer-Policy (Referrer Policy, section 4.1): a list, of which browsers take the last token that they know.
func ReferrerPolicy(value string) []Finding {
	const noPolicy = "has $, which is no referrer policy; write one of the standard, such as strict-origin-when-cross-origin"
	c := read(value)
	for c.next(',') {
		m := ""
		switch i := c.known(referrerPolicies, noPolicy); {
		case i < 0:
		case !isLower(c.word):
			m = "has $ in another case than the standard; write it in lower case"
		case c.word == "unsafe-url":
			m = "warning: sends whole URLs, which may have secrets in them, to every host and unencrypted; write strict-origin-when-cross-origin"
		}
		c.report(m)
	}
	if c.seen == 0 && c.errors == 0 {
		c.report(noPolicy)
	}
	return c.list
}
