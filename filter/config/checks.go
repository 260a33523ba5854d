package config

import (
	"strings"

	"corsguard/filter/origin"
)

// Why credentials forbid a pattern.
const (
	anyHostWithCredentials      = "any host with credentials would let every page read every user's data"
	insecureWithCredentials     = "an http origin with credentials: whoever sits on the network can act as it"
	publicSuffixWithCredentials = "the wildcard spans a public suffix, and so sites of other owners, with credentials"
)

// checkCredentials refuses what credentials forbid: with them a page reads what its user may read, so whoever is allowed must be known by name and
// reached over a channel that nobody else writes to.
func (r *reader) checkCredentials(b *block) {
	if !b.AllowCredentials {
		return
	}
	b.inOrder(func(i int) {
		if text := b.AllowOrigins.Exact[i]; strings.HasPrefix(text, "http://") {
			if o, ok := origin.Parse(text); ok && !origin.IsLoopback(o.Host) {
				r.insecure(b, b.exactPlace(i))
			}
		}
	}, func(i int) { r.checkPatternWithCredentials(b, i) })
	if b.AllowNull {
		r.failAt(*b.null, "the null origin with credentials: every page can make itself one", "leave allowNull or allowCredentials out")
	}
	if b.exposeAny != nil {
		r.failAt(*b.exposeAny, "with credentials browsers take * for a header of that name", "list the headers")
	}
}

func (r *reader) checkPatternWithCredentials(b *block, i int) {
	p := &b.AllowOrigins.Patterns[i]
	switch p.Kind {
	case origin.Any:
		r.failAt(b.patternPlace(i), "any origin with credentials would let every page read every user's data", "list the origins, or leave allowCredentials out")
		return
	case origin.AnyHost:
		r.failAt(b.patternPlace(i), anyHostWithCredentials, "list the origins, or leave allowCredentials out")
		return
	}
	if p.AdmitsInsecure() {
		r.insecure(b, b.patternPlace(i))
	}
	if p.SpansPublicSuffix() {
		const reason = publicSuffixWithCredentials
		if b.publicSuffixOK {
			r.warnAt(b.patternPlace(i), reason, "name the site")
		} else {
			r.failAt(b.patternPlace(i), reason, "name the site, or set dangerously.allowPublicSuffixWildcards")
		}
	}
}

// inOrder calls exact and pattern for the patterns of b in the order in which they are written, each with the index in its list.
func (b *block) inOrder(exact, pattern func(i int)) {
	for i, j := 0, 0; i < len(b.exactAt) || j < len(b.patternAt); {
		if j == len(b.patternAt) || i < len(b.exactAt) && b.exactAt[i] < b.patternAt[j] {
			exact(i)
			i++
		} else {
			pattern(j)
			j++
		}
	}
}

// insecure refuses an http origin that is not the user's own machine, or warns of it.
func (r *reader) insecure(b *block, p place) {
	const reason = insecureWithCredentials
	if b.insecureOK {
		r.warnAt(p, reason, "use https")
	} else {
		r.failAt(p, reason, "use https, or set dangerously.allowInsecureOrigins")
	}
}

// checkOrigins warns of patterns that are allowed but unwise.
func (r *reader) checkOrigins(b *block) {
	isAny := false
	var wildcards origin.Set
	compare := len(b.AllowOrigins.Exact) > 0 && len(b.AllowOrigins.Patterns) > 0
	for i := range b.AllowOrigins.Patterns {
		p := &b.AllowOrigins.Patterns[i]
		isAny = isAny || p.Kind == origin.Any
		if compare {
			wildcards.Add(p, 0)
		}
	}
	b.inOrder(func(i int) {
		if !compare || isAny {
			return
		}
		if verdict, _ := wildcards.Match(b.AllowOrigins.Exact[i]); verdict == origin.Listed {
			r.warnAt(b.exactPlace(i), "another pattern of the list covers it", "leave one of them out")
		}
	}, func(i int) {
		p := &b.AllowOrigins.Patterns[i]
		if b.AllowPrivateNetwork && (p.Kind == origin.Any || p.Kind == origin.AnyHost) {
			r.warnAt(b.patternPlace(i), "any origin may reach the private network", "list the origins")
		}
		if !b.AllowCredentials && p.SpansPublicSuffix() {
			r.warnAt(b.patternPlace(i), "the wildcard spans a public suffix, and so sites of other owners", "name the site")
		}
	})
	switch {
	case !b.AllowNull:
	case isAny:
		r.warnAt(*b.null, "adds nothing to any origin", "leave it out")
	case !b.AllowCredentials && b.AllowOrigins.Len() > 0:
		r.warnAt(*b.null, "every page can make itself a null origin, with a sandboxed frame", "allow it only for what is public")
	}
}
