package headervalue

import "strings"

// features are the better known of the policy-controlled features. Browsers know different ones, and new ones come in every year; so the list is good for the
// suspicion that a name is misspelt, and for no more. There are no more than known can tell apart.
const features = "accelerometer ambient-light-sensor attribution-reporting autoplay battery bluetooth browsing-topics camera clipboard-read clipboard-write " +
	"compute-pressure cross-origin-isolated display-capture document-domain encrypted-media fullscreen gamepad geolocation gyroscope hid " +
	"identity-credentials-get idle-detection interest-cohort join-ad-interest-group keyboard-map language-detector language-model local-fonts " +
	"local-network-access magnetometer microphone midi notifications otp-credentials payment picture-in-picture private-state-token-issuance " +
	"private-state-token-redemption publickey-credentials-create publickey-credentials-get push rewriter run-ad-auction screen-wake-lock serial " +
	"shared-storage shared-storage-select-url speaker speaker-selection storage-access summarizer sync-xhr translator unload usb vibrate " +
	"wake-lock web-share window-management writer xr-spatial-tracking"

// Places in a dictionary of structured fields (RFC 9651, section 3.2).
const (
	atFeature = iota
	atEquals
	atList
	inList
	behindItem
	behindList
	behindSpace
	atParameter
	atEndpointEquals
	atEndpoint
)

// grammar tells for each place what may come, and the place to which that leads, as a digit. A w is a word, an s a string; a space any number of them, and an e the end.
var grammar = [...]string{
	atFeature:        " 0w1",
	atEquals:         "=2",
	atList:           "(3w5s5",
	inList:           " 3)5w4s4",
	behindItem:       " 3)5",
	behindList:       " 6,0;7e5",
	behindSpace:      ",0",
	atParameter:      " 7w8",
	atEndpointEquals: "=9",
	atEndpoint:       "w5s5",
}

const (
	noName      = `has $ where the name of a feature must be, in lower case; write features as camera=(), geolocation=(self "https://a.example")`
	noItem      = `has $ in %, where browsers take self, * and quoted origins alone; write self, *, () for none, or origins such as "https://a.example" in double quotes`
	noEnd       = "has $ behind %, where a comma and a feature must be; write lists in parentheses, and commas between features alone"
	noParameter = "has $ behind a semicolon, which makes it a parameter of %; write commas between features, of which the one parameter is report-to, with a name"
)

// expected are what is wrong where something else comes than grammar has.
var expected = [...]string{
	atFeature:        noName,
	atEquals:         "has % without = and a list right behind it; write %=()",
	atList:           noItem,
	inList:           noItem,
	behindItem:       "has $ in the list of %, where a space or ) must be; write spaces between what is in the list, and ) behind it",
	behindList:       noEnd,
	behindSpace:      noEnd,
	atParameter:      noParameter,
	atEndpointEquals: noParameter,
	atEndpoint:       noParameter,
}

// PermissionsPolicy checks a value of Permissions-Policy (Permissions Policy, section 5.2): a dictionary of structured fields. Where it is none, browsers
// ignore all of it, and nothing is read behind that.
func PermissionsPolicy(value string) []Finding {
	c := read(value)
	if c.rest == "" {
		return c.list
	}
	place, items, star := atFeature, 0, false
	for c.errors < maxFindings {
		from, rest := place, c.rest
		token := c.token()
		i := strings.IndexByte(grammar[from], token)
		switch {
		case i >= 0 && (token != 'w' || c.fits(from)):
		case from == atEquals && token == ' ' && span(c.rest, `'*"(`) > 0:
			c.report(`is in the syntax of Feature-Policy, which browsers ignore; write camera=() for 'none', camera=(self "https://a.example") for others, and commas between features`)
			return c.list
		default:
			c.word = rest
			c.report(expected[from])
			return c.list
		}
		if token == end {
			break
		}
		place = int(grammar[from][i+1] - '0')
		m := ""
		switch {
		case token == ')' && star && items > 1:
			m = "warning: has * beside others in %, which it makes meaningless; write %=*"
		case token != 'w' && token != 's' || from > inList:
		case from == atFeature:
			items, star, c.name = 0, false, c.word
			c.known(features, "warning: has the feature $, which is unknown;")
		default:
			items++
			star = star || c.word == "*"
			if token == 's' {
				c.source(ofOrigins)
			} else if c.word != "*" && c.word != "self" {
				m = noItem
			}
		}
		c.report(m)
	}
	return c.list
}

// end is the token at the end.
const end = 'e'

// token cuts the next token off the rest, and returns what it is, in terms of grammar; 0 for what is none. The text of a word or a string is the word at
// hand then. A string with a backslash is none: nothing here can have an escape.
func (c *checker) token() byte {
	if c.rest == "" {
		return end
	}
	if n := span(c.rest, "!#$%&'*+-.^_`|~:/"); n > 0 {
		c.word, c.rest = c.rest[:n], c.rest[n:]
		return 'w'
	}
	b, rest := c.rest[0], c.rest[1:]
	switch b {
	case ' ':
		rest = trimLeft(rest, " ")
	case '"':
		i := indexAny(rest, `"\`)
		if i < 0 || rest[i] != '"' {
			return 0
		}
		c.word, rest = rest[:i], rest[i+1:]
		b = 's'
	}
	c.rest = rest
	return b
}

// fits reports whether the word at hand, which is not empty, can be what it must be in that place.
func (c *checker) fits(place int) bool {
	w := c.word
	switch place {
	case atFeature: // a key
		return span(w, "_-.*") == len(w) && isLower(w) && (w[0] == '*' || w[0] >= 'a')
	case atParameter:
		return w == "report-to"
	}
	return w[0] == '*' || w[0] >= 'A' && span(w[:1], "") == 1 // a token
}
