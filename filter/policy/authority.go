package policy

import (
	"strings"

	"corsguard/filter/fetch"
)

// maxHost bounds the host of a request: no name is longer, with the dot at its end.
const maxHost = 254

// hostOf returns the host of an :authority as rules compare it (RFC 9110, section 4.2.3): without the port, in lower case, and without the dot that ends an
// absolute name. What is longer than a name can be is no host, "". Nothing else is checked: as for Envoy, whatever ends in a name is below it.
func hostOf(authority string) string {
	host := authority
	// A colon inside brackets belongs to the address, and one before anything but a port to no host at all.
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') && isDigits(host[colon+1:]) {
		host = host[:colon]
	}
	if len(host) > maxHost {
		return ""
	}
	return fetch.Lower(strings.TrimSuffix(host, "."))
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
