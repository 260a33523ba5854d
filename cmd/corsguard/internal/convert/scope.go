package convert

import (
	"slices"
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
)

// scope is for which requests a grant is. Scopes are in the order in which the source asks them: the first that matches decides.
type scope struct {
	name   string // a hint for the rule's name
	at     *node
	hosts  []string  // as Corsguard's rules have them; every host where empty
	paths  []pathDoc // every path where empty
	routes []string  // names of Envoy's routes; every route where empty
	// condition says what else a request needs to get there, "" for nothing.
	condition string
	// lost says what of the match cannot be said; the match takes more requests than the source's then. lostFix says what to do.
	lost, lostFix string
	lostHost      bool // what cannot be said is the host
	rest          bool // what no route takes
	grant         *grant
}

// isLoose reports whether the match of s takes other requests than the source's does.
func (s *scope) isLoose() bool { return s.condition != "" || s.lost != "" }

// takesAll reports whether s matches every request.
func (s *scope) takesAll() bool { return len(s.hosts) == 0 && len(s.paths) == 0 && len(s.routes) == 0 }

// settle decides about scopes that depend on more than a rule can say: they are left out where what follows gives the same, and grant nothing where it does not.
func (c *converter) settle(scopes []scope) []scope {
	var out []scope
	for i := range scopes {
		s := scopes[i]
		if !s.isLoose() {
			out = append(out, s)
			continue
		}
		same, covered := c.whatFollows(scopes[i+1:], &s)
		if same && covered { // whether the request gets there or not, the outcome is the same
			continue
		}
		if same && !s.lostHost {
			if s.grant.key() != "" {
				c.addAs(conditionalMatch, finding.Note, s.at.place(), s.looseness()+"; requests that no route takes get the policy too: their answer is the proxy's own", "")
			}
		} else {
			c.saySettled(&s)
			s.grant = nil
		}
		s.condition, s.lost = "", ""
		out = append(out, s)
	}
	return out
}

// looseness says what a rule cannot say of s.
func (s *scope) looseness() string {
	if s.lost != "" {
		return s.lost
	}
	return "the route also asks for " + s.condition
}

func (c *converter) saySettled(s *scope) {
	switch {
	case s.lostHost:
		c.add(hostLost, s.at, s.lost+"; nothing is granted for the hosts that it may be", s.lostFix)
	case s.lost != "":
		c.add(matchLost, s.at, s.lost+"; nothing is granted for what it might match", s.lostFix)
	default:
		c.add(conditionalMatch, s.at, s.looseness()+", and others take requests for the same host and path with another policy; nothing is granted for those",
			"give the routes the same policy, or a host or path of their own, or write a rule with the name of an Envoy route")
	}
}

// whatFollows reports whether all of scopes that may take requests of s, up to one that takes all of them, grant what s does; and whether there is such a one.
func (c *converter) whatFollows(scopes []scope, s *scope) (same, covered bool) {
	for i := range scopes {
		next := &scopes[i]
		if !mayOverlap(next, s) {
			continue
		}
		if next.rest && s.grant.key() != "" && covers(next, s) {
			return true, false // what no route takes
		}
		if next.grant.key() != s.grant.key() {
			return false, false
		}
		if !next.isLoose() && covers(next, s) {
			return true, true
		}
	}
	return true, false
}

// mayOverlap reports whether there may be a request that both match.
func mayOverlap(a, b *scope) bool {
	if len(a.hosts) > 0 && len(b.hosts) > 0 && !slices.ContainsFunc(a.hosts, func(h string) bool {
		return slices.ContainsFunc(b.hosts, func(k string) bool { return hostCovers(h, k) || hostCovers(k, h) })
	}) {
		return false
	}
	return len(a.paths) == 0 || len(b.paths) == 0 || slices.ContainsFunc(a.paths, func(p pathDoc) bool {
		return slices.ContainsFunc(b.paths, func(q pathDoc) bool { return p.Regex != "" || q.Regex != "" || pathCovers(p, q) || pathCovers(q, p) })
	})
}

// covers reports that a takes every request that b takes. It may say no where it does.
func covers(a, b *scope) bool {
	if len(a.routes) > 0 {
		return false
	}
	if len(a.hosts) > 0 && (len(b.hosts) == 0 || slices.ContainsFunc(b.hosts, func(h string) bool {
		return !slices.ContainsFunc(a.hosts, func(k string) bool { return hostCovers(k, h) })
	})) {
		return false
	}
	return len(a.paths) == 0 || len(b.paths) > 0 && !slices.ContainsFunc(b.paths, func(p pathDoc) bool {
		return !slices.ContainsFunc(a.paths, func(q pathDoc) bool { return pathCovers(q, p) })
	})
}

func hostCovers(wide, narrow string) bool {
	if suffix, ok := strings.CutPrefix(wide, "*"); ok {
		return wide == narrow || strings.HasSuffix(narrow, suffix)
	}
	return wide == narrow
}

func pathCovers(wide, narrow pathDoc) bool {
	switch {
	case wide == narrow, wide.Prefix == "/":
		return true
	case wide.Prefix != "":
		at := narrow.Exact + narrow.Prefix
		return narrow.Regex == "" && (at == wide.Prefix || strings.HasPrefix(at, wide.Prefix+"/"))
	}
	return false
}
