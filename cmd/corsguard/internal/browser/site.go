package browser

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"corsguard/filter/fetch"
)

// originOf returns the serialisation of a URL's origin.
func originOf(u *url.URL) string {
	host, port := hostOf(u), u.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" && port != defaultPorts[u.Scheme] {
		host += ":" + port
	}
	return u.Scheme + "://" + host
}

// hostOf returns a URL's host in lower case and, as browsers have it, in ASCII.
func hostOf(u *url.URL) string {
	host := canonical(strings.ToLower(u.Hostname()))
	if ascii, err := idna.Lookup.ToASCII(host); err == nil && hasBeyondASCII(host) {
		return ascii
	}
	return host
}

var defaultPorts = map[string]string{"http": "80", "https": "443"}

// href returns a URL as browsers write it.
func href(u *url.URL) string {
	path := u.RawPath // as it was written; empty where that is as Go writes it
	if path == "" {
		path = u.EscapedPath()
	}
	if path == "" {
		path = "/"
	}
	text := originOf(u) + encode(path, "\"#<>?^`{}")
	if u.RawQuery != "" || u.ForceQuery {
		text += "?" + encode(u.RawQuery, "\"#'<>")
	}
	fragment := u.RawFragment
	if fragment == "" {
		fragment = u.EscapedFragment()
	}
	if fragment != "" {
		text += "#" + encode(fragment, "\"<>`")
	}
	return text
}

// encode percent-encodes the bytes of s that are no printable ASCII, and those in set: a percent-encode set of the URL standard.
func encode(s, set string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(set, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// SecFetch returns the values of the headers Sec-Fetch-Site, -Mode and -Dest.
func (r *Request) SecFetch() (site, mode, dest string) {
	dest = [...]string{"empty", "empty", "image", "script", "style", "font"}[r.Initiator]
	if r.Mode == Navigate {
		dest = "document"
	}
	switch page, err := url.Parse(r.Origin); {
	case !r.IsCrossOrigin():
		site = "same-origin"
	case err == nil && r.Origin != fetch.NullOrigin && page.Scheme == r.URL.Scheme && sameSite(page, r.URL):
		site = fetch.SameSite
	default:
		site = fetch.CrossSite
	}
	return site, r.Mode.String(), dest
}

// metadata returns the Sec-Fetch headers, which go to potentially trustworthy URLs alone.
func (r *Request) metadata() []Header {
	if !isTrustworthy(r.URL) {
		return nil
	}
	site, mode, dest := r.SecFetch()
	return []Header{{fetch.HeaderFetchSite, site}, {fetch.HeaderFetchMode, mode}, {fetch.HeaderFetchDest, dest}}
}

// MixedContent reports whether a page of https asks for what is not, nor on its own machine: browsers don't send that, whatever the server would say.
func (r *Request) MixedContent() bool {
	return strings.HasPrefix(r.Origin, "https://") && !isTrustworthy(r.URL) && r.Mode != Navigate
}

// isTrustworthy reports whether a URL is potentially trustworthy: nobody on the way reads along.
func isTrustworthy(u *url.URL) bool {
	host := hostOf(u)
	if u.Scheme == "https" || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// sameSite reports whether two URLs are schemelessly same site: of one registrable domain, or of one host.
func sameSite(a, b *url.URL) bool {
	hostA, hostB := hostOf(a), hostOf(b)
	if hostA == hostB {
		return hostA != ""
	}
	domain := registrable(hostA)
	return domain != "" && domain == registrable(hostB)
}

// registrable returns the registrable domain of a host, or "" if it has none.
func registrable(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return ""
	}
	return domain
}
