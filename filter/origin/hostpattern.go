package origin

import "strings"

// ParseHost parses the host of a rule: an exact one, or `*.` before a name, which stands for one or more labels. It returns what the wildcard stands before, or the
// host. Errors are of type *PatternError. The time is linear in the length of s.
func ParseHost(s string) (name string, subdomains bool, err error) {
	if err := checkHostShape(s); err != nil {
		return "", false, err
	}
	base, subdomains := strings.CutPrefix(s, "*.")
	switch {
	case !subdomains && strings.Contains(s, "*"), strings.Contains(base, "*"):
		return "", false, bad("has a wildcard that is not the first label", "write *.example.com, or list the hosts")
	case !subdomains:
		return s, false, checkHost(s)
	case len(s)+len("a")-len("*") > MaxHost:
		return "", false, bad("leaves no room for a subdomain: a host has at most 253 bytes", "write a shorter host")
	case strings.HasPrefix(base, "[") || isNumericHost(base):
		return "", false, bad("has a wildcard on an IP address", "list the addresses")
	}
	return base, true, checkHost(base)
}

// checkHostShape refuses what is more or other than a host, with the reason.
func checkHostShape(s string) error {
	const write = "write the host alone, such as api.example.com"
	switch {
	case s == "":
		return bad("is empty", write)
	case s == "*":
		return bad("any host is what a rule without hosts matches", "leave hosts out")
	case len(s) > MaxHost+len("*."):
		return bad("has a host of more than 253 bytes", write)
	case strings.Contains(s, "://"):
		return bad("has a scheme", write)
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '/' || c == '?' || c == '#' || c == '\\':
			return bad("has a path", write+"; paths have a key of their own")
		case c == '@':
			return bad("has user-info", write)
		case c >= 0x80:
			return bad("has a character outside of ASCII", "write the host in its xn-- form")
		case c <= ' ' || c == 0x7f:
			return bad("has a space or a control character", write)
		case c >= 'A' && c <= 'Z':
			return bad("has upper case", "write it in lower case; requests match in any case")
		}
	}
	switch _, _, hasPort := cutPort(s); {
	case hasPort && s[0] != '[' && strings.Count(s, ":") > 1:
		return bad("is an IPv6 address without brackets", "write it in brackets, such as [2001:db8::1]")
	case hasPort:
		return bad("has a port", "leave it away: hosts match whatever the port")
	case s[len(s)-1] == '.':
		return bad("has a dot at the end", "leave it away: requests match with it and without")
	}
	return nil
}
