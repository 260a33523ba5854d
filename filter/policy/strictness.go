package policy

// strictness is what of a policy counts where it is not clear whether that policy is to decide.
type strictness struct {
	marks marks
	// unenforced is the share of requests for which it is not enforced.
	unenforced uint32
}

// marks are the requests that a policy denies with 403, what else it does, and its class. Those of several policies are joined by `|`.
type marks uint64

const (
	deniesPreflights marks = 1 << iota
	deniesOrigins
	deniesMissing
	shadows // what it does not enforce
	grants  // it has a cors block
	firstClass
)

// Of classes there are as many as there are bits left; what is beyond them has the last, which is taken for several.
const (
	maxClasses = 58
	lastClass  = firstClass << (maxClasses - 1)
	classes    = ^(firstClass - 1)
)

// leastStrict is what joins with any other to that one.
var leastStrict = strictness{unenforced: Million}

// joined returns how strict policies are together, each of which may be the one to decide: as strict as the stricter one, in all.
func (s strictness) joined(t strictness) strictness {
	return strictness{s.marks | t.marks, min(s.unenforced, t.unenforced)}
}

func (p *Policy) strictness() strictness {
	m := firstClass << min(p.class, maxClasses-1)
	if !p.off {
		m |= grants
	}
	if p.onRefusedPreflight == DenyPreflight {
		m |= deniesPreflights
	}
	if p.onRefusedOrigin == Deny {
		m |= deniesOrigins
	}
	if p.onMissingOrigin == Deny {
		m |= deniesMissing
	}
	if p.mode.shadows() {
		m |= shadows
	}
	return strictness{m, min(p.mode.Unenforced, Million)}
}

// isMixed reports whether m is of policies that differ in what they set on responses, or in their resource isolation.
func (m marks) isMixed() bool {
	c := m & classes
	return c&(c-1) != 0 || c&lastClass != 0
}

// isOff reports whether no request is decided.
func (s strictness) isOff() bool { return s.unenforced == Million && s.marks&shadows == 0 }

// strict returns p, which is closed, made as strict as s.
func (p *Policy) strict(s strictness) *Policy {
	own := p.strictness()
	s = s.joined(own)
	isMixed := s.marks.isMixed()
	if s == own && !isMixed {
		return p
	}
	stricter := *p
	if isMixed {
		// A weaker isolation than that of the right policy would be a grant.
		stricter.mixed = true
		s.marks |= deniesOrigins | deniesMissing | grants
	}
	if s.marks&grants != 0 && p.off {
		// What the upstream grants might not be granted.
		stricter.off = false
		stricter.setVary()
	}
	if s.marks&deniesPreflights != 0 {
		stricter.onRefusedPreflight = DenyPreflight
	}
	if s.marks&deniesOrigins != 0 {
		stricter.onRefusedOrigin = Deny
	}
	if s.marks&deniesMissing != 0 {
		stricter.onMissingOrigin = Deny
	}
	stricter.mode = Mode{Unenforced: s.unenforced, Otherwise: Off}
	if s.marks&shadows != 0 {
		stricter.mode.Otherwise = Shadow
	}
	return &stricter
}
