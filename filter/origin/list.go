package origin

// List is a list of patterns as data. There may be very many exact origins in it, so these are kept as text alone.
type List struct {
	// Exact holds the origins that are meant to the letter: patterns without a wildcard in the host or the port.
	Exact []string
	// Patterns holds all others.
	Patterns []Pattern
}

// Add puts p into the list.
func (l *List) Add(p *Pattern) {
	if p.IsLiteral() {
		l.Exact = append(withRoom(l.Exact), p.text)
		return
	}
	l.Patterns = append(withRoom(l.Patterns), *p)
}

// withRoom returns s with room for one more. It doubles: append takes smaller steps with a long slice, which leaves more behind, and memory of the VM never goes back.
func withRoom[E any](s []E) []E {
	if len(s) < cap(s) {
		return s
	}
	return append(make([]E, 0, 2*len(s)+4), s...)
}

// Len returns how many patterns there are.
func (l *List) Len() int { return len(l.Exact) + len(l.Patterns) }

// IsLiteral reports whether p matches one origin: its own text.
func (p *Pattern) IsLiteral() bool { return p.Kind == Exact && p.Port != AnyPort }
