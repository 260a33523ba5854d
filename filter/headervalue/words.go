package headervalue

import (
	"strings"

	"corsguard/filter/fetch"
)

// The functions of this file are small, and called from many places: they are kept out of line, since a copy would be as long as several calls. Lists are
// strings of words with spaces between them.

// next makes the next word of the rest the one at hand, and reports whether there is one. Words have sep between them, are not empty, and have no spaces around
// them. There are no more where there are so many mistakes that others would not be shown.
//
//go:noinline
func (c *checker) next(sep byte) bool {
	for c.rest != "" && c.errors < maxFindings {
		c.word, c.rest, _ = split(c.rest, sep)
		if c.word != "" {
			return true
		}
	}
	return false
}

// split returns what stands before the first sep in s and behind it, both without spaces around them, and whether there is one.
//
//go:noinline
func split(s string, sep byte) (before, after string, found bool) {
	i := strings.IndexByte(s, sep)
	if i >= 0 {
		s, after = s[:i], trim(s[i+1:], " ")
	}
	return trim(s, " "), after, i >= 0
}

// find returns the place of word in list, without regard to case, or -1.
//
//go:noinline
func find(list, word string) int {
	for i, more := 0, true; more; i++ {
		name, rest := list, ""
		if n := strings.IndexByte(list, ' '); n >= 0 {
			name, rest = list[:n], list[n+1:]
		}
		if fetch.EqualFold(name, word) {
			return i
		}
		list, more = rest, rest != ""
	}
	return -1
}

// known returns the place in list of the word at hand, which must not have been there in this value. Otherwise it reports so, by message or that it was there,
// and returns -1.
//
//go:noinline
func (c *checker) known(list, message string) int {
	i := find(list, c.word)
	if i < 0 {
		c.unknown(list, message)
	} else if bit := uint64(1) << (i & 63); c.seen&bit == 0 {
		c.seen |= bit
	} else {
		c.report("has $ twice; write it once")
		i = -1
	}
	return i
}

// unknown reports, by message, that the word at hand is none of list, and says which one may be meant. Without a fix, message is for that case alone.
//
//go:noinline
func (c *checker) unknown(list, message string) {
	i := strings.IndexByte(message, ';') + 1
	if near := Nearest(c.word, fields(list)); near != "" {
		message = message[:i] + " did you mean " + near + "?"
	}
	if i < len(message) {
		c.report(message)
	}
}

// isLower reports whether s has no upper-case letter of ASCII.
//
//go:noinline
func isLower(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' {
			return false
		}
	}
	return true
}

// span returns how many of the first bytes of s are letters, digits or among marks.
//
//go:noinline
func span(s, marks string) int {
	for i := 0; i < len(s); i++ {
		if b := s[i]; (b|0x20 < 'a' || b|0x20 > 'z') && (b < '0' || b > '9') && strings.IndexByte(marks, b) < 0 {
			return i
		}
	}
	return len(s)
}

// number returns the number that s, digits, is, or -1. One that is greater than any that is allowed somewhere comes back as some other that is.
//
//go:noinline
func number(s string) int64 {
	n := int64(0)
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = min(n*10+int64(s[i]-'0'), 1<<40)
	}
	if s == "" {
		return -1
	}
	return n
}

// What follows is what package strings has, for ASCII alone: that one is as large as the rest of this package.

// indexAny returns where the first byte of set stands in s, -1 where none does.
func indexAny(s, set string) int {
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(set, s[i]) >= 0 {
			return i
		}
	}
	return -1
}

// trimLeft returns s without the bytes of set that it begins with.
func trimLeft(s, set string) string {
	for s != "" && strings.IndexByte(set, s[0]) >= 0 {
		s = s[1:]
	}
	return s
}

// trimRight returns s without the bytes of set that it ends with.
func trimRight(s, set string) string {
	for s != "" && strings.IndexByte(set, s[len(s)-1]) >= 0 {
		s = s[:len(s)-1]
	}
	return s
}

func trim(s, set string) string { return trimLeft(trimRight(s, set), set) }

// fields returns the words of s, which have one space between them.
func fields(s string) []string {
	var all []string
	for more := true; more; {
		var word string
		word, s, more = strings.Cut(s, " ")
		all = append(all, word)
	}
	return all
}
