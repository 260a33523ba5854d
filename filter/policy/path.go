package policy

// A path may mean one thing to Envoy and another to the service behind it: /public/..%2fadmin, /public//../admin, /%61dmin, /admin;x. Whoever finds such a
// difference could have a lax rule decide about what a strict one is for. So rules that ask for paths are asked twice, about the path as it came and about
// its canonical form, in which all that services are known to undo is undone. Where the answers differ, nothing is granted.
//
// Two readings are enough for exact paths and prefixes. These are canonical themselves, so undoing more never loses a match: what matches a path of which some
// is undone lies between what matches the one and what matches the other. Where the order in which things are undone counts, no reading is taken for the right one:
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

// isCanonicalPath reports whether CanonicalPath would leave path as it is, and finds it clear.
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

// isNeededTriplet reports whether s begins with a percent-encoded byte, in upper-case hex, that has to be encoded.
func isNeededTriplet(s string) bool {
	if len(s) < 3 || !isHexByte(s[1]) || !isHexByte(s[2]) || s[1] >= 'a' || s[2] >= 'a' {
		return false
	}
	return !isDecodedByte(hexByte(s[1])<<4 | hexByte(s[2]))
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
// segment, and no matrix parameter whose end is in doubt. The time is linear in the length of path.
func CanonicalPath(path string) (canonical string, isClear bool) {
	decoded := make([]byte, 0, len(path))
	isClear = true
	parameters := false // in those of a segment
	for i := 0; i < len(path); i++ {
		decoded = append(decoded, path[i])
		parameters = parameters && path[i] != '/'
		// What a decoded byte completes is decoded too.
		for n := len(decoded); n >= 3 && decoded[n-3] == '%' && isHexByte(decoded[n-2]) && isHexByte(decoded[n-1]); n = len(decoded) {
			c := hexByte(decoded[n-2])<<4 | hexByte(decoded[n-1])
			if !isDecodedByte(c) {
				break
			}
			decoded = append(decoded[:n-3], c)
		}
		switch decoded[len(decoded)-1] {
		case ';':
			parameters = true
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
		}
		i = end
	}
	return string(out), isClear
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
