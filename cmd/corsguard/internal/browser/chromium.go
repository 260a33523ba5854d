package browser

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"corsguard/filter/fetch"
)

// chromiumKinds are Chromium's words for what is asked for, by initiator.
var chromiumKinds = [...]string{"fetch", "XMLHttpRequest", "image", "script", "CSS stylesheet", "font"}

// chromiumBlocked is a message of Chromium's, which all begin in one way.
func chromiumBlocked(r *Request, why string) outcome {
	what := chromiumKinds[r.Initiator] + " at '" + href(r.URL) + "' from origin '" + r.Origin
	return outcome{true, []string{"Access to " + what + "' has been blocked by CORS policy: " + why}}
}

func chromiumPreflight(r *Request, a *Answer) outcome {
	const ofPreflight = "Response to preflight request doesn't pass access control check: "
	if r.skips(chromium) {
		return outcome{}
	}
	f, value, _ := preflightFailure(r, a, chromiumUnsafe(r.headers()))
	switch f {
	case None, AuthorizationByWildcard: // the wildcard stands for it, yet
		return outcome{}
	case PreflightRedirect:
		return chromiumBlocked(r, ofPreflight+"Redirect is not allowed for a preflight request.")
	case PreflightStatus:
		return chromiumBlocked(r, ofPreflight+"It does not have HTTP ok status.")
	case InvalidAllowMethods:
		return chromiumBlocked(r, "Cannot parse Access-Control-Allow-Methods response header field in preflight response.")
	case InvalidAllowHeaders:
		return chromiumBlocked(r, "Cannot parse Access-Control-Allow-Headers response header field in preflight response.")
	case MethodNotAllowed:
		return chromiumBlocked(r, "Method "+value+" is not allowed by Access-Control-Allow-Methods in preflight response.")
	case HeaderNotAllowed:
		return chromiumBlocked(r, "Request header field "+value+" is not allowed by Access-Control-Allow-Headers in preflight response.")
	}
	return chromiumBlocked(r, ofPreflight+chromiumCORS(r, f, value))
}

func chromiumActual(r *Request, a *Answer) outcome {
	switch f, value := actualFailure(r, a); f {
	case None:
		return outcome{}
	case RedirectWithCredentials: // the quotes have nothing in them
		return chromiumBlocked(r, "Redirect location '' contains a username and password, which is disallowed for cross-origin requests.")
	case RedirectScheme:
		return outcome{true, []string{"Failed to load resource: net::ERR_UNSAFE_REDIRECT"}}
	default:
		return chromiumBlocked(r, chromiumCORS(r, f, value))
	}
}

// chromiumCORS is how Chromium says that the CORS check failed.
func chromiumCORS(r *Request, f Failure, value string) string {
	const (
		header          = "The 'Access-Control-Allow-Origin' header "
		withCredentials = "when the request's credentials mode is 'include'."
	)
	ofFetch, ofXHR := "", ""
	switch r.Initiator {
	case Fetch:
		ofFetch = " Have the server send the header with a valid value."
	case XMLHttpRequest:
		ofXHR = " The credentials mode of requests initiated by the XMLHttpRequest is controlled by the withCredentials attribute."
	}
	switch f {
	case MissingAllowOrigin:
		return "No 'Access-Control-Allow-Origin' header is present on the requested resource."
	case WildcardWithCredentials:
		return "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' " + withCredentials + ofXHR
	case MultipleAllowOrigin:
		return header + "contains multiple values '" + value + "', but only one is allowed." + ofFetch
	case AllowCredentialsNotTrue:
		return "The value of the 'Access-Control-Allow-Credentials' header in the response is '" + value + "' which must be 'true' " + withCredentials + ofXHR
	}
	if value != fetch.NullOrigin && !isURL(value) {
		return header + "contains the invalid value '" + value + "'." + ofFetch
	}
	return header + "has a value '" + value + "' that is not equal to the supplied origin." + ofFetch
}

// isSeveral reports whether a value of Access-Control-Allow-Origin looks like more than one.
func isSeveral(value string) bool { return strings.ContainsAny(value, " ,") }

// isURL reports whether the URL standard's parser takes s, which has neither spaces nor commas, as an absolute URL. It takes nearly everything behind a scheme.
func isURL(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || !isScheme(scheme) {
		return false
	}
	switch fetch.Lower(scheme) {
	case "http", "https", "ws", "wss", "ftp":
	default:
		return true
	}
	rest = strings.TrimLeft(rest, `/\`)
	if i := strings.IndexAny(rest, `/\?#`); i >= 0 {
		rest = rest[:i]
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	if address, port, ok := strings.Cut(rest, "]"); ok && strings.HasPrefix(address, "[") {
		parsed, err := netip.ParseAddr(address[1:])
		return err == nil && parsed.Is6() && parsed.Zone() == "" && (port == "" || port[0] == ':' && isPort(port[1:]))
	}
	host, port, _ := strings.Cut(rest, ":")
	return isHost(host) && isPort(port)
}

func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(s[i]))) {
			return false
		}
	}
	return true
}

func isPort(s string) bool {
	s = strings.TrimLeft(s, "0")
	return isDigits(s) && (len(s) < 5 || len(s) == 5 && s <= "65535")
}

func isHost(s string) bool {
	host, err := url.PathUnescape(s)
	if err != nil || host == "" || strings.ContainsFunc(host, func(c rune) bool { return c < ' ' || c == 0x7f || strings.ContainsRune(`#/:<>?@[\]^|%`, c) }) {
		return false // a space, which others do not take, gets escaped
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	if last := labels[len(labels)-1]; last == "" || !isDigits(last) && !isNumber(last, 32) {
		return true
	}
	// What ends in a number is an IPv4 address, whose last number stands for all that is missing.
	if len(labels) > 4 {
		return false
	}
	for _, label := range labels[:len(labels)-1] {
		if !isNumber(label, 8) {
			return false
		}
	}
	return isNumber(labels[len(labels)-1], 8*(5-len(labels)))
}

// isNumber reports whether s is a number of an IPv4 address that has no more than so many bits: decimal, octal behind 0, or hexadecimal behind 0x.
func isNumber(s string, bits int) bool {
	base := 10
	if digits, ok := strings.CutPrefix(fetch.Lower(s), "0x"); ok {
		s, base = "0"+digits, 16
	} else if len(s) > 1 && s[0] == '0' {
		base = 8
	}
	_, err := strconv.ParseUint(s, base, bits)
	return err == nil
}

func chromiumResourcePolicy(f Failure) outcome {
	kind := map[Failure]string{
		ResourcePolicySameOrigin: "NotSameOrigin", ResourcePolicySameSite: "NotSameSite", ResourcePolicyMissing: "NotSameOriginAfterDefaultedToSameOriginByCoep",
	}[f]
	return outcome{true, []string{"Failed to load resource: net::ERR_BLOCKED_BY_RESPONSE." + kind}}
}
