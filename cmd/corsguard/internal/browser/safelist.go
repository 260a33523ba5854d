package browser

import (
	"slices"
	"strings"

	"corsguard/filter/fetch"
)

// Bounds of the Fetch standard on the values of CORS-safelisted request-headers.
const (
	maxSafelistedValue  = 128  // bytes of one
	maxSafelistedValues = 1024 // of all together
)

// isSafelisted reports whether h is a CORS-safelisted request-header.
func isSafelisted(h Header) bool {
	if len(h.Value) > maxSafelistedValue {
		return false
	}
	if fetch.EqualFold(h.Name, "range") {
		return isSimpleRange(h.Value)
	}
	return isNoCORSSafelisted(h)
}

// isNoCORSSafelisted reports whether h is a no-CORS-safelisted request-header.
func isNoCORSSafelisted(h Header) bool {
	if len(h.Value) > maxSafelistedValue {
		return false
	}
	switch fetch.Lower(h.Name) {
	case "accept":
		return !strings.ContainsFunc(h.Value, isUnsafe)
	case "accept-language", "content-language":
		return !strings.ContainsFunc(h.Value, func(c rune) bool { return !isLanguageByte(c) })
	case "content-type":
		return !strings.ContainsFunc(h.Value, isUnsafe) && isFormType(h.Value)
	}
	return false
}

// isUnsafe reports whether c is a CORS-unsafe request-header byte. Bytes beyond ASCII, which may be no rune, are not.
func isUnsafe(c rune) bool {
	return c < ' ' && c != '\t' || c == 0x7f || c < 0x7f && strings.ContainsRune(`"():<>?@[\]{}`, c)
}

func isLanguageByte(c rune) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c < 0x80 && strings.ContainsRune(" *,-.;=", c)
}

// isFormType reports whether value is a MIME type that a form can send, whatever its parameters.
func isFormType(value string) bool {
	essence, _, _ := strings.Cut(normalizeValue(value), ";")
	switch fetch.Lower(strings.TrimRight(essence, "\t\n\r ")) {
	case "application/x-www-form-urlencoded", "multipart/form-data", "text/plain":
		return true
	}
	return false
}

// isSimpleRange reports whether value asks for a single range that has a start.
func isSimpleRange(value string) bool {
	span, ok := strings.CutPrefix(value, "bytes=")
	first, last, dash := strings.Cut(span, "-")
	if !ok || !dash || first == "" || !isDigits(first) || !isDigits(last) {
		return false
	}
	if last == "" {
		return true
	}
	// As numbers, of whatever length.
	first, last = strings.TrimLeft(first, "0"), strings.TrimLeft(last, "0")
	return len(first) < len(last) || len(first) == len(last) && first <= last
}

func isDigits(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < '0' || c > '9' })
}

// unsafeNames returns the names of the request's headers that some browser asks for in a preflight: sorted, each once. They are the CORS-unsafe request-header
// names of the standard, and a few more.
func (r *Request) unsafeNames() []string {
	headers := r.headers()
	names := slices.Concat(standardUnsafe(headers), chromiumUnsafe(headers), firefoxUnsafe(headers))
	slices.Sort(names)
	return slices.Compact(names)
}

// standardUnsafe returns the CORS-unsafe request-header names of headers.
func standardUnsafe(headers []Header) []string {
	unsafe := namesUnless(headers, isSafelisted)
	size := 0
	for _, h := range headers {
		if isSafelisted(h) {
			size += len(h.Value)
		}
	}
	if size > maxSafelistedValues {
		return namesUnless(headers, func(Header) bool { return false })
	}
	return unsafe
}

// chromiumUnsafe is what Chromium has for them: it looks at values as they are sent, combined, and asks for no header of what it knows to come from itself.
func chromiumUnsafe(headers []Header) []string {
	return namesUnless(combined(headers), func(h Header) bool { return isSafelisted(h) || isChromiumsOwn(h) })
}

func isChromiumsOwn(h Header) bool {
	if h.Name != "user-agent" && len(h.Value) > maxSafelistedValue {
		return false
	}
	switch h.Name {
	case "user-agent", "intervention", "downlink", "ect", "rtt": //nolint:misspell // the name of a header
		return true
	case "save-data":
		return fetch.EqualFold(h.Value, "on")
	case "width", "viewport-width":
		return h.Value != "" && isDigits(h.Value)
	case "device-memory", "dpr":
		whole, fraction, point := strings.Cut(h.Value, ".")
		return whole != "" && isDigits(whole) && isDigits(fraction) && point == (fraction != "")
	}
	return false
}

// firefoxUnsafe is what Firefox has for them: it does not look at them all together, and takes bytes beyond ASCII for unsafe.
func firefoxUnsafe(headers []Header) []string {
	return namesUnless(headers, func(h Header) bool { return isSafelisted(h) && !hasBeyondASCII(h.Value) })
}

func hasBeyondASCII(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return c > 0x7f })
}

// namesUnless returns the names of the headers for which safe is false, sorted, each once.
func namesUnless(headers []Header, safe func(Header) bool) []string {
	var names []string
	for _, h := range headers {
		if !safe(h) {
			names = append(names, h.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
