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
// canonicalPath gives a meaning, and without %.
func isPlainPathByte(c byte) bool {
	switch c {
	case '"', '<', '>', '^', '`', '{', '|', '}', '?', '#', ';', '\\', '%':
		return false
	}
	return c > ' ' && c < 0x7f
}

// isCanonicalPath reports whether canonicalPath would leave path as it is, and has no dot segment. It may be false for a canonical path with percent signs, which
// costs but a second look.
func isCanonicalPath(path string) bool {
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case !isPlainPathByte(c):
			return false
		case c == '/' && i+1 < len(path) && (path[i+1] == '/' || path[i+1] == '.'):
			return false
		}
	}
	return true
}

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
			if !isPlainPathByte(c) && c != ';' && c != '\\' && c != '%' {
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
