package document

import (
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"corsguard/cmd/corsguard/internal/finding"
)

// text is a file, or a string in one that is read as JSON or YAML itself. It is immutable.
type text struct {
	file string
	data string
	// outer is the text that this one is a string of, nil for a file. marks lead to it: from each one's inner offset on, offsets differ by the same number.
	outer *text
	marks []mark
	// fixed: all of this text is at one place of the outer one, since it is encoded there.
	fixed bool
	lines []int // offsets of the beginnings of lines, of a file
}

// byteOrderMark is what some editors begin a file with. It takes no column.
const byteOrderMark = "\ufeff"

type mark struct{ inner, outer int }

func newFile(name string, data []byte) *text {
	t := &text{file: name, data: string(data), lines: []int{0}}
	if strings.HasPrefix(t.data, byteOrderMark) {
		t.lines[0] = len(byteOrderMark)
	}
	for i := 0; i < len(t.data); i++ {
		if t.data[i] == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// place returns the line and column of an offset of t, in the file.
func (t *text) place(offset int) finding.Place {
	for t.outer != nil {
		offset = t.outward(offset)
		t = t.outer
	}
	offset = max(t.lines[0], min(offset, len(t.data)))
	line := sort.SearchInts(t.lines, offset+1) - 1
	return finding.Place{File: t.file, Line: line + 1, Column: utf8.RuneCountInString(t.data[t.lines[line]:offset]) + 1}
}

// outward returns where in the outer text an offset of t is.
func (t *text) outward(offset int) int {
	n, found := slices.BinarySearchFunc(t.marks, offset, func(m mark, offset int) int { return m.inner - offset })
	if !found {
		n--
	}
	m := t.marks[max(n, 0)]
	if t.fixed {
		return m.outer
	}
	return m.outer + max(0, offset-m.inner)
}

// fixedAt returns a text that is encoded at an offset of t.
func (t *text) fixedAt(offset int, data string) *text {
	return &text{file: t.file, data: data, outer: t, marks: []mark{{0, offset}}, fixed: true}
}

// within returns data, the value of the scalar that begins at an offset of t, as a text. Both are gone through side by side, white space apart: styles of scalars fold and indent
// that, and leave all else alone but for escapes.
func (t *text) within(offset int, data string) *text {
	inner := t.fixedAt(offset, data)
	s := newScalar(t.data, offset)
	marks := []mark{{0, s.at}}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRuneInString(data[i:])
		if unicode.IsSpace(r) {
			i += size
			continue
		}
		at, same := s.next(r)
		if !same {
			return inner
		}
		switch last := &marks[len(marks)-1]; {
		case at-i == last.outer-last.inner:
		case i == last.inner:
			last.outer = at
		default:
			marks = append(marks, mark{i, at})
		}
		i += size
	}
	inner.marks, inner.fixed = marks, false
	return inner
}

// scalar goes through the source of a scalar of YAML or JSON.
type scalar struct {
	src   string
	at    int
	quote byte // '"', '\'', or 0
}

func newScalar(src string, at int) *scalar {
	s := &scalar{src: src, at: min(at, len(src))}
	// An anchor and a tag.
	for s.at < len(src) && (src[s.at] == '&' || src[s.at] == '!') {
		rest := src[s.at+len(notSpace(src[s.at:])):]
		s.at = len(src) - len(strings.TrimLeft(rest, " \t\r\n"))
	}
	if s.at == len(src) {
		return s
	}
	switch c := src[s.at]; c {
	case '"', '\'':
		s.quote = c
		s.at++
	case '|', '>':
		if end := strings.IndexByte(src[s.at:], '\n'); end >= 0 {
			s.at += end + 1
		}
	}
	return s
}

// notSpace returns the bytes of s before its first white space.
func notSpace(s string) string {
	if end := strings.IndexAny(s, " \t\r\n"); end >= 0 {
		return s[:end]
	}
	return s
}

// next goes on to the next character that is no white space, and reports whether it is want, and where.
func (s *scalar) next(want rune) (at int, same bool) {
	for s.at < len(s.src) {
		at := s.at
		r, size := utf8.DecodeRuneInString(s.src[at:])
		switch {
		case s.quote == '"' && r == '\\':
			r, size = escape(s.src[at:])
		case s.quote == '\'' && strings.HasPrefix(s.src[at:], "''"):
			size = 2
		}
		s.at += size
		if !unicode.IsSpace(r) {
			return at, r == want
		}
	}
	return s.at, false
}

// escape reads the escape sequence of a double-quoted scalar of YAML, or string of JSON, at the beginning of s. What is empty is a space.
func escape(s string) (rune, int) {
	if len(s) < 2 {
		return utf8.RuneError, len(s)
	}
	switch s[1] {
	case 'x':
		return hexRune(s, 2), min(4, len(s))
	case 'u':
		r := hexRune(s, 4)
		if r >= 0xd800 && r < 0xe000 { // JSON writes what is beyond 16 bits in two halves
			if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
				if low := hexRune(s[6:], 4); r < 0xdc00 && low >= 0xdc00 && low < 0xe000 {
					return (r-0xd800)<<10 | (low - 0xdc00) + 0x10000, 12
				}
			}
			r = utf8.RuneError
		}
		return r, min(6, len(s))
	case 'U':
		return hexRune(s, 8), min(10, len(s))
	}
	const names, values = "0abtnvfreN_LP", "\x00\a\b\t\n\v\f\r\x1b\u0085\u00a0\u2028\u2029"
	r, size := utf8.DecodeRuneInString(s[1:])
	if i := strings.IndexRune(names, r); i >= 0 {
		return []rune(values)[i], 1 + size
	}
	return r, 1 + size
}

// hexRune returns the character that the digits behind the second byte of s are the number of.
func hexRune(s string, digits int) rune {
	if len(s) < 2+digits {
		return utf8.RuneError
	}
	var r rune
	for _, c := range []byte(strings.ToLower(s[2 : 2+digits])) {
		i := strings.IndexByte("0123456789abcdef", c)
		if i < 0 {
			return utf8.RuneError
		}
		r = r<<4 | rune(i)
	}
	return r
}
