package regex

// Compile compiles s. Errors are of type *Error. The time and the memory are bounded whatever s is: repeats are counted before they are written out.
func Compile(s string) (*Regexp, error) {
	root, err := parse(s)
	if err != nil {
		return nil, err
	}
	c := compiler{r: &Regexp{text: s}}
	whole := c.fragment(root)
	r := c.r
	r.empty = whole.null[beginning|end]
	r.first, r.last = whole.first[beginning], whole.last[end]
	for b := 0; b < 256; b++ {
		var takes Set
		for place := range c.bytes {
			if c.bytes[place].has(byte(b)) {
				takes.put(place)
			}
		}
		r.class[b] = r.classOf(&takes)
	}
	return r, nil
}

// classOf returns the index of s in taking, where it puts it if it is new.
func (r *Regexp) classOf(s *Set) uint8 {
	for i := range r.taking {
		if r.taking[i] == *s {
			return uint8(i)
		}
	}
	r.taking = append(r.taking, *s)
	return uint8(len(r.taking) - 1)
}

// What holds before and after a piece of text. Combined, they tell which assertions hold where an expression matches nothing.
const (
	inside    = 0
	beginning = 1 // of the text, before the piece
	end       = 2 // of the text, after the piece
)

// fragment is what is known of a part of an expression, apart from what comes after what in it.
type fragment struct {
	null  [4]bool // whether it matches the empty string: inside, beginning, end, beginning|end
	first [2]Set  // what it can begin with: inside, beginning
	last  [3]Set  // what it can end with: inside, (unused), end
}

type compiler struct {
	r     *Regexp
	bytes []byteSet // by place: what it takes
}

func (c *compiler) fragment(n *node) fragment {
	switch n.op {
	case opBytes:
		return c.place(n)
	case opBegin:
		return fragment{null: [4]bool{beginning: true, beginning | end: true}}
	case opEnd:
		return fragment{null: [4]bool{end: true, beginning | end: true}}
	case opConcat:
		f := nothing()
		for _, sub := range n.subs {
			next := c.fragment(sub)
			c.concat(&f, &next)
		}
		return f
	case opAlternate:
		var f fragment
		for _, sub := range n.subs {
			alternative := c.fragment(sub)
			f.or(&alternative)
		}
		return f
	case opRepeat:
		return c.repeat(n)
	}
	return nothing()
}

// nothing is the fragment of the empty expression.
func nothing() fragment { return fragment{null: [4]bool{true, true, true, true}} }

func (c *compiler) place(n *node) fragment {
	var f fragment
	var here Set
	here.put(len(c.bytes))
	c.bytes = append(c.bytes, n.bytes)
	c.r.follow = append(c.r.follow, Set{})
	f.first[inside], f.first[beginning], f.last[inside], f.last[end] = here, here, here, here
	return f
}

// concat makes f what f and then g is.
func (c *compiler) concat(f, g *fragment) {
	c.link(&f.last[inside], &g.first[inside])
	for _, at := range [...]int{inside, beginning} {
		if f.null[at] {
			f.first[at].Add(&g.first[at])
		}
	}
	for _, at := range [...]int{inside, end} {
		if !g.null[at] {
			f.last[at] = Set{}
		}
		f.last[at].Add(&g.last[at])
	}
	for at := range f.null {
		f.null[at] = f.null[at] && g.null[at]
	}
}

// or makes f what f or g is.
func (f *fragment) or(g *fragment) {
	for at := range f.null {
		f.null[at] = f.null[at] || g.null[at]
	}
	for at := range f.first {
		f.first[at].Add(&g.first[at])
	}
	for at := range f.last {
		f.last[at].Add(&g.last[at])
	}
}

// repeat writes x{min,max} out: x min times, then (x?) up to max times; without a max the last x loops.
func (c *compiler) repeat(n *node) fragment {
	f := nothing()
	times := n.max
	if n.max == unbounded {
		times = max(n.min, 1)
	}
	for i := 0; i < times; i++ {
		next := c.fragment(n.subs[0])
		if n.max == unbounded && i == times-1 {
			c.link(&next.last[inside], &next.first[inside])
		}
		if i >= n.min {
			next.null = nothing().null
		}
		c.concat(&f, &next)
	}
	return f
}

// link lets each place of to come after each one of from.
func (c *compiler) link(from, to *Set) {
	for place := range c.r.follow {
		if from.has(place) {
			c.r.follow[place].Add(to)
		}
	}
}
