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
		l.Exact = append(l.Exact, p.text)
		return
	}
	l.Patterns = append(l.Patterns, *p)
}

// Len returns how many patterns there are.
func (l *List) Len() int { return len(l.Exact) + len(l.Patterns) }

// IsLiteral reports whether p matches one origin: its own text.
func (p *Pattern) IsLiteral() bool { return p.Kind == Exact && p.Port != AnyPort }
