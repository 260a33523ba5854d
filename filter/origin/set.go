package origin

import "corsguard/filter/regex"

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

// Set finds an origin among patterns, each of which belongs to a group: a small number. Where patterns of several groups match, the least counts. The zero
// Set matches nothing. Patterns are added group by group, in ascending order, and once Match is in use no more. Match does not allocate, and any
// number of goroutines may call it at once.
//
// Exact patterns are keys of a hash map. Wildcards hang in a tree over the labels of the host, read from the right: a node is what stands to
// the right of a wildcard. So Match costs a few look-ups for each label of the origin, however many patterns there are. Regular expressions are asked
// one by one, after all others and only where they can still win; an origin for which they would take too long is not listed.
type Set struct {
	exact groups[string]
	// open holds origins whose port is left open, without it.
	open groups[string]
	// anyHost holds schemes of which every host matches.
	anyHost groups[string]
	hasAny  bool
	any     int32 // the group of `*`

	// edges leads from a node by a label to the node of one more label. Node 0 is the root.
	edges   map[edge]int32
	nodes   []node
	subs    groups[subKey]
	inLabel groups[inLabelKey]
	regexes []groupedRegex // in ascending order of groups
}

type (
	// groups tells the least group of each key.
	groups[K comparable] map[K]int32

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
	groupedRegex struct {
		*regex.Regexp
		group int32
	}
)

// Len returns how many patterns and labels the set holds.
func (s *Set) Len() int {
	return len(s.exact) + len(s.open) + len(s.anyHost) + len(s.nodes) + len(s.subs) + len(s.inLabel) + len(s.regexes)
}

// Reset empties the set and keeps its memory. It must not be in use.
func (s *Set) Reset() {
	clear(s.exact)
	clear(s.open)
	clear(s.anyHost)
	clear(s.edges)
	clear(s.subs)
	clear(s.inLabel)
	clear(s.nodes)
	clear(s.regexes)
	s.hasAny, s.regexes = false, s.regexes[:0]
	s.nodes = s.nodes[:min(1, len(s.nodes))] // the root
}

// noGroup is behind all groups.
const noGroup int32 = 1<<31 - 1

// AddList adds all patterns of l to the set, as those of group.
func (s *Set) AddList(l *List, group int32) {
	if s.exact == nil {
		s.exact = make(groups[string], len(l.Exact))
	}
	for _, text := range l.Exact {
		put(&s.exact, text, group)
	}
	for i := range l.Patterns {
		s.Add(&l.Patterns[i], group)
	}
}

// Add adds p to the set, as a pattern of group.
func (s *Set) Add(p *Pattern, group int32) {
	switch p.Kind {
	case Any:
		if !s.hasAny {
			s.hasAny, s.any = true, group
		}
	case AnyHost:
		put(&s.anyHost, p.Scheme, group)
	case Exact:
		if p.Port == AnyPort {
			put(&s.open, p.withoutPort(), group)
		} else {
			put(&s.exact, p.text, group)
		}
	case Subdomains:
		n := s.node(p.Host)
		s.nodes[n].subdomains = true
		put(&s.subs, subKey{n, p.Scheme, p.Port}, group)
	case InLabel:
		n := s.node(p.Host)
		s.nodes[n].addShape(shape{uint8(len(p.Before)), uint8(len(p.After))})
		put(&s.inLabel, inLabelKey{n, p.Before, p.After, p.Left, p.Scheme, p.Port}, group)
	case Regex:
		s.regexes = append(s.regexes, groupedRegex{p.Regex, group})
	}
}

// withoutPort returns the text of a pattern that leaves the port open, without its last two bytes.
func (p *Pattern) withoutPort() string { return p.text[:len(p.text)-len(":*")] }

//go:noinline
func put[K comparable](m *groups[K], k K, group int32) {
	if *m == nil {
		*m = groups[K]{}
	}
	if _, ok := (*m)[k]; !ok {
		(*m)[k] = group
	}
}

// least returns the lesser of group and that of k.
func (m groups[K]) least(k K, group int32) int32 {
	if g, ok := m[k]; ok && g < group {
		return g
	}
	return group
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
			s.nodes = append(withRoom(s.nodes), node{})
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

// Match looks up value, that of an Origin header, and returns the group that lists it. It reads at most MaxLen bytes of it.
func (s *Set) Match(value string) (Verdict, int32) {
	steps := regex.MaxSteps
	return s.MatchWithin(value, &steps)
}

// MatchWithin is Match with a bound on the steps of all regular expressions, which it takes off steps. Where these do not suffice, it leaves less than none, and
// the origin is not listed: who knows it first remains open.
func (s *Set) MatchWithin(value string, steps *int) (Verdict, int32) {
	if len(value) > MaxLen {
		return Malformed, noGroup
	}
	group, exact := s.exact[value]
	switch {
	case !exact:
		group = noGroup
	case group == 0:
		return Listed, 0 // what is listed to the letter was checked when the pattern was parsed
	}
	o, ok := Parse(value)
	if !ok {
		return Malformed, noGroup
	}
	if group = s.matchPatterns(value, &o, group, steps); group != noGroup {
		return Listed, group
	}
	return Unlisted, noGroup
}

// matchPatterns returns the least of group and those of the patterns that match.
func (s *Set) matchPatterns(value string, o *Origin, group int32, steps *int) int32 {
	if s.hasAny {
		group = min(group, s.any)
	}
	group = s.anyHost.least(o.Scheme, group)
	group = s.open.least(value[:len(o.Scheme)+len("://")+len(o.Host)], group)
	if s.nodes != nil {
		group = s.matchHost(o, group)
	}
	for i := range s.regexes {
		re := &s.regexes[i]
		if re.group >= group {
			break
		}
		switch {
		case re.MatchWithin(value, steps):
			return re.group
		case *steps < 0:
			return noGroup
		}
	}
	return group
}

// matchHost goes down the tree and returns the least of group and those of the wildcards that match o.
func (s *Set) matchHost(o *Origin, group int32) int32 {
	at, rest := int32(0), o.Host
	for rest != "" {
		left, label := cutLastLabel(rest)
		n := &s.nodes[at]
		if n.subdomains {
			group = s.subs.least(subKey{at, o.Scheme, o.Port}, group)
			group = s.subs.least(subKey{at, o.Scheme, AnyPort}, group)
		}
		if len(n.shapes) > 0 {
			group = s.matchInLabel(at, rest[:len(rest)-len(label)], label, o, group)
		}
		next, ok := s.edges[edge{at, label}]
		if !ok || group == 0 {
			break
		}
		at, rest = next, left
	}
	return group
}

func (s *Set) matchInLabel(at int32, left, label string, o *Origin, group int32) int32 {
	for _, sh := range s.nodes[at].shapes {
		before, after := int(sh.before), len(label)-int(sh.after)
		if before >= after || !isWildcardText(label[before:after]) {
			continue
		}
		k := inLabelKey{at, label[:before], label[after:], left, o.Scheme, o.Port}
		group = s.inLabel.least(k, group)
		k.port = AnyPort
		group = s.inLabel.least(k, group)
	}
	return group
}

func isWildcardText(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isWildcardByte(s[i]) {
			return false
		}
	}
	return true
}
