package headervalue

import (
	"strings"

	"corsguard/filter/fetch"
)

// The functions of this file are small, and called from many places: they are kept out of line, since a copy would be as long as several calls.

// next makes the next word of the rest the one at hand, and reports whether there is one. Words have sep between them, and are neither empty nor have spaces
// around them.
//
//go:noinline
func (c *checker) next(sep byte) bool {
	for c.rest != "" {
		word, rest := c.rest, ""
		if i := strings.IndexByte(word, sep); i >= 0 {
			word, rest = word[:i], word[i+1:]
		}
		c.word, c.rest = fetch.TrimOWS(word), rest
		if c.word != "" {
			return true
		}
	}
	return false
}

// find returns the index of the name in table, without regard to case, or -1.
//
//go:noinline
func find(table []string, name string) int {
	for i := range table {
		if fetch.EqualFold(table[i], name) {
			return i
		}
	}
	return -1
}

// known returns the index in table of the word at hand, which must not have been there in this value. Otherwise it reports so, by message or that it was
// there, and returns -1.
//
//go:noinline
func (c *checker) known(table []string, message string) int {
	i := find(table, c.word)
	switch {
	case i < 0:
		c.unknown(table, "", message)
	case c.seen>>i&1 != 0:
		c.report("has $ twice; write it once")
		i = -1
	default:
		c.seen |= 1 << i
	}
	return i
}

// unknown reports that the word at hand, which should be a name of table between quotes, is none, and says which one may be meant.
//
//go:noinline
func (c *checker) unknown(table []string, quote, message string) {
	if near := Nearest(strings.Trim(c.word, quote), table); near != "" {
		reason, _, _ := strings.Cut(message, "; ")
		message = reason + "; did you mean " + quote + near + quote + "?"
	}
	c.report(message)
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
func number(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = min(n*10+int(s[i]-'0'), 1<<40)
	}
	if s == "" {
		return -1
	}
	return n
}
