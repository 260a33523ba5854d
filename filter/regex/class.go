package regex

// byteSet is a set of bytes.
type byteSet [4]uint64

func (s *byteSet) has(c byte) bool { return s[c>>6]>>(c&63)&1 != 0 }

func (s *byteSet) addRange(low, high byte) {
	for c := int(low); c <= int(high); c++ {
		s[c>>6] |= 1 << (c & 63)
	}
}

func (s *byteSet) addSet(t *byteSet) {
	for i := range s {
		s[i] |= t[i]
	}
}

func (s *byteSet) negate() {
	for i := range s {
		s[i] = ^s[i]
	}
}

// fold adds the letters of s in the other case.
func (s *byteSet) fold() {
	const letters = 1<<26 - 1
	either := (s[1]>>1 | s[1]>>33) & letters
	s[1] |= either<<1 | either<<33
}

// ranges returns the set of the bytes between the first and second byte of text, the third and the fourth, and so on.
func ranges(text string) byteSet {
	var s byteSet
	for i := 0; i+1 < len(text); i += 2 {
		s.addRange(text[i], text[i+1])
	}
	return s
}

// perlClass returns the ranges of \d, \s and \w by their letter.
func perlClass(letter byte) string {
	switch letter {
	case 'd':
		return "09"
	case 's':
		return "\t\n\f\r  "
	case 'w':
		return "09AZ__az"
	}
	return ""
}

// namedClass returns the ranges of a POSIX class by its name.
func namedClass(name string) string {
	switch name {
	case "alnum":
		return "09AZaz"
	case "alpha":
		return "AZaz"
	case "ascii":
		return "\x00\x7f"
	case "blank":
		return "\t\t  "
	case "cntrl":
		return "\x00\x1f\x7f\x7f"
	case "digit":
		return "09"
	case "graph":
		return "!~"
	case "lower":
		return "az"
	case "print":
		return " ~"
	case "punct":
		return "!/:@[`{~"
	case "space":
		return "\t\r  "
	case "upper":
		return "AZ"
	case "word":
		return "09AZ__az"
	case "xdigit":
		return "09AFaf"
	}
	return ""
}
