package origin

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// What stands here is slow and plain: it says again, with regular expressions and the standard library, what the package says by hand.

var (
	wellFormed = regexp.MustCompile(`^([a-z][a-z0-9+.-]*)://([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])(?::([1-9][0-9]*))?$`)
	numberLike = regexp.MustCompile(`^(?:[0-9]+|0x[0-9a-f]*)$`)
)

var defaultPorts = map[string]string{"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}

// refParse splits a well-formed origin.
func refParse(s string) (scheme, host, port string, ok bool) {
	m := wellFormed.FindStringSubmatch(s)
	if m == nil {
		return "", "", "", false
	}
	scheme, host, port = m[1], m[2], m[3]
	if len(scheme) > 64 || len(host) > 253 || port != "" && port == defaultPorts[scheme] {
		return "", "", "", false
	}
	if n, err := strconv.Atoi(port); port != "" && (err != nil || n > 65535) {
		return "", "", "", false
	}
	return scheme, host, port, refHost(host)
}

func refHost(host string) bool {
	if strings.HasPrefix(host, "[") {
		return refIPv6(strings.Trim(host, "[]"))
	}
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if len(l) > 63 {
			return false
		}
	}
	if !numberLike.MatchString(labels[len(labels)-1]) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Is4() && addr.String() == host
}

// refIPv6 reports whether s is what the URL standard's serialiser gives. It differs from netip's for mapped addresses, which netip ends in a dotted
// part.
func refIPv6(s string) bool {
	addr, err := netip.ParseAddr(s)
	if err != nil || !addr.Is6() || addr.Zone() != "" {
		return false
	}
	if addr.Is4In6() {
		b := addr.As16()
		return s == fmt.Sprintf("::ffff:%x:%x", int(b[12])<<8|int(b[13]), int(b[14])<<8|int(b[15]))
	}
	return addr.String() == s
}

// urlAgrees reports whether net/url splits s into the same parts.
func urlAgrees(s, scheme, host, port string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == scheme && u.Hostname() == strings.Trim(host, "[]") && u.Port() == port &&
		u.Path == "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil && u.Opaque == ""
}

// refMatcher says what a pattern, one that ParsePattern accepted, matches among well-formed origins.
func refMatcher(pattern string) *regexp.Regexp {
	if pattern == "*" {
		return regexp.MustCompile(`^`)
	}
	scheme, rest, _ := strings.Cut(pattern, "://")
	scheme = regexp.QuoteMeta(scheme)
	if rest == "*" {
		return regexp.MustCompile(`^` + scheme + `://`)
	}
	port := ""
	if strings.HasSuffix(rest, ":*") {
		rest, port = strings.TrimSuffix(rest, ":*"), `(?::[0-9]+)?`
	}
	if base, ok := strings.CutPrefix(rest, "*."); ok {
		return regexp.MustCompile(`^` + scheme + `://(?:[a-z0-9_-]+\.)+` + regexp.QuoteMeta(base) + port + `$`)
	}
	host := strings.ReplaceAll(regexp.QuoteMeta(rest), `\*`, `[a-z0-9-]+`)
	return regexp.MustCompile(`^` + scheme + `://` + host + port + `$`)
}

func refMatch(matchers []*regexp.Regexp, s string) Verdict {
	if _, _, _, ok := refParse(s); !ok {
		return Malformed
	}
	for _, m := range matchers {
		if m.MatchString(s) {
			return Listed
		}
	}
	return Unlisted
}

// What patterns and origins are made of: few values, so that they meet.
var (
	someSchemes = []string{"https", "https", "http", "capacitor", "ws", "chrome-extension", "a+b-c.d"}
	someLabels  = []string{"a", "b", "www", "pr-1", "x_y", "xn--mnchen-3ya", "1", "0x1", "-a", "a-", strings.Repeat("z", 63)}
	someBases   = []string{"example.com", "a.example.com", "co.uk", "com", "localhost", "b.a", "example.com.a", "github.io", "xn--p1ai"}
	someHosts   = []string{"127.0.0.1", "10.1.2.255", "[::1]", "[2001:db8::1]", "[::ffff:102:304]"}
	somePorts   = []string{"", "", "", ":8080", ":1", ":65535", ":80", ":443", ":*", ":*"}
	someShapes  = []string{"pr-*", "*-pr", "*a", "a*", "x*y", "*_", "w*w", "pr-*-x"}
	someFills   = []string{"a", "1", "-", "a.b", "", "a-b", "x_y", "A", "\u00e9", "a.example.com", "\x00", "xn--a", "a:1", "..", strings.Repeat("y", 60), strings.Repeat("c.", 100) + "d"}
	portFills   = []string{"", ":8080", ":0", ":80", ":443", ":65535", ":65536", ":08", ":", ":1e1", ":*", ":-1", ":99999999999999999999"}
	someTricks  = []string{
		".evil.test", "evil.test", ".", "..", "/", "@", "?", "#", "\\", ":", "%2e", "%00", "\x00", "\t", "\n", " ", ",", "*", "\u3002", "\u0131", "\u212a", "\xff", "]", "[", "://",
		"https://evil.test", "a.", "x", "0", "-", "_", "null", ":8080", ":443", "`", "~", "!",
	}
)

func pick[E any](r *rand.Rand, from []E) E { return from[r.IntN(len(from))] }

// randomPattern gives a string that is mostly a pattern.
func randomPattern(r *rand.Rand) string {
	scheme := pick(r, someSchemes) + "://"
	switch r.IntN(12) {
	case 0:
		return scheme + pick(r, someHosts) + pick(r, somePorts)
	case 1, 2, 3:
		return scheme + "*." + randomHost(r) + pick(r, somePorts)
	case 4, 5, 6:
		return scheme + pick(r, []string{"", "", "a.", "b.a."}) + pick(r, someShapes) + "." + randomHost(r) + pick(r, somePorts)
	case 7:
		if r.IntN(8) == 0 {
			return pick(r, []string{"*", scheme + "*"})
		}
	}
	return scheme + randomHost(r) + pick(r, somePorts)
}

func randomHost(r *rand.Rand) string {
	host := pick(r, someBases)
	for r.IntN(3) == 0 {
		host = pick(r, someLabels) + "." + host
	}
	return host
}

// randomOrigin gives a string that a pattern matches, or that nearly is one.
func randomOrigin(r *rand.Rand, patterns []string) string {
	s := "https://" + randomHost(r)
	if len(patterns) > 0 && r.IntN(10) > 0 {
		s = pick(r, patterns)
	}
	if base, ok := strings.CutSuffix(s, ":*"); ok {
		s = base + pick(r, portFills[:2+r.IntN(len(portFills)-1)])
	}
	s = strings.Replace(s, "*", pick(r, someFills[:1+r.IntN(len(someFills))]), 1)
	for r.IntN(3) == 0 {
		s = mutate(r, s)
	}
	return s
}

func mutate(r *rand.Rand, s string) string {
	at := r.IntN(len(s) + 1)
	host := 0
	if i := strings.Index(s, "://"); i >= 0 {
		host = i + len("://")
	}
	switch r.IntN(9) {
	case 0:
		return s[:at] + pick(r, someTricks) + s[at:]
	case 1:
		return s + pick(r, someTricks)
	case 2:
		return pick(r, someTricks) + s
	case 3:
		return s[:at] + strings.ToUpper(s[at:])
	case 4:
		return s[:at] + s[min(at+1, len(s)):]
	case 5:
		return s[:host] + pick(r, someLabels) + "." + s[host:]
	case 6:
		return s[:host] + s[min(host+1+strings.IndexByte(s[host:], '.'), len(s)):]
	case 7:
		return pick(r, someSchemes) + "://" + s[host:]
	}
	return s[:at] + string([]byte{byte(r.IntN(256))}) + s[min(at+1, len(s)):]
}
