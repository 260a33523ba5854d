package regex

import "strings"

// escaped reads an escape outside of a class.
func (p *parser) escaped(n *node) {
	if p.perl(&n.bytes) {
		return
	}
	switch {
	case p.cut(`\A`):
		n.op = opBegin
	case p.cut(`\z`):
		n.op = opEnd
	default:
		p.literal(&n.bytes, p.escape())
	}
}

// perl cuts \d, \s, \w and their negations off and adds them to s.
func (p *parser) perl(s *byteSet) bool {
	if len(p.rest) < 2 || p.rest[0] != '\\' {
		return false
	}
	text := perlClass(p.rest[1] | 0x20)
	if text == "" {
		return false
	}
	p.addClass(s, text, p.rest[1]&0x20 == 0)
	p.rest = p.rest[2:]
	return true
}

// addClass adds the ranges of text to s, or all but those.
func (p *parser) addClass(s *byteSet, text string, negated bool) {
	class := ranges(text)
	if p.fold {
		class.fold()
	}
	if negated {
		class.negate()
	}
	s.addSet(&class)
}

// escape cuts an escape off that stands for one character.
func (p *parser) escape() byte {
	if len(p.rest) < 2 {
		p.fail("ends in a backslash", `write \\ for the character`)
		return 0
	}
	c := p.rest[1]
	p.rest = p.rest[2:]
	switch c {
	case 'a':
		return '\a'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'v':
		return '\v'
	case 'x':
		return p.hex()
	case 'b', 'B':
		p.fail("has a word boundary", "write the characters that may stand there")
	case 'p', 'P':
		p.fail("has a Unicode class", "write an ASCII class such as [a-z] or [[:alpha:]]")
	case 'C', 'Q', 'E':
		p.fail(`has \`+string(rune(c))+", which is not supported", "write the characters, each one that means something else with a backslash before it")
	case 'A', 'z', 'Z', 'G':
		p.fail(`has \`+string(rune(c))+" where none can be", `write ^ and $, or nothing: the whole text is matched`)
	}
	switch {
	case c >= '0' && c <= '9':
		p.fail("has a backreference or an octal escape", `write \x41 for a character by its number; backreferences are not in RE2`)
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		p.fail("has an escape that means nothing", "write letters without a backslash")
	}
	return c
}

// hex reads what follows \x: two digits, or any number of them in braces.
func (p *parser) hex() byte {
	var digits, rest string
	if p.cut("{") {
		var closed bool
		if digits, rest, closed = strings.Cut(p.rest, "}"); !closed {
			digits = ""
		}
	} else if len(p.rest) >= 2 {
		digits, rest = p.rest[:2], p.rest[2:]
	}
	n, ok := 0, digits != ""
	for i := 0; i < len(digits); i++ {
		c := digits[i]
		switch {
		case c >= '0' && c <= '9':
			n = n*16 + int(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			n = n*16 + int(c|0x20-'a') + 10
		default:
			ok = false
		}
		n = min(n, 0x80)
	}
	switch {
	case !ok:
		p.fail(`has a malformed \x escape`, `write two hexadecimal digits, as in \x41`)
	case n >= 0x80:
		p.fail("has a character outside of ASCII", `write characters of \x00 to \x7f`)
	default:
		p.rest = rest
	}
	return byte(n)
}

// class reads a class in brackets and adds it to s.
func (p *parser) class(s *byteSet) {
	negated := p.cut("[^")
	if !negated {
		p.cut("[")
	}
	// A ] that comes first is a character.
	for first := true; first || !p.cut("]"); first = false {
		if p.rest == "" {
			p.fail("has a class that is not closed", `write ] at its end, or \[ for the character`)
			return
		}
		if !p.named(s) && !p.perl(s) {
			p.classRange(s)
		}
	}
	if negated {
		s.negate()
	}
}

// named cuts a class such as [:alpha:] or [:^alpha:] off and adds it to s. Without a :] anywhere behind, the bracket is a character.
func (p *parser) named(s *byteSet) bool {
	if !p.cut("[:") {
		return false
	}
	name, rest, ok := strings.Cut(p.rest, ":]")
	if !ok {
		p.rest = "[:" + p.rest
		return false
	}
	p.rest = rest
	name, negated := strings.CutPrefix(name, "^")
	text := namedClass(name)
	if text == "" {
		p.fail("has a named class that there is not", `write one such as [[:alpha:]], or \[ for the character`)
	}
	p.addClass(s, text, negated)
	return true
}

// classRange reads a character of a class, or a range of them. A hyphen that is the last one in its class is a character.
func (p *parser) classRange(s *byteSet) {
	low := p.classByte()
	high := low
	if len(p.rest) >= 2 && p.rest[0] == '-' && p.rest[1] != ']' {
		p.rest = p.rest[1:]
		high = p.classByte()
	}
	if high < low {
		p.fail("has a range in a class that runs backwards, or ends in a class", `write the lesser character first, or \- for a hyphen`)
		return
	}
	s.addRange(low, high)
	if p.fold {
		s.fold()
	}
}

func (p *parser) classByte() byte {
	c := p.rest[0]
	if c == '\\' {
		return p.escape()
	}
	p.rest = p.rest[1:]
	return c
}
