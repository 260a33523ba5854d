package origin

// Covers reports whether a single pattern of the set matches everything that p matches, so that behind the set p never wins. What only several of
// them match together, or a regular expression matches of a wildcard, is not found. The cost is that of Match, but for a literal pattern: ask MatchWithin for that.
func (s *Set) Covers(p *Pattern) bool {
	if s.hasAny {
		return true
	}
	if _, ok := s.anyHost[p.Scheme]; ok && p.Scheme != "" {
		return true
	}
	switch p.Kind {
	case Exact:
		if p.Port != AnyPort {
			v, _ := s.Match(p.text)
			return v == Listed
		}
		_, ok := s.open[p.withoutPort()]
		return ok || s.coversHost(p, p.Host)
	case Subdomains:
		// A name under it stands for all of them: what takes them has its wildcard at Host, or to the right of it.
		return s.coversHost(p, "*."+p.Host)
	case InLabel:
		return s.coversHost(p, p.Left+p.Before+"*"+p.After+"."+p.Host)
	case Regex:
		for i := range s.regexes {
			if s.regexes[i].String() == p.Regex.String() {
				return true
			}
		}
	}
	return false
}

// coversHost goes down the tree along host, in which a wildcard is a `*`, and looks for a wildcard that takes all of p.
func (s *Set) coversHost(p *Pattern, host string) bool {
	if s.nodes == nil {
		return false
	}
	at, rest := int32(0), host
	for rest != "" {
		left, label := cutLastLabel(rest)
		n := &s.nodes[at]
		if n.subdomains && s.coversSubs(at, p) {
			return true
		}
		if len(n.shapes) > 0 && label != "*" && s.coversInLabel(at, rest[:len(rest)-len(label)], label, p) {
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

func (s *Set) coversSubs(at int32, p *Pattern) bool {
	if _, ok := s.subs[subKey{at, p.Scheme, AnyPort}]; ok {
		return true
	}
	_, ok := s.subs[subKey{at, p.Scheme, p.Port}]
	return ok
}

func (s *Set) coversInLabel(at int32, left, label string, p *Pattern) bool {
	for _, sh := range s.nodes[at].shapes {
		before, after := int(sh.before), len(label)-int(sh.after)
		if before >= after || !isWildcardOrStar(label[before:after]) {
			continue
		}
		k := inLabelKey{at, label[:before], label[after:], left, p.Scheme, AnyPort}
		if _, ok := s.inLabel[k]; ok {
			return true
		}
		k.port = p.Port
		if _, ok := s.inLabel[k]; ok {
			return true
		}
	}
	return false
}

// isWildcardOrStar reports whether an in-label wildcard matches s, in which one `*` stands for such a wildcard's text.
func isWildcardOrStar(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '*' && !isWildcardByte(s[i]) {
			return false
		}
	}
	return true
}
