package audit

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// wanted is an origin that the endpoint allows, or ought to.
type wanted struct {
	site
	given bool // by the auditor, and not found out

	actual, preflight, odd, missing, unauthenticated *Probe
	paths                                            []*Probe
}

// ask sends everything after the first request: what matters most first, for the case that the audit is cut short.
func (s *session) ask(given []site) {
	s.askStrangers()
	for _, at := range given {
		if at == siteOf(s.target) {
			s.note("%s: is the endpoint's own origin, whose pages need no CORS", at)
			continue
		}
		s.wanted = append(s.wanted, &wanted{site: at, given: true, actual: s.get(at.String(), "an origin that must be allowed")})
	}
	if len(given) == 0 {
		s.discover()
	}
	for i, w := range s.wanted {
		s.askWanted(w, i == 0)
	}
	s.askTricks()
	if !s.anyAllowed() {
		s.askOthers()
	}
	if len(s.wanted) == 0 && s.stopped == "" {
		s.note("no origin is known that the endpoint allows, so its preflights and errors could not be judged, and " +
			"whether its answers depend on Origin only in part: give one with --origin")
	}
	if s.base.redirects() {
		s.note("the endpoint redirects; what it redirects to was not asked: audit that URL too")
	}
}

// askStrangers asks for origins that nobody has in a list.
func (s *session) askStrangers() {
	s.stranger = s.get(s.names.stranger(), "an unknown origin")
	s.null = s.get("null", "the origin null, of sandboxed frames and files")
	s.strangerPreflight = s.preflight(s.names.stranger(), s.method(), s.options.RequestHeaders, "preflight of an unknown origin")
	s.nullPreflight = s.preflight("null", s.method(), s.options.RequestHeaders, "preflight of the origin null")
}

// method returns that of the preflights. GET is the one that no policy leaves out; a preflight for it tells about the origin alone.
func (s *session) method() string {
	if s.options.Method != "" {
		return s.options.Method
	}
	return http.MethodGet
}

// anyAllowed reports whether every origin is.
func (s *session) anyAllowed() bool { return s.stranger.allowed() }

// discover looks for an origin that the endpoint allows: any, the one that it names of itself, its own, or the site's front page.
func (s *session) discover() {
	if s.anyAllowed() {
		at, _ := parseOrigin(s.names.stranger())
		s.wanted = []*wanted{{site: at, actual: s.stranger, preflight: s.strangerPreflight}}
		return
	}
	own := siteOf(s.target)
	var candidates []site
	for _, p := range []*Probe{s.base, s.stranger} {
		if named, err := parseOrigin(p.allowOrigin()); err == nil {
			candidates = append(candidates, named)
		}
	}
	candidates = append(candidates, own)
	if own.isName() {
		candidates = append(candidates, site{own.scheme, registrable(own.host), ""}, site{own.scheme, "www." + registrable(own.host), ""})
	}
	for i, at := range candidates {
		if slices.Contains(candidates[:i], at) {
			continue
		}
		if p := s.get(at.String(), "an origin that may be allowed"); p.allowed() {
			s.wanted = append(s.wanted, &wanted{site: at, actual: p})
		}
	}
}

// askWanted asks for what a page of an allowed origin meets. What does not depend on the origin is asked for the first one alone.
func (s *session) askWanted(w *wanted, first bool) {
	origin := w.String()
	if w.preflight == nil {
		w.preflight = s.preflight(origin, s.method(), s.options.RequestHeaders, "preflight of an allowed origin")
	}
	if !first {
		return
	}
	extra := http.Header{
		"Access-Control-Request-Method":          {s.names.method},
		"Access-Control-Request-Headers":         {s.names.header},
		"Access-Control-Request-Private-Network": {"true"},
	}
	w.odd = s.send(request{method: http.MethodOptions, at: s.target, origin: origin, extra: extra,
		purpose: "preflight for a method and a header that do not exist"})
	missing := *s.target
	missing.Path, missing.RawPath, missing.RawQuery = path.Join(path.Dir(s.target.Path), s.names.header), "", ""
	w.missing = s.asPage(&missing, origin, "a path that does not exist", true)
	if w.missing != nil && w.missing.Status < http.StatusBadRequest {
		s.note("404: a path that does not exist is answered with %d", w.missing.Status)
	}
	if len(s.options.Header) > 0 {
		w.unauthenticated = s.asPage(s.target, origin, "without the auditor's own headers", false)
	}
	for _, reference := range s.options.Paths {
		if at, err := s.target.Parse(reference); err == nil && sameHost(at, s.target) {
			w.paths = append(w.paths, s.asPage(at, origin, "a path that was given", true))
		} else {
			s.note("path %s: is not one of the endpoint's host", bounded(reference))
		}
	}
}

func sameHost(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host && a.User == nil }

// askTricks asks for origins that resemble those of the endpoint's own host and of the ones that it allows.
func (s *session) askTricks() {
	if s.anyAllowed() {
		s.note("tricks with names: every origin is allowed, so there is nothing to get around")
		return
	}
	sites := []site{siteOf(s.target)}
	for _, w := range s.wanted {
		if w.site != sites[0] {
			sites = append(sites, w.site)
		}
	}
	for _, t := range s.names.tricks(sites) {
		if !s.explained(t) {
			s.tried = append(s.tried, trial{t, s.get(t.origin, t.kind.purpose)})
		}
	}
}

// explained reports whether a trick that passed before already says why t would.
func (s *session) explained(t trick) bool {
	return slices.ContainsFunc(s.tried, func(before trial) bool {
		return before.probe.allowed() && explains(before.trick, t)
	})
}

// explains reports whether t is bound to pass where before did.
func explains(before, t trick) bool {
	same := registrable(before.of.host) == registrable(t.of.host)
	switch before.kind {
	case kindPrefix:
		return before.of == t.of && (t.kind == kindSpecial || t.kind == kindPort || t.kind == kindLoose)
	case kindSuffix:
		return same && !before.harmless && (t.kind == kindSubdomain || t.kind == kindDot || t.kind == kindSuffix && t.harmless)
	case kindSubdomain: // of the whole site: what t put into a name makes it one of them
		whole := strings.Count(before.origin, ".") == strings.Count(registrable(before.of.host), ".")+1
		return same && whole && t.harmless && (t.kind == kindSuffix || t.kind == kindDot) && strings.HasSuffix(t.origin, "."+registrable(t.of.host))
	}
	return false
}

// askOthers asks for origins that are neither names nor strangers.
func (s *session) askOthers() {
	loopback := !siteOf(s.target).isLoopback()
	for _, w := range s.wanted {
		loopback = loopback && !w.isLoopback()
	}
	for _, t := range s.names.others(loopback) {
		s.tried = append(s.tried, trial{t, s.get(t.origin, t.kind.purpose)})
	}
}
