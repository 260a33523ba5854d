package config

import (
	"corsguard/filter/origin"
)

// checkCredentials refuses what credentials forbid: with them a page reads what its user may read, so whoever is allowed must be known by name and
// reached over a channel that nobody else writes to.
func (r *reader) checkCredentials(b *block) {
	if !b.AllowCredentials {
		return
	}
	for i := range b.patterns {
		p := &b.patterns[i]
		switch {
		case p.Kind == origin.Any:
			r.fail(p.path, p.raw, "any origin with credentials would let every page read every user's data", "list the origins, or leave allowCredentials out")
			continue
		case p.Kind == origin.AnyHost:
			r.fail(p.path, p.raw, "any host with credentials would let every page read every user's data", "list the origins, or leave allowCredentials out")
			continue
		}
		if isInsecure(&p.Pattern) {
			const reason = "an http origin with credentials: whoever sits on the network can act as it"
			if b.insecureOK {
				r.warn(p.path, p.raw, reason, "use https")
			} else {
				r.fail(p.path, p.raw, reason, "use https, or set dangerously.allowInsecureOrigins")
			}
		}
		if p.SpansPublicSuffix() {
			const reason = "the wildcard has nothing but a public suffix to its right, so it spans sites of other owners, with credentials"
			if b.publicSuffixOK {
				r.warn(p.path, p.raw, reason, "name the site")
			} else {
				r.fail(p.path, p.raw, reason, "name the site, or set dangerously.allowPublicSuffixWildcards")
			}
		}
	}
	if b.AllowNull {
		r.fail(b.null.path, b.null.raw, "the null origin with credentials: every page can make itself one", "leave allowNull or allowCredentials out")
	}
	if b.exposeAny != nil {
		r.fail(b.exposeAny.path, b.exposeAny.raw, "with credentials browsers take * for a header of that name", "list the headers")
	}
}

// isInsecure reports whether p admits http origins that are not the user's own machine.
func isInsecure(p *origin.Pattern) bool { return p.Scheme == "http" && !origin.IsLoopback(p.Host) }

// checkOrigins warns of patterns that are allowed but unwise.
func (r *reader) checkOrigins(b *block) {
	var wildcards origin.Set
	for i := range b.patterns {
		p := &b.patterns[i]
		if p.Kind != origin.Exact || p.Port == origin.AnyPort {
			wildcards.Add(&p.Pattern)
		}
	}
	for i := range b.patterns {
		p := &b.patterns[i]
		switch {
		case p.Kind == origin.Any:
			if b.AllowNull {
				r.warn(b.null.path, b.null.raw, "adds nothing to any origin", "leave it out")
			}
		case p.Kind == origin.Exact && p.Port != origin.AnyPort && wildcards.Match(p.String()) == origin.Listed:
			r.warn(p.path, p.raw, "another pattern of the list covers it", "leave one of them out")
		}
		if b.AllowPrivateNetwork && (p.Kind == origin.Any || p.Kind == origin.AnyHost) {
			r.warn(p.path, p.raw, "any origin may reach the private network", "list the origins")
		}
		if !b.AllowCredentials && p.SpansPublicSuffix() {
			r.warn(p.path, p.raw, "the wildcard has nothing but a public suffix to its right, so it spans sites of other owners", "name the site")
		}
	}
	if b.AllowNull && !b.AllowCredentials && len(b.patterns) > 0 && b.patterns[0].Kind != origin.Any {
		r.warn(b.null.path, b.null.raw, "every page can make itself a null origin, with a sandboxed frame", "allow it only for what is public")
	}
}
