package audit

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// parseTarget reads the URL to audit.
func parseTarget(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil: // it has the URL, and that perhaps a password
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return nil, fmt.Errorf("is no URL: %w", err)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q: write an http or https URL", s)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q: has no host", s)
	case u.User != nil:
		return nil, fmt.Errorf("a URL with a user name or password is not audited: it would stand in the report; use --header 'Authorization: …'")
	}
	host, err := ascii(u.Hostname())
	if err != nil {
		return nil, fmt.Errorf("%q: %w", s, err)
	}
	u.Host = strings.Replace(u.Host, u.Hostname(), host, 1)
	u.Fragment, u.RawFragment = "", ""
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// ascii returns a host as browsers send it.
func ascii(host string) (string, error) {
	if !strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return host, nil
	}
	return idna.Lookup.ToASCII(host)
}

// site is what an origin consists of. The port is empty where it is the scheme's default.
type site struct{ scheme, host, port string }

func (s site) String() string {
	host := s.host
	if s.isIPv6() {
		host = "[" + host + "]"
	}
	if s.port != "" {
		host += ":" + s.port
	}
	return s.scheme + "://" + host
}

// isName reports whether the host is a name with more than one label, and no address.
func (s site) isName() bool {
	_, err := netip.ParseAddr(s.host)
	return err != nil && strings.Contains(s.host, ".")
}

// isIPv6 reports whether the host is an address in brackets, to which no name can be added.
func (s site) isIPv6() bool { return strings.Contains(s.host, ":") }

// isLoopback reports whether the host is the machine itself.
func (s site) isLoopback() bool {
	addr, err := netip.ParseAddr(s.host)
	return err == nil && addr.IsLoopback() || s.host == "localhost" || strings.HasSuffix(s.host, ".localhost")
}

// registrable returns what somebody registered of the host: the host itself where it is no name, or is a public suffix.
func registrable(host string) string {
	if name, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil && strings.Contains(host, ".") {
		return name
	}
	return host
}

func siteOf(u *url.URL) site {
	s := site{u.Scheme, strings.ToLower(u.Hostname()), u.Port()}
	if s.scheme == "https" && s.port == "443" || s.scheme == "http" && s.port == "80" {
		s.port = ""
	}
	return s
}

// parseOrigin reads an origin as browsers write it.
func parseOrigin(s string) (site, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return site{}, fmt.Errorf("%q is no origin: write scheme://host or scheme://host:port", s)
	}
	at := siteOf(u)
	if at.host, err = ascii(at.host); err != nil {
		return site{}, fmt.Errorf("%q: %w", s, err)
	}
	if at.String() != s {
		return site{}, fmt.Errorf("%q is not how browsers write an origin: write %q", s, at.String())
	}
	return at, nil
}

func parseOrigins(origins []string) ([]site, error) {
	sites := make([]site, 0, len(origins))
	for _, o := range origins {
		at, err := parseOrigin(o)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(sites, at) {
			sites = append(sites, at)
		}
	}
	return sites, nil
}
