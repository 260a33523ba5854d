package policy

// Effect is what a policy does about a request and its response.
type Effect uint8

const (
	// Enforced: what the policy says is done.
	Enforced Effect = iota
	// ShadowOnly: it is decided, and nothing is done.
	ShadowOnly
	// NoEffect: nothing is decided either.
	NoEffect
)

// Effect draws what p does about one request. random is evenly distributed over 0…Million-1.
func (p *Policy) Effect(random func() uint32) Effect {
	switch {
	case p.mode.Unenforced == 0:
		return Enforced
	case p.mode.Unenforced < Million && random() >= p.mode.Unenforced:
		return Enforced
	case p.mode.Otherwise == Off:
		return NoEffect
	}
	return ShadowOnly
}

// MayHave reports whether a request that p decides can have the outcome o.
func (p *Policy) MayHave(o Outcome) bool {
	_, reason := o.Split()
	bySite := reason == CrossSiteNotAllowed || reason == SameSiteNotAllowed
	switch {
	case !o.IsPossible(), p.mode.isOff(), bySite && !p.fetchMetadata.On:
		return false
	case o.Verdict() == Shadowed:
		return p.mode.shadows() || bySite && p.fetchMetadata.Report
	case o.Verdict() == Allowed:
		return true
	}
	return p.mode.Unenforced < Million && !(bySite && p.fetchMetadata.Report)
}

// shadows reports whether some requests are decided without being enforced.
func (m *Mode) shadows() bool { return m.Unenforced > 0 && m.Otherwise == Shadow }

// isOff reports whether no request is decided.
func (m *Mode) isOff() bool { return m.Unenforced >= Million && m.Otherwise == Off }
