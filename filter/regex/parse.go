package regex

import "strings"

type op uint8

const (
	opEmpty     op = iota // the empty string
	opBytes               // one byte of bytes
	opBegin               // ^ and \A
	opEnd                 // $ and \z
	opConcat              // subs, one after the other
	opAlternate           // one of subs
	opRepeat              // subs[0], min to max times
)

// unbounded is the max of a repeat without one.
const unbounded = -1

// node is a part of a parsed expression.
type node struct {
	op       op
	bytes    byteSet
	subs     []*node
	min, max int
	// states counts the leaves below, repeats written out. Every node has one at least, so that nothing can be repeated without being counted.
	states int
}

// parser reads an expression from the left.
type parser struct {
	rest  string
	depth int
	fold  bool
	names string // of groups, each one with a > at both ends
	err   error
}

//go:noinline
func (p *parser) fail(reason, fix string) {
	if p.err == nil {
		p.err = &Error{Reason: reason, Fix: fix}
	}
	p.rest = ""
}

// cut cuts prefix off the rest, if it begins so.
//
//go:noinline
func (p *parser) cut(prefix string) bool {
	rest, ok := strings.CutPrefix(p.rest, prefix)
	p.rest = rest
	return ok
}

func parse(s string) (*node, error) {
	p := parser{rest: s}
	if len(s) > MaxLen {
		p.fail("is longer than 512 bytes", "write several shorter ones")
		return nil, p.err
	}
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			p.fail("has a character outside of ASCII", "write what is sent: hosts in their xn-- form, paths percent-encoded")
			return nil, p.err
		}
	}
	p.fold = p.cut("(?i)")
	root := p.alternatives()
	if p.err == nil && p.rest != "" {
		p.fail("has a ) that closes nothing", `write \) for the character`)
	}
	if p.err != nil {
		return nil, p.err
	}
	return root, nil
}

// alternatives reads to the end of the group that p is in.
func (p *parser) alternatives() *node {
	n := p.sequence()
	if p.rest == "" || p.rest[0] != '|' {
		return n
	}
	all := &node{op: opAlternate, subs: []*node{n}, states: n.states}
	for p.rest != "" && p.rest[0] == '|' {
		p.rest = p.rest[1:]
		p.add(all, p.sequence())
	}
	return all
}

func (p *parser) sequence() *node {
	all := &node{op: opConcat}
	for p.rest != "" && p.rest[0] != '|' && p.rest[0] != ')' {
		p.add(all, p.repeated())
	}
	switch len(all.subs) {
	case 0:
		return &node{op: opEmpty, states: 1}
	case 1:
		return all.subs[0]
	}
	return all
}

func (p *parser) add(all, n *node) {
	all.subs = append(all.subs, n)
	all.states += n.states
	p.count(all.states)
}

func (p *parser) count(states int) {
	if states > MaxStates {
		p.fail("has more than 256 states, with repeats written out", "write smaller repeat counts, or several shorter expressions")
	}
}

// repeated reads an atom and its repeat, if it has one.
func (p *parser) repeated() *node {
	if _, _, ok := p.repeat(); ok {
		p.fail("has a repeat with nothing before it to repeat", `write a backslash before *, +, ? or { for the character`)
	}
	n := p.atom()
	least, most, ok := p.repeat()
	if !ok {
		return n
	}
	p.cut("?") // lazy, which makes no difference to whole matches
	if _, _, ok := p.repeat(); ok {
		p.fail("repeats a repeat", "write one repeat, or put the inner one into a group")
	}
	switch {
	case least > 1000 || most > 1000:
		p.fail("repeats more than 1000 times", "write a smaller count")
	case most != unbounded && least > most:
		p.fail("has a repeat whose least count is the greater one", "write {least,most}")
	}
	r := &node{op: opRepeat, subs: []*node{n}, min: least, max: most, states: n.states * max(least, most, 1)}
	p.count(r.states)
	return r
}

// repeat cuts a repeat off, if the rest begins with one. A brace that begins none is a character.
func (p *parser) repeat() (least, most int, ok bool) {
	switch {
	case p.cut("*"):
		return 0, unbounded, true
	case p.cut("+"):
		return 1, unbounded, true
	case p.cut("?"):
		return 0, 1, true
	}
	before := p.rest
	if p.cut("{") {
		if least, ok = p.number(); ok {
			most = least
			if p.cut(",") {
				if most, ok = p.number(); !ok {
					most = unbounded
				}
			}
			if p.cut("}") {
				return least, most, true
			}
		}
		p.rest = before
	}
	return 0, 0, false
}

// number cuts a decimal number without leading zeros off. One that is too large for a count comes back as some other that is.
func (p *parser) number() (n int, ok bool) {
	s, i := p.rest, 0
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		n = min(n*10+int(s[i]-'0'), 9999)
	}
	if i == 0 || i > 1 && s[0] == '0' {
		return 0, false
	}
	p.rest = s[i:]
	return n, true
}

// atom reads what a repeat would repeat. The rest is not empty, unless there was an error.
func (p *parser) atom() *node {
	n := &node{op: opBytes, states: 1}
	if p.rest == "" {
		return n
	}
	c := p.rest[0]
	switch c {
	case '(':
		return p.group()
	case '[':
		p.class(&n.bytes)
		return n
	case '\\':
		p.escaped(n)
		return n
	}
	p.rest = p.rest[1:]
	switch c {
	case '^':
		n.op = opBegin
	case '$':
		n.op = opEnd
	case '.':
		n.bytes = ranges("\n\n")
		n.bytes.negate()
	default:
		p.literal(&n.bytes, c)
	}
	return n
}

func (p *parser) literal(s *byteSet, c byte) {
	s.addRange(c, c)
	if p.fold {
		s.fold()
	}
}

func (p *parser) group() *node {
	p.rest = p.rest[1:]
	if p.cut("?") {
		p.groupKind()
	}
	if p.depth++; p.depth > MaxDepth {
		p.fail("has more than 50 groups inside of each other", "write fewer")
	}
	n := p.alternatives()
	p.depth--
	if p.err == nil && p.rest == "" {
		p.fail("has a group that is not closed", `write ) at its end, or \( for the character`)
	}
	p.cut(")")
	return n
}

// groupKind cuts off what tells the kind of a group, after its question mark.
func (p *parser) groupKind() {
	if p.cut(":") {
		return
	}
	if p.cut("=") || p.cut("!") || p.cut("<=") || p.cut("<!") {
		p.fail("looks ahead or behind, which RE2 does not have", "write what shall match")
		return
	}
	if !p.cut("P<") && !p.cut("<") {
		p.fail("has a flag, or a kind of group, that is not supported", "write (?i) at the very start, or no flag, and groups as (…), (?:…) or (?P<name>…)")
		return
	}
	s, i := p.rest, 0
	for word := ranges(perlClass('w')); i < len(s) && word.has(s[i]); i++ {
	}
	if i == 0 || i == len(s) || s[i] != '>' {
		p.fail("has a group with a malformed name", "write (?P<name>…) with a name of letters, digits and _")
		return
	}
	p.rest = s[i+1:]
	if name := ">" + s[:i+1]; strings.Contains(p.names, name) {
		p.fail("has two groups of the same name", "leave the names out: nothing refers to them")
	} else {
		p.names += name
	}
}
