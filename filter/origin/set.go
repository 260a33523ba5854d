package origin

// Verdict is what a Set says of an origin.
type Verdict uint8

const (
	// Malformed: no tuple origin as browsers serialise it, and no pattern lists it.
	Malformed Verdict = iota
	// Unlisted: well-formed, and no pattern matches.
	Unlisted
	// Listed: a pattern matches.
	Listed
)

// Set finds an origin among patterns. The zero Set matches nothing; patterns are added with Add, and once Match is in use no more. Match
// does not allocate, and any number of goroutines may call it at once.
//
// Exact patterns are keys of a hash set. Wildcards hang in a tree over the labels of the host, read from the right: a node is what stands to
// the right of a wildcard. So Match costs a few look-ups for each label of the origin, however many patterns there are.
type Set struct {
	exact map[string]struct{}
	// open holds origins whose port is left open, without it.
	open map[string]struct{}
	// anyHost holds schemes of which every host matches.
	anyHost map[string]struct{}
	any     bool

	// edges leads from a node by a label to the node of one more label. Node 0 is the root.
	edges   map[edge]int32
	nodes   []node
	subs    map[subKey]struct{}
	inLabel map[inLabelKey]struct{}
}

type (
	edge struct {
		from  int32
		label string
	}
	node struct {
		subdomains bool
		// shapes lists the distinct lengths of Before and After among the in-label patterns of the node: at most one for each way to lay a
		// wildcard into a label, whatever the number of patterns.
		shapes []shape
	}
	shape  struct{ before, after uint8 }
	subKey struct {
		node   int32
		scheme string
		port   int32
	}
	inLabelKey struct {
		node                int32
		before, after, left string
		scheme              string
		port                int32
	}
)

// Add adds p to the set.
func (s *Set) Add(p *Pattern) {
	switch p.Kind {
	case Any:
		s.any = true
	case AnyHost:
		put(&s.anyHost, p.Scheme)
	case Exact:
		if p.Port == AnyPort {
			put(&s.open, p.text[:len(p.text)-len(":*")])
		} else {
			put(&s.exact, p.text)
		}
	case Subdomains:
		n := s.node(p.Host)
		s.nodes[n].subdomains = true
		put(&s.subs, subKey{n, p.Scheme, p.Port})
	case InLabel:
		n := s.node(p.Host)
		s.nodes[n].addShape(shape{uint8(len(p.Before)), uint8(len(p.After))})
		put(&s.inLabel, inLabelKey{n, p.Before, p.After, p.Left, p.Scheme, p.Port})
	}
}

//go:noinline
func put[K comparable](m *map[K]struct{}, k K) {
	if *m == nil {
		*m = map[K]struct{}{}
	}
	(*m)[k] = struct{}{}
}

// node returns the node of host, and makes it and those on the way where they are missing.
func (s *Set) node(host string) int32 {
	if s.nodes == nil {
		s.nodes, s.edges = []node{{}}, map[edge]int32{}
	}
	at := int32(0)
	for host != "" {
		rest, label := cutLastLabel(host)
		next, ok := s.edges[edge{at, label}]
		if !ok {
			next = int32(len(s.nodes))
			s.nodes = append(s.nodes, node{})
			s.edges[edge{at, label}] = next
		}
		at, host = next, rest
	}
	return at
}

func (n *node) addShape(sh shape) {
	for _, have := range n.shapes {
		if have == sh {
			return
		}
	}
	n.shapes = append(n.shapes, sh)
}

// cutLastLabel splits host before its last label; the dot between is in neither part.
func cutLastLabel(host string) (rest, label string) {
	for i := len(host) - 1; i >= 0; i-- {
		if host[i] == '.' {
			return host[:i], host[i+1:]
		}
	}
	return "", host
}

// Match looks up s, the value of an Origin header. It reads at most MaxLen bytes of it.
func (s *Set) Match(value string) Verdict {
	if len(value) > MaxLen {
		return Malformed
	}
	// What is listed to the letter was checked when the pattern was parsed.
	if _, ok := s.exact[value]; ok {
		return Listed
	}
	o, ok := Parse(value)
	if !ok {
		return Malformed
	}
	if s.any || s.matchWildcards(value, &o) {
		return Listed
	}
	return Unlisted
}

func (s *Set) matchWildcards(value string, o *Origin) bool {
	if _, ok := s.anyHost[o.Scheme]; ok {
		return true
	}
	if _, ok := s.open[value[:len(o.Scheme)+len("://")+len(o.Host)]]; ok {
		return true
	}
	if s.nodes == nil {
		return false
	}
	at, rest := int32(0), o.Host
	for rest != "" {
		left, label := cutLastLabel(rest)
		n := &s.nodes[at]
		if n.subdomains && s.hasSub(at, o) {
			return true
		}
		if len(n.shapes) > 0 && s.matchInLabel(at, rest[:len(rest)-len(label)], label, o) {
			return true
		}
		next, ok := s.edges[edge{at, label}]
		if !ok {
			return false
		}
		at, rest = next, left
	}
	return false
}

func (s *Set) hasSub(at int32, o *Origin) bool {
	if _, ok := s.subs[subKey{at, o.Scheme, o.Port}]; ok {
		return true
	}
	_, ok := s.subs[subKey{at, o.Scheme, AnyPort}]
	return ok
}

func (s *Set) matchInLabel(at int32, left, label string, o *Origin) bool {
	for _, sh := range s.nodes[at].shapes {
		before, after := int(sh.before), len(label)-int(sh.after)
		if before >= after || !isWildcardText(label[before:after]) {
			continue
		}
		k := inLabelKey{at, label[:before], label[after:], left, o.Scheme, o.Port}
		if _, ok := s.inLabel[k]; ok {
			return true
		}
		k.port = AnyPort
		if _, ok := s.inLabel[k]; ok {
			return true
		}
	}
	return false
}

func isWildcardText(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isWildcardByte(s[i]) {
			return false
		}
	}
	return true
}
