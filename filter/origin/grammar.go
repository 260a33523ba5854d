package origin

import "corsguard/filter/regex"

// phase tells where in an origin the byte before stands.
type phase uint8

const (
	atStart phase = iota
	inScheme
	afterColon
	afterSlash
	afterSlashes
	inLabel
	afterDot
	inIPv6 // from its bracket on
	afterIPv6
	afterPortColon
	inPort
	phases
	malformed = phases
)

// originBytes are the bytes that origins have, by kind: those of a kind lead from each phase to the same one.
var originBytes = [...]string{"ghijklmnopqrstuvwxyz", "abcdef", "123456789", "0", "-", "_", ".", "+", ":", "/", "[", "]"}

// next returns the phase after c. It is Parse's grammar but for lengths, the values of numbers and the inside of IPv6 addresses: what Parse accepts never
// leads to malformed.
func (ph phase) next(c byte) phase {
	letter, digit := c >= 'a' && c <= 'z', c >= '0' && c <= '9'
	switch ph {
	case atStart:
		if letter {
			return inScheme
		}
	case inScheme:
		switch {
		case c == ':':
			return afterColon
		case letter || digit || c == '+' || c == '-' || c == '.':
			return inScheme
		}
	case afterColon, afterSlash:
		if c == '/' {
			return ph + 1
		}
	case afterSlashes, inLabel, afterDot:
		switch {
		case isLabelByte(c):
			return inLabel
		case c == '[' && ph == afterSlashes:
			return inIPv6
		case c == '.' && ph == inLabel:
			return afterDot
		case c == ':' && ph == inLabel:
			return afterPortColon
		}
	case inIPv6:
		switch {
		case c == ']':
			return afterIPv6
		case isHex(c) || c == ':':
			return inIPv6
		}
	case afterIPv6:
		if c == ':' {
			return afterPortColon
		}
	case afterPortColon, inPort:
		if digit && (c != '0' || ph == inPort) {
			return inPort
		}
	}
	return malformed
}

// reach returns, for each phase, the places of re that can take the byte which leads to that phase, in a text that so far begins like an origin.
func reach(re *regex.Regexp) *[phases]regex.Set {
	all := new([phases]regex.Set)
	var takes [len(originBytes)]regex.Set
	for kind, bytes := range originBytes {
		for i := 0; i < len(bytes); i++ {
			some := re.Every()
			re.KeepTaking(&some, bytes[i])
			takes[kind].Add(&some)
		}
	}
	for changed := true; changed; {
		changed = false
		for ph := atStart; ph < phases; ph++ {
			after := re.First()
			if ph != atStart {
				after = re.After(&all[ph])
			}
			for kind, bytes := range originBytes {
				to := ph.next(bytes[0])
				if to == malformed {
					continue
				}
				more := takes[kind]
				more.Keep(&after)
				more.Add(&all[to])
				if more != all[to] {
					all[to], changed = more, true
				}
			}
		}
	}
	return all
}
