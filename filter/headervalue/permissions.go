package headervalue

import (
	"strings"

	"corsguard/filter/fetch"
)

// features are names of policy-controlled features, of today and of yesterday. Browsers know different ones, and new ones come in every year; so the list
// is good for the suspicion that a name is misspelt, and for no more.
const features = " accelerometer all-screens-capture ambient-light-sensor aria-notify attribution-reporting autofill autoplay battery bluetooth browsing-topics " +
	"camera captured-surface-control ch-device-memory ch-downlink ch-dpr ch-ect ch-prefers-color-scheme ch-prefers-reduced-motion ch-prefers-reduced-transparency " +
	"ch-rtt ch-save-data ch-ua ch-ua-arch ch-ua-bitness ch-ua-form-factors ch-ua-full ch-ua-full-version ch-ua-full-version-list ch-ua-high-entropy-values " +
	"ch-ua-mobile ch-ua-model ch-ua-platform ch-ua-platform-version ch-ua-wow64 ch-viewport-height ch-viewport-width ch-width clipboard-read clipboard-write " +
	"compute-pressure controlled-frame conversion-measurement cross-origin-isolated deferred-fetch deferred-fetch-minimal device-attributes " +
	"digital-credentials-create digital-credentials-get direct-sockets direct-sockets-private display-capture document-domain document-write encrypted-media " +
	"execution-while-not-rendered execution-while-out-of-viewport fenced-unpartitioned-storage-read focus-without-user-activation font-display-late-swap " +
	"fullscreen gamepad geolocation gyroscope hid identity-credentials-get idle-detection interest-cohort join-ad-interest-group keyboard-map language-detector " +
	"language-model layout-animations lazyload legacy-image-formats local-fonts local-network local-network-access loopback-network magnetometer manual-text " +
	"media-playback-while-not-visible mediasession microphone midi monetization navigation-override notifications on-device-speech-recognition oversized-images " +
	"otp-credentials payment picture-in-picture popins private-aggregation private-state-token-issuance private-state-token-redemption " +
	"publickey-credentials-create publickey-credentials-get push record-ad-auction-events rewriter run-ad-auction screen-wake-lock serial shared-autofill " +
	"shared-storage shared-storage-select-url smart-card speaker speaker-selection storage-access sub-apps summarizer sync-script sync-xhr tools translator " +
	"trust-token-redemption unload unoptimized-images unsized-media usb usb-unrestricted vertical-scroll vibrate vr wake-lock web-app-installation " +
	"web-printing web-share webauthn window-management window-placement writer xr xr-spatial-tracking "

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

// instead are what is wrong where something else comes than grammar has.
var instead = [...]string{
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
	c := checker{rest: value}
	if !c.isPlain(value) {
		return c.list
	}
	seen := map[string]struct{}{}
	place, items, star := atFeature, 0, false
	for !c.full() {
		from, rest := place, c.rest
		token := c.token()
		i := strings.IndexByte(grammar[from], token)
		switch {
		case i >= 0 && (token != 'w' || from != atFeature || isKey(c.word)) && (token != 'w' || from != atParameter || c.word == "report-to"):
		case from == atEquals && token == ' ' && span(c.rest, `'*"(`) > 0:
			c.report(`is in the syntax of Feature-Policy, which browsers ignore; write camera=() for 'none', camera=(self "https://a.example") for others, and commas between features`)
			return c.list
		default:
			c.word = rest
			c.report(instead[from])
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
			if _, dup := seen[c.name]; dup {
				m = "has % twice, and browsers ignore the first; write it once"
			} else if !strings.Contains(features, " "+c.name+" ") {
				if near := Nearest(c.name, strings.Fields(features)); near != "" {
					m = "warning: has the feature %, which is unknown; did you mean " + near + "?"
				}
			}
			seen[c.name] = struct{}{}
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
		rest = strings.TrimLeft(rest, " ")
	case '"':
		i := strings.IndexAny(rest, `"\`)
		if i < 0 || rest[i] != '"' {
			return 0
		}
		c.word, rest = rest[:i], rest[i+1:]
		b = 's'
	}
	c.rest = rest
	return b
}

// isKey reports whether s, which is not empty, is a key.
func isKey(s string) bool {
	return span(s, "_-.*") == len(s) && s == fetch.Lower(s) && (s[0] == '*' || s[0] >= 'a')
}
