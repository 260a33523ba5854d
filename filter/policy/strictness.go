package policy

// strictness is what of a policy counts where it is not clear whether that policy is to decide: the requests that it denies with 403, how far it is enforced, and its class. Those of
// several policies are joined by `|`.
type strictness uint64

const (
	deniesPreflights strictness = 1 << iota
	deniesOrigins
	deniesMissing
	enforces
	enforcesSome
	shadows
	off
	grants // it has a cors block
	firstClass
)

// Of classes there are as many as there are bits left; what is beyond them has the last, which is taken for several.
const (
	maxClasses = 55
	lastClass  = firstClass << (maxClasses - 1)
	classes    = ^(firstClass - 1)
	modes      = enforces | enforcesSome | shadows | off
)

func (p *Policy) strictness() strictness {
	s := firstClass << min(p.class, maxClasses-1)
	if !p.off {
		s |= grants
	}
	if p.onRefusedPreflight == DenyPreflight {
		s |= deniesPreflights
	}
	if p.onRefusedOrigin == Deny {
		s |= deniesOrigins
	}
	if p.onMissingOrigin == Deny {
		s |= deniesMissing
	}
	switch {
	case p.mode.Unenforced == 0:
		s |= enforces
	case p.mode.Unenforced < Million:
		s |= enforcesSome
	case p.mode.Otherwise == Shadow:
		s |= shadows
	default:
		s |= off
	}
	return s
}

// isMixed reports whether s is of policies that differ in what they set on responses, or in their resource isolation.
func (s strictness) isMixed() bool {
	c := s & classes
	return c&(c-1) != 0 || c&lastClass != 0
}

// mode returns how far policies are enforced of which s is joined, where it differs; they are enforced as long as one of them is.
func (s strictness) mode() (Mode, bool) {
	switch m := s & modes; {
	case m&(m-1) == 0:
		return Mode{}, false
	case m&(enforces|enforcesSome) != 0:
		return Mode{}, true
	}
	return Mode{Unenforced: Million, Otherwise: Shadow}, true
}

// strict returns p, which is closed, made as strict as s.
func (p *Policy) strict(s strictness) *Policy {
	own := p.strictness()
	if s |= own; s == own && !s.isMixed() {
		return p
	}
	stricter := *p
	if s.isMixed() {
		// A weaker isolation than that of the right policy would be a grant.
		stricter.mixed = true
		s |= deniesOrigins | deniesMissing | grants
	}
	if s&grants != 0 && p.off {
		// What the upstream grants might not be granted.
		stricter.off = false
		stricter.setVary()
	}
	if s&deniesPreflights != 0 {
		stricter.onRefusedPreflight = DenyPreflight
	}
	if s&deniesOrigins != 0 {
		stricter.onRefusedOrigin = Deny
	}
	if s&deniesMissing != 0 {
		stricter.onMissingOrigin = Deny
	}
	if mode, differs := s.mode(); differs {
		stricter.mode = mode
	}
	return &stricter
}
