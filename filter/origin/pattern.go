package origin

import (
	"strings"

	"corsguard/filter/regex"
)

// AnyPort is the Port of a pattern that leaves the port open: every port matches, and none.
const AnyPort int32 = -2

// Kind tells what the host of a pattern matches.
type Kind uint8

const (
	// Exact matches Host itself.
	Exact Kind = iota
	// Subdomains matches one or more labels before Host: https://*.example.com.
	Subdomains
	// InLabel matches one or more of [a-z0-9-] between Before and After, inside one label: https://pr-*.example.com.
	InLabel
	// AnyHost matches every host of the scheme, at every port: https://*.
	AnyHost
	// Any matches every origin: *.
	Any
	// Regex matches the well-formed origins that a regular expression matches: {"regex": …}.
	Regex
)

// Pattern is a set of origins, parsed. It is made by ParsePattern and immutable.
type Pattern struct {
	_ [0]func() // not comparable: nothing compares patterns, so nothing is linked for it

	Kind   Kind
	Scheme string // lower case, without a wildcard; empty for Any
	// Host is the whole host of an Exact pattern; what stands to the right of "*." for Subdomains; and for InLabel the labels to the right of the
	// label with the wildcard. It is empty for AnyHost and Any.
	Host string
	// Left holds, for InLabel, the labels to the left of the label with the wildcard, with their last dot; often empty.
	Left          string
	Before, After string // what stands around an InLabel wildcard in its label; one of them may be empty
	Port          int32  // 1…65535, NoPort or AnyPort

	// Regex is the expression of a Regex pattern. Its Scheme is that of all origins that it matches, its Host is one of their sites, and one that is not the user's own
	// machine if there is such a one, and its Port is AnyPort.
	Regex *regex.Regexp

	text string
}

// String returns the pattern as it was written.
func (p *Pattern) String() string { return p.text }

// PatternError tells why a string is no pattern and what to write instead.
type PatternError struct {
	Reason string
	Fix    string
}

func (e *PatternError) Error() string { return e.Reason + "; " + e.Fix }

//go:noinline
func bad(reason, fix string) error { return &PatternError{Reason: reason, Fix: fix} }

// ParseExact parses an origin that is meant to the letter: what ParsePattern takes, without wildcards. Errors are of type *PatternError.
func ParseExact(s string) (Pattern, error) {
	p, err := ParsePattern(s)
	if err == nil && (p.Kind != Exact || p.Port == AnyPort) {
		return Pattern{}, bad("has a wildcard, and {\"exact\"} is meant to the letter", "write the pattern as a plain string")
	}
	return p, err
}

// ParsePattern parses a pattern. Patterns are written as browsers serialise origins, with at most one wildcard in the host and `*` for the port.
// Errors are of type *PatternError. The time is linear in the length of s, of which at most MaxLen bytes are looked at.
func ParsePattern(s string) (Pattern, error) {
	if s == "*" {
		return Pattern{Kind: Any, Port: AnyPort, text: s}, nil
	}
	if err := checkShape(s); err != nil {
		return Pattern{}, err
	}
	scheme, rest, ok := cutScheme(s)
	if !ok {
		return Pattern{}, schemeError(s)
	}
	if scheme == "file" {
		return Pattern{}, bad("browsers send no usable origin for file:", "serve the page over http://localhost:* instead")
	}
	host, port, hasPort := cutPort(rest)
	p := Pattern{Scheme: scheme, Port: NoPort, text: s}
	if hasPort {
		var err error
		if p.Port, err = patternPort(scheme, port); err != nil {
			return Pattern{}, err
		}
	}
	return p, p.setHost(host, hasPort)
}

// checkShape refuses what no origin has in any of its parts.
func checkShape(s string) error {
	switch {
	case s == "":
		return bad("is empty", "write an origin such as https://app.example.com")
	case s == "null":
		return bad("null is no pattern", "set allowNull, if pages without an origin of their own shall read responses")
	case len(s) > MaxLen:
		return bad("is longer than an origin can be", "write scheme://host, with a port if it is not the default one")
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 0x80:
			return bad("has a character outside of ASCII", "write the host as browsers send it, in its xn-- form")
		case c <= ' ' || c == 0x7f:
			return bad("has a space or a control character", "write the origin alone")
		case c >= 'A' && c <= 'Z':
			return bad("has upper case, which browsers never send", "write it in lower case")
		}
	}
	return nil
}

func schemeError(s string) error {
	i := strings.Index(s, "://")
	switch {
	case i < 0:
		return bad("has no scheme", "write https://"+s+", if https is meant")
	case strings.Contains(s[:i], "*"):
		return bad("has a wildcard in the scheme", "write one pattern for each scheme")
	case i > MaxScheme:
		return bad("has an over-long scheme", "write a scheme such as https")
	}
	return bad("has a malformed scheme", "write a scheme such as https: a letter, then letters, digits, +, - or .")
}

func patternPort(scheme, s string) (int32, error) {
	if s == "*" {
		return AnyPort, nil
	}
	port, ok := parsePort(s)
	switch {
	case !ok:
		return 0, bad("has a malformed port", "write a number of 1 to 65535 without leading zeros, or *")
	case port == DefaultPort(scheme):
		return 0, bad("spells out the default port, which browsers leave out", "leave :"+s+" away")
	}
	return port, nil
}

func (p *Pattern) setHost(host string, hasPort bool) error {
	for i := 0; i < len(host); i++ {
		switch host[i] {
		case '/', '?', '#', '@', '\\':
			return separatorError(host[i])
		}
	}
	switch strings.Count(host, "*") {
	case 0:
		p.Kind, p.Host = Exact, host
		return checkHost(host)
	case 1:
	default:
		return bad("has more than one wildcard in the host", "write one pattern for each variant, with at most one * in the host")
	}
	if host == "*" {
		if hasPort {
			return bad("any host at a port is no pattern", "write "+p.Scheme+"://*, which is any host at any port, or name the hosts")
		}
		p.Kind, p.Port = AnyHost, AnyPort
		return nil
	}
	if rest, ok := strings.CutPrefix(host, "*."); ok {
		p.Kind, p.Host = Subdomains, rest
		// One more label must fit before the dot.
		if len(host)+len("a")-len("*") > MaxHost {
			return bad("leaves no room for a subdomain: a host has at most 253 bytes", "write a shorter host")
		}
		return p.checkBase(rest)
	}
	return p.setInLabel(host)
}

func (p *Pattern) setInLabel(host string) error {
	star := strings.IndexByte(host, '*')
	start := strings.LastIndexByte(host[:star], '.') + 1
	dot := strings.IndexByte(host[star:], '.')
	// A host with any byte in the wildcard's place must be a host.
	one := host[:star] + "1" + host[star+1:]
	if dot < 0 {
		if isNumericHost(one) && isDotted(host) {
			return errIPWildcard()
		}
		return bad("has a wildcard in the last label, which would span top-level domains", "write the last label out")
	}
	end := star + dot
	p.Kind, p.Left, p.Before, p.After, p.Host = InLabel, host[:start], host[start:star], host[star+1:end], host[end+1:]
	if p.Before == "" && p.After == "" {
		return bad("has a wildcard for a whole label that is not the first one", "write https://*.example.com, or a wildcard inside of a label such as pr-*")
	}
	if err := checkHost(one); err != nil {
		return err
	}
	return p.checkBase(p.Host)
}

// checkBase checks what stands to the right of a wildcard.
func (p *Pattern) checkBase(base string) error {
	if strings.HasPrefix(base, "[") || isNumericHost(base) {
		return errIPWildcard()
	}
	return checkHost(base)
}

func errIPWildcard() error {
	return bad("has a wildcard on an IP address", "list the addresses, or leave the port open with :*")
}

func isNumericHost(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last != "" && isNumeric(last)
}

// isDotted reports whether host has nothing but digits, dots and wildcards.
func isDotted(host string) bool {
	for i := 0; i < len(host); i++ {
		if c := host[i]; (c < '0' || c > '9') && c != '.' && c != '*' {
			return false
		}
	}
	return true
}

func separatorError(c byte) error {
	switch c {
	case '@':
		return bad("has user-info, which no origin has", "write scheme://host")
	case '?':
		return bad("has a query, which no origin has", "write scheme://host")
	case '#':
		return bad("has a fragment, which no origin has", "write scheme://host")
	}
	return bad("has a path or a trailing slash, which no origin has", "write scheme://host")
}

// checkHost refuses a host that browsers would not send as it is.
func checkHost(host string) error {
	const write = "write the host as browsers send it"
	switch {
	case host == "":
		return bad("has no host", "write scheme://host")
	case host[0] == '[':
		if !isHost(host) {
			return bad("has an IPv6 address that is malformed or not in canonical form", "write it as browsers do: lower case, shortest form, such as [2001:db8::1]")
		}
		return nil
	case len(host) > MaxHost:
		return bad("has a host of more than 253 bytes", write)
	}
	for rest, more := host, true; more; {
		var label string
		label, rest, more = strings.Cut(rest, ".")
		if err := checkLabel(label); err != nil {
			return err
		}
	}
	if isNumericHost(host) && !isIPv4(host) {
		return bad("ends in a number and is no IPv4 address in canonical form", "write four numbers of 0 to 255 without leading zeros, or a name")
	}
	return nil
}

func checkLabel(label string) error {
	const write = "write labels of letters, digits and inner hyphens, 1 to 63 bytes each"
	switch {
	case label == "":
		return bad("has an empty label in the host", write+"; no dot at the end")
	case len(label) > MaxLabel:
		return bad("has a label of more than 63 bytes", write)
	case label[0] == '-' || label[len(label)-1] == '-':
		return bad("has a label that begins or ends with a hyphen", write)
	}
	for i := 0; i < len(label); i++ {
		if !isLabelByte(label[i]) {
			return bad("has a character in the host that no host has", write)
		}
	}
	if ace, ok := strings.CutPrefix(label, "xn--"); ok && !isPunycode(ace) {
		return bad("has an xn-- label that encodes nothing", "write the label as browsers send it")
	}
	return nil
}
