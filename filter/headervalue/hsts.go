package headervalue

import (
	"strings"

	"corsguard/filter/fetch"
)

var hstsDirectives = [...]string{"max-age", "includeSubDomains", "preload"}

const (
	// maxHSTSAge is the greatest max-age: what recipients of a number of seconds must be able to hold (RFC 9111, section 1.2.2).
	maxHSTSAge = 1<<31 - 1
	// minPreloadAge is what the list that browsers are shipped with asks for.
	minPreloadAge = 31536000
)

// StrictTransportSecurity checks a value of Strict-Transport-Security (RFC 6797, section 6.1).
func StrictTransportSecurity(value string) []Finding {
	const unknown = "has the directive $, which there is not; write max-age, includeSubDomains and preload alone, with ; between them"
	c := checker{rest: value}
	if !c.isPlain(value) {
		return c.list
	}
	age := -1
	for !c.full() && c.next(';') {
		name, text, hasValue := strings.Cut(c.word, "=")
		c.word = fetch.TrimOWS(name)
		i, m := c.known(hstsDirectives[:], unknown), ""
		switch {
		case i > 0 && hasValue:
			m = "has a value for $, which takes none; write the name alone"
		case i == 0:
			// Digits, or a quoted string of digits.
			text = fetch.TrimOWS(text)
			c.word = text
			if len(text) > 2 && text[0] == '"' && text[len(text)-1] == '"' {
				text = text[1 : len(text)-1]
			}
			if age = number(text); age < 0 || age > maxHSTSAge {
				m = "has $ for max-age, which is no number of seconds up to 2147483647; write digits, such as max-age=31536000, and ; between directives"
			}
		}
		c.report(m)
	}
	m := ""
	switch {
	case c.errors > 0:
	case c.seen&1 == 0:
		m = "has no max-age; write one, such as max-age=31536000"
	case c.seen == 1<<len(hstsDirectives)-1 && age >= minPreloadAge:
	case c.seen&4 != 0:
		m = "warning: has preload, for which browsers ask for includeSubDomains and a max-age of 31536000 or more; add them, or leave preload out"
	}
	c.report(m)
	return c.list
}
