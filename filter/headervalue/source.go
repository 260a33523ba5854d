package headervalue

import (
	"strings"

	"corsguard/filter/fetch"
)

// source checks the word at hand: a scheme-source or a host-source (CSP 3, section 2.3.1) of a list of that kind.
func (c *checker) source(kind kind) {
	host, path, hasScheme := c.word, "", false
	if n := span(host, "+-."); n > 0 && host[0] > '9' {
		if host[n:] == ":" {
			return // a scheme-source
		}
		if rest, ok := strings.CutPrefix(host[n:], "://"); ok {
			host, hasScheme = rest, true
		}
	}
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		host, path = host[:i], host[i:]
	}
	host, port, hasPort := strings.Cut(host, ":")
	labels := strings.TrimSuffix(strings.TrimPrefix(host, "*."), ".")
	m := ""
	switch {
	case findKeyword(strings.Trim(c.word, "'")) >= 0:
		m = "has $ in %, where it is no keyword; write keywords of Content-Security-Policy in single quotes, those of Permissions-Policy without quotes"
	case find(directives[:], c.word) >= 0 && strings.IndexByte(c.word, '-') >= 0:
		m = "has $ in %, which is a host there, since no ; is before it; write ; between directives"
	case host != "*" && (span(labels, "-.") < len(labels) || strings.Contains("."+labels+".", "..")):
		m = "has $ in %, which is neither a host nor a scheme; write hosts such as cdn.example.com or *.example.com, schemes such as https:"
	case hasPort && port != "*" && uint(number(port)) > 65535:
		m = "has $ in %, with something behind its colon that is no port; write scheme://host, a port up to 65535, or * for any"
	case strings.IndexAny(path, "?#") >= 0:
		m = "has $ in %, with a query or a fragment, which browsers ignore; write the URL without it"
	case strings.HasPrefix(path, "//") || !isPath(path, ""):
		m = "has $ in %, with a malformed path; write one slash before it, and percent-encode what paths can't have"
	case kind == ofOrigins && len(path) > 1:
		m = "has $ in %, whose path browsers ignore; write the origin alone"
	case kind == ofOrigins && !hasScheme:
		m = "warning: has $ in %, which some browsers ignore, since it has no scheme; write https:// before it"
	case !hasScheme && strings.Contains(" http https ws wss data blob filesystem mediastream sandbox webrtc ", " "+fetch.Lower(host)+" "):
		m = "warning: has $ in %, which is a host there; write a colon behind a scheme, ; before a directive, http:// before a host"
	case strings.IndexByte(path, '*') >= 0:
		m = "warning: has $ in %, where the * of the path is no wildcard; write a path that ends in / for all that is below it"
	}
	c.report(m)
}

// isPath reports whether s has only what a path may have (RFC 3986, section 3.3), and marks.
func isPath(s, marks string) bool {
	for {
		s = s[span(s, "-._~!$&'()*+,;=:@/"+marks):]
		if len(s) < 3 || s[0] != '%' || strings.Trim(s[1:3], "0123456789abcdefABCDEF") != "" {
			return s == ""
		}
		s = s[3:]
	}
}
