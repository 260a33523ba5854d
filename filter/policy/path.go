package policy

// A path may mean one thing to Envoy and another to the service behind it: /public/..%2fadmin, /public//../admin, /%61dmin, /admin;x. Whoever finds such a
// difference could have a lax rule decide about what a strict one is for. So rules that ask for paths are asked twice, about the path as it came and about
// its canonical form, in which all that services are known to undo is undone. Where the answers differ, nothing is granted.
//
// Two readings are enough for exact paths and prefixes. These are canonical themselves, so undoing more never loses a match: what matches a path of which some
// is undone lies between what matches the one and what matches the other. A regular expression may match a path of which one thing is undone and another is
// not, and neither end: where one could win, no more than one kind of thing may be there to undo. Where the order in which things are undone counts, no reading is taken for the right one:
// dot segments, and matrix parameters with a separator in them that is not a plain slash.

// withoutQuery returns the path of a :path.
func withoutQuery(target string) string {
	for i := 0; i < len(target); i++ {
		if target[i] == '?' || target[i] == '#' {
			return target[:i]
		}
	}
	return target
}

// isPlainPathByte reports whether c stands for itself in a canonical path: printable ASCII without what URLs always encode, without the bytes that
// CanonicalPath gives a meaning, and without %.
func isPlainPathByte(c byte) bool {
	switch c {
	case '"', '<', '>', '^', '`', '{', '|', '}', '?', '#', ';', '\\', '%':
		return false
	}
	return c > ' ' && c < 0x7f
}

// isCanonicalPath reports whether CanonicalPath would leave path as it is, and there is one way to read it. It is false for paths with percent-encoded bytes that
// somebody could read otherwise, such as %25 and %3F: these are looked at again.
func isCanonicalPath(path string) bool {
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '%':
			if !isNeededTriplet(path[i:]) {
				return false
			}
			i += 2
		case !isPlainPathByte(c):
			return false
		case c == '/' && isNoSegment(path[i+1:]):
			return false
		}
	}
	return true
}

// isNeededTriplet reports whether s begins with a percent-encoded byte, in upper-case hex, that has to be encoded and is nothing but itself.
func isNeededTriplet(s string) bool {
	if len(s) < 3 || !isHexByte(s[1]) || !isHexByte(s[2]) || s[1] >= 'a' || s[2] >= 'a' {
		return false
	}
	switch c := hexByte(s[1])<<4 | hexByte(s[2]); c {
	case 0, '?', '#', 0xc0, 0xc1:
		return false
	default:
		return !isDecodedByte(c)
	}
}

// isNoSegment reports whether s, what stands behind a slash, begins with an empty segment before another slash, or with a dot segment.
func isNoSegment(s string) bool {
	dots := 0
	for dots < len(s) && dots < 3 && s[dots] == '.' {
		dots++
	}
	if dots == 0 {
		return s != "" && s[0] == '/'
	}
	return dots < 3 && (dots == len(s) || s[dots] == '/')
}

// isDecodedByte reports whether the canonical form has c decoded, or takes what it stands for.
func isDecodedByte(c byte) bool { return isPlainPathByte(c) || c == ';' || c == '\\' || c == '%' }

// CanonicalPath returns the canonical form of path, which begins with a slash: percent-encoded characters that need no encoding decoded, again and again; other bytes
// encoded; `\` turned into `/`; matrix parameters and empty segments dropped. A slash at the end stays. It reports whether that form is clear: it has no dot
// segment, no matrix parameter whose end is in doubt, and no broken encoding. The time is linear in the length of path.
func CanonicalPath(path string) (canonical string, isClear bool) {
	canonical, isClear, _ = undo(path)
	return canonical, isClear
}

// undone is what of a path is undone in its canonical form, by kind.
type undone uint8

const (
	undoneEncoding undone = 1 << iota
	undoneTwice           // what was encoded is encoded itself
	undoneSeparator
	undoneParameter
	undoneEmpty
	undoneSpelling // bytes that had to be encoded, and lower-case hex
)

// undo does the work of CanonicalPath, and tells what there was to do.
func undo(path string) (canonical string, isClear bool, did undone) {
	decoded := make([]byte, 0, len(path))
	isClear = true
	parameters := false // in those of a segment
	for i := 0; i < len(path); i++ {
		decoded = append(decoded, path[i])
		parameters = parameters && path[i] != '/'
		if path[i] == '\\' {
			did |= undoneSeparator
		}
		// What a decoded byte completes is decoded too.
		for n := len(decoded); n >= 3 && decoded[n-3] == '%' && isHexByte(decoded[n-2]) && isHexByte(decoded[n-1]); n = len(decoded) {
			c := hexByte(decoded[n-2])<<4 | hexByte(decoded[n-1])
			if !isDecodedByte(c) {
				break
			}
			decoded = append(decoded[:n-3], c)
			did |= kindOf(c)
		}
		switch decoded[len(decoded)-1] {
		case ';':
			parameters = true
			did |= undoneParameter
		case '/', '\\':
			isClear = isClear && !parameters
		}
	}
	out := make([]byte, 0, len(decoded))
	for i := 0; i < len(decoded); {
		// At the slash before a segment.
		end := i + 1
		for end < len(decoded) && decoded[end] != '/' && decoded[end] != '\\' {
			end++
		}
		start := len(out)
		out = appendSegment(append(out, '/'), decoded[i+1:end])
		switch segment := out[start+1:]; {
		case string(segment) == "." || string(segment) == "..":
			isClear = false
		case len(segment) == 0 && end < len(decoded):
			out = out[:start]
			did |= undoneEmpty
		}
		i = end
	}
	canonical = string(out)
	if !isSpelledOut(decoded) {
		did |= undoneSpelling
	}
	return canonical, isClear && !isBroken(canonical), did
}

// isSpelledOut reports whether in a decoded path all bytes are encoded that have to be, in upper-case hex.
func isSpelledOut(decoded []byte) bool {
	for i := 0; i < len(decoded); i++ {
		c := decoded[i]
		switch {
		case c == '%' && i+2 < len(decoded) && isHexByte(decoded[i+1]) && isHexByte(decoded[i+2]):
			if decoded[i+1] >= 'a' || decoded[i+2] >= 'a' {
				return false
			}
			i += 2
		case !isPlainPathByte(c) && c != ';' && c != '\\' && c != '%':
			return false
		}
	}
	return true
}

// kindOf returns what it is to decode c.
func kindOf(c byte) undone {
	switch c {
	case '%':
		return undoneTwice
	case '/', '\\', ';':
		return undoneSeparator
	}
	return undoneEncoding
}

// isBroken reports whether a canonical path has an encoding that some services read and no standard has: an end of a string (%00), an over-long UTF-8 form
// (%C0, %C1), or %u.
func isBroken(path string) bool {
	for i := 0; i+2 < len(path); i++ {
		if path[i] != '%' {
			continue
		}
		switch path[i+1 : i+3] {
		case "00", "C0", "C1":
			return true
		case "25":
			if isUnicodeEscape(path[i+3:]) {
				return true
			}
		}
	}
	return false
}

// isUnicodeEscape reports whether s begins with a u and four hexadecimal digits.
func isUnicodeEscape(s string) bool {
	return len(s) >= 5 && s[0]|0x20 == 'u' && isHexByte(s[1]) && isHexByte(s[2]) && isHexByte(s[3]) && isHexByte(s[4])
}

// beforeDelimiter cuts a canonical path before an encoded ? or #, where a service that decodes too early ends it, and reports whether there is one.
func beforeDelimiter(path string) (string, bool) {
	for i := 0; i+2 < len(path); i++ {
		if path[i] == '%' && (path[i+1:i+3] == "3F" || path[i+1:i+3] == "23") {
			return path[:i], true
		}
	}
	return path, false
}

// appendSegment appends a segment up to its matrix parameters, with every byte encoded that has to be.
func appendSegment(out, segment []byte) []byte {
	const digits = "0123456789ABCDEF"
	for i := 0; i < len(segment); i++ {
		c := segment[i]
		switch {
		case c == ';':
			return out
		case c == '%' && i+2 < len(segment) && isHexByte(segment[i+1]) && isHexByte(segment[i+2]):
			out = append(out, '%', upperHex(segment[i+1]), upperHex(segment[i+2]))
			i += 2
		case isPlainPathByte(c):
			out = append(out, c)
		default:
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return out
}

func isHexByte(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

func hexByte(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

func upperHex(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 'A'
	}
	return c
}
