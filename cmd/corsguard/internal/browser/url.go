package browser

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// ParseURL reads a URL of http or https as the URL standard has it: the host in lower case and ASCII, without the scheme's default port, the path without dot segments, and a backslash
// for a slash. Like a request, it has no fragment.
func ParseURL(s string) (*url.URL, error) {
	s, _, _ = strings.Cut(s, "#")
	before, query, hasQuery := strings.Cut(s, "?")
	if before = strings.ReplaceAll(before, `\`, "/"); hasQuery {
		before += "?" + query
	}
	u, err := url.Parse(before)
	switch {
	case err != nil:
		return nil, err
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("%q: write http:// or https://, a host, and a path", s)
	}
	if strings.Contains(u.Hostname(), ":") {
		if _, err := netip.ParseAddr(u.Hostname()); err != nil {
			return nil, fmt.Errorf("%q: %s is no address", s, u.Hostname())
		}
	}
	if port := u.Port(); port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return nil, fmt.Errorf("%q: %s is no port", s, port)
		}
	}
	u.Host = strings.TrimPrefix(originOf(u), u.Scheme+"://")
	if hasBeyondASCII(u.Host) || strings.ContainsAny(u.Host, "%<>^| ") {
		return nil, fmt.Errorf("%q: %s is no host name", s, u.Hostname())
	}
	path := withoutDots(u.EscapedPath())
	u.Path, err = url.PathUnescape(path)
	u.RawPath = path
	return u, err
}

// withoutDots resolves the dot segments of a path.
func withoutDots(path string) string {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	var kept []string
	for i, segment := range segments {
		last := i == len(segments)-1
		switch dots := strings.ReplaceAll(strings.ToLower(segment), "%2e", "."); {
		case dots == "..":
			kept = kept[:max(len(kept)-1, 0)]
		case dots != ".":
			kept = append(kept, segment)
			continue
		}
		if last {
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}

// Origin returns how browsers write the origin of a page that is at a URL, or whose origin was written in another way.
func Origin(s string) (string, error) {
	u, err := ParseURL(s)
	if err != nil {
		return "", err
	}
	return originOf(u), nil
}

// canonical returns an address as browsers write it, and what is none as it is.
func canonical(host string) string {
	if address, err := netip.ParseAddr(host); err == nil && address.Is6() && address.Zone() == "" && !address.Is4In6() {
		return address.String()
	}
	return host
}
