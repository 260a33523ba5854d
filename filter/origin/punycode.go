package origin

// isPunycode reports whether s, a label without its xn-- prefix, decodes by RFC 3492 to a label that needed encoding. Whether
// IDNA allows what it decodes to is left to the browser: no table for that fits here.
func isPunycode(s string) bool {
	const (
		base, tMin, tMax, skew, damp = 36, 1, 26, 38, 700
		initialBias, initialN        = 72, 0x80
		maxRune                      = 0x10ffff
	)
	points, rest := 0, s
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '-' {
			points, rest = i, s[i+1:]
			break
		}
	}
	if rest == "" || points == 0 && rest != s {
		return false
	}
	n, index, bias := initialN, 0, initialBias
	for i := 0; i < len(rest); {
		before, weight := index, 1
		for k := base; ; k += base {
			if i == len(rest) {
				return false
			}
			digit, ok := punycodeDigit(rest[i])
			if !ok {
				return false
			}
			i++
			index += digit * weight
			t := min(max(k-bias, tMin), tMax)
			if digit < t {
				break
			}
			weight *= base - t
			if index > maxRune*(MaxLabel+1) || weight > maxRune*(MaxLabel+1) {
				return false
			}
		}
		points++
		delta := index - before
		if before == 0 {
			delta /= damp
		} else {
			delta /= 2
		}
		delta += delta / points
		k := 0
		for ; delta > (base-tMin)*tMax/2; k += base {
			delta /= base - tMin
		}
		bias = k + (base-tMin+1)*delta/(delta+skew)
		if n += index / points; n > maxRune || n >= 0xd800 && n <= 0xdfff {
			return false
		}
		index = index%points + 1
	}
	return true
}

func punycodeDigit(c byte) (int, bool) {
	switch {
	case c >= 'a' && c <= 'z':
		return int(c - 'a'), true
	case c >= '0' && c <= '9':
		return int(c-'0') + 26, true
	}
	return 0, false
}
