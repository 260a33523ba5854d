package regex

import "strings"

// byteSet is a set of bytes.
type byteSet [4]uint64

func (s *byteSet) has(c byte) bool { return s[c>>6]>>(c&63)&1 != 0 }

//go:noinline
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
//
//go:noinline
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

// namedClasses holds the POSIX classes: each one's name after a byte that no expression has, then its ranges between two such.
const namedClasses = "\x80alnum\x8109AZaz\x80alpha\x81AZaz\x80ascii\x81\x00\x7f\x80blank\x81\t\t  \x80cntrl\x81\x00\x1f\x7f\x7f\x80digit\x8109\x80graph\x81!~" +
	"\x80lower\x81az\x80print\x81 ~\x80punct\x81!/:@[`{~\x80space\x81\t\r  \x80upper\x81AZ\x80word\x8109AZ__az\x80xdigit\x8109AFaf\x80"

// namedClass returns the ranges of a POSIX class by its name, or "".
func namedClass(name string) string {
	_, text, _ := strings.Cut(namedClasses, "\x80"+name+"\x81")
	text, _, _ = strings.Cut(text, "\x80")
	return text
}
