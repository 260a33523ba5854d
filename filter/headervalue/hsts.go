package headervalue

const hstsDirectives = "max-age includeSubDomains preload"

// What has been seen of them.
const (
	maxAge = 1 << iota
	includeSubDomains
	preload
)

const (
	// maxHSTSAge is the greatest max-age: what recipients of a number of seconds must be able to hold (RFC 9111, section 1.2.2).
	maxHSTSAge = 1<<31 - 1
	// minPreloadAge is what the list that browsers are shipped with asks for.
	minPreloadAge = 31536000
)

// StrictTransportSecurity checks a value of Strict-Transport-Security (RFC 6797, section 6.1).
func StrictTransportSecurity(value string) []Finding {
	c := read(value)
	age := int64(-1)
	for c.next(';') {
		name, text, hasValue := split(c.word, '=')
		c.word = name
		m := ""
		switch i := c.known(hstsDirectives, "has the directive $, which there is not; write max-age, includeSubDomains and preload alone, with ; between them"); {
		case i > 0 && hasValue:
			m = "has a value for $, which takes none; write the name alone"
		case i == 0:
			c.word = text
			if n := len(text) - 1; n > 1 && text[0] == '"' && text[n] == '"' {
				text = text[1:n] // a quoted string
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
	case c.seen&maxAge == 0:
		m = "has no max-age; write one, such as max-age=31536000"
	case c.seen&preload != 0 && (c.seen&includeSubDomains == 0 || age < minPreloadAge):
		m = "warning: has preload, for which browsers ask for includeSubDomains and a max-age of 31536000 or more; add them, or leave preload out"
	}
	c.report(m)
	return c.list
}
