// Package origin parses web origins and origin patterns, and finds an origin in a set of patterns at a cost that does not depend on how many
// there are. It knows nothing of HTTP.
//
// Origins are compared as browsers serialise them (HTML standard, "serialization of an origin"): byte for byte. Nothing is normalised: what a
// browser would not send is malformed.
package origin

// Bounds of the parts of an origin. A longer one is malformed.
const (
	MaxScheme = 64
	MaxHost   = 253 // DNS names; IP literals are shorter
	MaxLabel  = 63
	MaxLen    = MaxScheme + len("://") + MaxHost + len(":65535")
)

// NoPort is the Port of an origin that has its scheme's default port, which serialisation leaves out.
const NoPort int32 = -1

// Origin is a tuple origin, split. The fields alias the string that was parsed.
type Origin struct {
	Scheme string // lower case
	Host   string // lower-case name, dotted IPv4, or IPv6 in brackets
	Port   int32  // 1…65535, or NoPort
}

// Parse splits s, the value of an Origin header (Fetch standard, "Origin header"), and reports whether it is well-formed: a lower-case
// scheme, a host as browsers serialise it, and a port unless it is the scheme's default. `null` is no tuple origin. It does not
// allocate.
func Parse(s string) (Origin, bool) {
	if len(s) > MaxLen {
		return Origin{}, false
	}
	scheme, rest, ok := cutScheme(s)
	if !ok {
		return Origin{}, false
	}
	host, port, hasPort := cutPort(rest)
	o := Origin{Scheme: scheme, Host: host, Port: NoPort}
	if hasPort {
		if o.Port, ok = parsePort(port); !ok || o.Port == DefaultPort(scheme) {
			return Origin{}, false
		}
	}
	return o, isHost(host)
}

// DefaultPort returns the default port of a special scheme (URL standard), NoPort for other schemes.
func DefaultPort(scheme string) int32 {
	switch scheme {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	case "ftp":
		return 21
	}
	return NoPort
}

// IsLoopback reports whether host can only mean the machine itself, so that http to it is as safe as https (Secure Contexts, "potentially
// trustworthy origin"): localhost, names under it, 127.0.0.0/8 and [::1].
func IsLoopback(host string) bool {
	const localhost = "localhost"
	if host == localhost || host == "[::1]" {
		return true
	}
	if n := len(host) - len(localhost); n > 0 && host[n:] == localhost && host[n-1] == '.' {
		return true
	}
	return len(host) > 4 && host[:4] == "127." && isIPv4(host)
}

// cutScheme splits s at its first "://".
func cutScheme(s string) (scheme, rest string, ok bool) {
	for i := 0; i < len(s) && i <= MaxScheme; i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z':
		case i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
		case i > 0 && c == ':' && len(s) >= i+3 && s[i+1] == '/' && s[i+2] == '/':
			return s[:i], s[i+3:], true
		default:
			return "", "", false
		}
	}
	return "", "", false
}

// cutPort splits what follows the scheme at the colon before the port. A colon inside brackets belongs to the host.
func cutPort(s string) (host, port string, ok bool) {
	for i := len(s) - 1; i >= 0 && s[i] != ']'; i-- {
		if s[i] == ':' {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// parsePort reads a decimal port of 1…65535 without leading zeros.
func parsePort(s string) (int32, bool) {
	if len(s) == 0 || len(s) > 5 || s[0] == '0' {
		return 0, false
	}
	var n int32
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int32(s[i]-'0')
	}
	return n, n <= 65535
}

// IsOf reports whether value, that of an Origin header, is the origin of the URL scheme://authority. The host compares without regard to case, and the
// authority may spell the scheme's default port out. Nothing is parsed: whatever a browser takes for a host, a request to its own origin is found.
func IsOf(value, scheme, authority string) bool {
	rest := len(value) - len(scheme) - len("://")
	if scheme == "" || authority == "" || rest <= 0 || value[:len(scheme)] != scheme || value[len(scheme):len(value)-rest] != "://" {
		return false
	}
	if equalFold(authority, value[len(value)-rest:]) {
		return true
	}
	host, port, ok := cutPort(authority)
	if !ok {
		return false
	}
	n, ok := parsePort(port)
	return ok && n == DefaultPort(scheme) && equalFold(host, value[len(value)-rest:])
}

// equalFold reports whether s, in any case, is the string want, which has no upper case.
func equalFold(s, want string) bool {
	if len(s) != len(want) {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != want[i] {
			return false
		}
	}
	return true
}
