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

// unsafeNames returns the CORS-unsafe request-header names of headers, whose names are in lower case: sorted, each once.
func unsafeNames(headers []Header) []string {
	var unsafe, safelisted []string
	size := 0
	for _, h := range headers {
		if isSafelisted(h) {
			safelisted = append(safelisted, h.Name)
			size += len(h.Value)
		} else {
			unsafe = append(unsafe, h.Name)
		}
	}
	if size > maxSafelistedValues {
		unsafe = append(unsafe, safelisted...)
	}
	slices.Sort(unsafe)
	return slices.Compact(unsafe)
}
