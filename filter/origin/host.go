package origin

// isHost reports whether s is a host as a serialised origin has it: a lower-case DNS name, an IPv4 address in canonical dotted form, or a
// canonical IPv6 address in brackets.
//
// Browsers accept a few more bytes in names ("!", "~", …). They are left out: no name that can be registered has them, and they are what
// bypasses are made of.
func isHost(s string) bool {
	if s == "" || len(s) > MaxHost {
		return false
	}
	if s[0] == '[' {
		return len(s) > 2 && s[len(s)-1] == ']' && isIPv6(s[1:len(s)-1])
	}
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			if !isLabelByte(s[i]) {
				return false
			}
			continue
		}
		if n := i - start; n == 0 || n > MaxLabel {
			return false
		}
		if i < len(s) {
			start = i + 1
		}
	}
	return !isNumeric(s[start:]) || isIPv4(s)
}

func isLabelByte(c byte) bool { return isWildcardByte(c) || c == '_' }

// isWildcardByte reports whether an in-label wildcard matches c.
func isWildcardByte(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' }

// isNumeric reports whether a host whose last label is s must be an IPv4 address (URL standard, "ends in a number checker").
func isNumeric(s string) bool {
	if len(s) > 1 && s[0] == '0' && s[1] == 'x' {
		for i := 2; i < len(s); i++ {
			if !isHex(s[i]) {
				return false
			}
		}
		return true
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

// isIPv4 reports whether s is an IPv4 address as the URL standard serialises it: four decimal numbers without leading zeros.
func isIPv4(s string) bool {
	numbers, value, digits := 0, 0, 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == '.' {
			if digits == 0 {
				return false
			}
			numbers++
			value, digits = 0, 0
			continue
		}
		if s[i] < '0' || s[i] > '9' || digits > 0 && value == 0 {
			return false
		}
		value, digits = value*10+int(s[i]-'0'), digits+1
		if value > 255 {
			return false
		}
	}
	return numbers == 4
}

// isIPv6 reports whether s, without its brackets, is an IPv6 address as the URL standard serialises it ("IPv6 serializer"): lower-case
// hexadecimal pieces without leading zeros, the first longest run of two or more zero pieces compressed, no dotted part, no zone.
func isIPv6(s string) bool {
	var pieces [8]uint16
	n, gap := 0, -1
	for i := 0; i < len(s); {
		if n == len(pieces) {
			return false
		}
		if s[i] == ':' {
			// Only "::" may stand where a piece could, and once.
			if gap >= 0 || i+1 >= len(s) || s[i+1] != ':' {
				return false
			}
			gap = n
			i += 2
			continue
		}
		start := i
		for ; i < len(s) && isHex(s[i]); i++ {
			pieces[n] = pieces[n]<<4 | uint16(hexValue(s[i]))
		}
		if i == start || i-start > 4 || i-start > 1 && s[start] == '0' {
			return false
		}
		n++
		if i == len(s) {
			break
		}
		if s[i] != ':' {
			return false
		}
		if i+1 < len(s) && s[i+1] != ':' {
			i++ // a single colon between two pieces; a double one is left to the gap's branch
		} else if i+1 == len(s) {
			return false
		}
	}
	if gap < 0 {
		return n == len(pieces) && longestZeroRun(pieces) == run{}
	}
	zeros := len(pieces) - n
	if zeros < 2 {
		return false
	}
	copy(pieces[gap+zeros:], pieces[gap:n])
	for i := gap; i < gap+zeros; i++ {
		pieces[i] = 0
	}
	return longestZeroRun(pieces) == run{gap, zeros}
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'a' + 10
}

type run struct{ start, length int }

// longestZeroRun returns the first longest run of two or more zero pieces, the zero run where there is none.
func longestZeroRun(pieces [8]uint16) run {
	var best, cur run
	for i, p := range pieces {
		if p != 0 {
			cur = run{}
			continue
		}
		if cur.length == 0 {
			cur.start = i
		}
		if cur.length++; cur.length > 1 && cur.length > best.length {
			best = cur
		}
	}
	return best
}
