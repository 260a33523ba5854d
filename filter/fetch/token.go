package fetch

import "strings"

// tokenBytes are the bytes that a token may have (RFC 9110, section 5.6.2): letters, digits and these marks.
var tokenBytes = func() (is [256]bool) {
	for c := '0'; c <= 'z'; c++ {
		is[c] = c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a'
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		is[c] = true
	}
	return is
}()

// IsToken reports whether s is a token (RFC 9110, section 5.6.2): the grammar of methods and header names.
func IsToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenBytes[s[i]] {
			return false
		}
	}
	return s != ""
}

// EqualFold reports whether a and b are equal but for the case of ASCII letters. Header names compare so.
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// Lower returns s with its ASCII letters in lower case. It allocates only where something changes.
func Lower(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] != lower(s[i]) {
			b := []byte(s)
			for ; i < len(b); i++ {
				b[i] = lower(b[i])
			}
			return string(b)
		}
	}
	return s
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// IsSafelistedMethod reports whether method is a CORS-safelisted method: browsers need no permission for it.
func IsSafelistedMethod(method string) bool {
	return method == "GET" || method == "HEAD" || method == "POST"
}

// IsForbiddenMethod reports whether method is a forbidden method, in any case: browsers never send it.
func IsForbiddenMethod(method string) bool {
	return EqualFold(method, "CONNECT") || EqualFold(method, "TRACE") || EqualFold(method, "TRACK")
}

// NormalizeMethod returns the method that browsers send for a spelling: they put six methods into upper case and no others.
func NormalizeMethod(method string) string {
	for _, m := range [...]string{"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"} {
		if EqualFold(method, m) {
			return m
		}
	}
	return method
}

// forbiddenRequestHeaders are the forbidden request-headers that have a name of their own, each between spaces.
const forbiddenRequestHeaders = " accept-charset accept-encoding access-control-request-headers access-control-request-method connection " +
	"content-length cookie cookie2 date dnt expect host keep-alive origin referer set-cookie te trailer transfer-encoding upgrade via "

// responseHeaders are the response headers of the CORS protocol, each between spaces.
const responseHeaders = " access-control-allow-origin access-control-allow-credentials access-control-allow-methods " +
	"access-control-allow-headers access-control-expose-headers access-control-max-age access-control-allow-private-network "

// IsForbiddenRequestHeader reports whether name, a token, is a forbidden request-header whatever its value: pages can't set it.
func IsForbiddenRequestHeader(name string) bool {
	name = Lower(name)
	return strings.HasPrefix(name, "proxy-") || strings.HasPrefix(name, "sec-") || strings.Contains(forbiddenRequestHeaders, " "+name+" ")
}

// IsForbiddenResponseHeader reports whether name is a forbidden response-header name: pages can't read it.
func IsForbiddenResponseHeader(name string) bool {
	return EqualFold(name, "set-cookie") || EqualFold(name, "set-cookie2")
}

// IsResponseHeader reports whether name, a token, is a response header of the CORS protocol.
func IsResponseHeader(name string) bool {
	return strings.Contains(responseHeaders, " "+Lower(name)+" ")
}
