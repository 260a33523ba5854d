package headervalue

import "strings"

// notHosts are names that are more likely meant to be something else: schemes without their colon, and directives that no ; stands before.
const notHosts = "http https ws wss data blob filesystem mediastream sandbox webrtc"

// source checks the word at hand: a scheme-source or a host-source (CSP 3, section 2.3.1) of a list of that kind.
func (c *checker) source(of kind) {
	host, hasScheme := c.word, false
	if n := span(host, "+-."); n > 0 && host[0] > '9' {
		if host[n:] == ":" {
			return // a scheme-source
		}
		if hasScheme = strings.HasPrefix(host[n:], "://"); hasScheme {
			host = host[n+3:]
		}
	}
	path := ""
	if i := indexAny(host, "/?#"); i >= 0 {
		host, path = host[:i], host[i:]
	}
	host, port, hasPort := split(host, ':')
	bare, m := trim(c.word, `'"`), ""
	switch {
	case findKeyword(bare) >= 0 && of == ofOrigins:
		m = "has $ in quotes in %, where it is no keyword; write self and * without quotes, and () for none"
	case findKeyword(bare) >= 0:
		c.word = "'" + bare + "'"
		m = "has $ without its quotes in %, which is a host there; write $"
	case find(directives, c.word) >= 0 && find(notHosts, c.word) < 0:
		m = "has $ in %, which is a host there, since no semicolon is before it; write ; between directives"
	case !isHost(host) || strings.IndexByte(c.word, ' ') >= 0:
		m = "has $ in %, which is neither a host nor a scheme; write hosts such as cdn.example.com or *.example.com, schemes such as https:"
	case hasPort && port != "*" && uint64(number(port)) > 65535:
		m = "has $ in %, with something behind its colon that is no port; write scheme://host, a port up to 65535, or * for any"
	case indexAny(path, "?#") >= 0:
		m = "has $ in %, with a query or a fragment, which browsers ignore; write the URL without it"
	case !isPath(path, "") || strings.HasPrefix(path, "//"):
		m = "has $ in %, with a malformed path; write one slash before it, and percent-encode what paths can't have"
	case of == ofOrigins && len(path) > 1:
		m = "has $ in %, whose path browsers ignore; write the origin alone"
	case of == ofOrigins && !hasScheme:
		m = "warning: has $ in %, which some browsers ignore, since it has no scheme; write https:// before it"
	case !hasScheme && find(notHosts, host) >= 0:
		m = "warning: has $ in %, which is a host there; write a colon behind a scheme, ; before a directive, http:// before a host"
	case strings.IndexByte(path, '*') >= 0:
		m = "warning: has $ in %, where the * of the path is no wildcard; write a path that ends in / for all that is below it"
	}
	c.report(m)
}

// isHost reports whether s is a host-part.
func isHost(s string) bool {
	empty := true // is the label, so far
	for i := 0; i < len(s); i++ {
		wildcard := s[i] == '*' && i == 0 && (len(s) == 1 || s[1] == '.')
		if s[i] == '.' && empty || s[i] != '.' && !wildcard && span(s[i:i+1], "-") == 0 {
			return false
		}
		empty = s[i] == '.'
	}
	return s != "" && s != "*."
}

// isPath reports whether s has only what a path may have (RFC 3986, section 3.3), and marks.
//
//go:noinline
func isPath(s, marks string) bool {
	for {
		s = s[span(s, "-._~!$&'()*+,;=:@/"+marks):]
		if len(s) < 3 || s[0] != '%' || trim(s[1:3], "0123456789abcdefABCDEF") != "" {
			return s == ""
		}
		s = s[3:]
	}
}
