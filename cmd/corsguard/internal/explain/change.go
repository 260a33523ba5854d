package explain

import (
	"fmt"
	"slices"
	"strings"

	"corsguard/filter/fetch"
	"corsguard/filter/origin"
	"corsguard/filter/policy"
)

// advisor collects what to change.
type advisor struct {
	policy  *Policy
	changes []Change
}

func (a *advisor) add(path, format string, args ...any) {
	c := Change{Text: fmt.Sprintf(format, args...), Path: path}
	if path != "" {
		c.Place = a.policy.place(path)
	}
	if !slices.ContainsFunc(a.changes, func(have Change) bool { return have.Text == c.Text && have.Path == path }) {
		a.changes = append(a.changes, c)
	}
}

// decided adds what to change about the decision on a step, where that is no permission.
func (a *advisor) decided(s *Step, asked string) {
	if s == nil || s.exchange.Effect == policy.NoEffect {
		return
	}
	x := &s.exchange
	_, reason := x.Outcome.Split()
	if reason.Verdict() == policy.Refused {
		a.refused(x.Rule, reason, asked, s)
	}
	if x.Reported != nil {
		_, reported := x.Reported.Split()
		a.refused(x.Rule, reported, asked, s)
	}
}

func (a *advisor) refused(rule int, reason policy.Reason, asked string, s *Step) {
	cors := a.policy.blockAt(rule, "cors")
	switch reason {
	case policy.OriginNotAllowed:
		a.originRefused(rule, asked)
	case policy.NullNotAllowed:
		a.add(cors, "the origin null is that of sandboxed frames, file: and data: pages, and some redirects, so anybody can have it: serve the page from an origin of its own, and list that; allowNull is for public data alone")
	case policy.OriginMalformed:
		a.add("", "%s is no origin as browsers send it: scheme, host and port other than the default one, in lower case, without a path; look at what made the request", fetch.Quoted(asked, maxShown))
	case policy.OriginMissing:
		if groups := a.policy.groups(rule); len(groups) > 0 {
			cors = groups[0].at
		}
		a.add(cors+".onMissingOrigin", "requests without an Origin are denied: set onMissingOrigin to \"pass\", if this one is not to be; browsers send none with simple requests to the own origin, nor do other clients")
	case policy.MethodNotAllowed:
		a.methodRefused(rule, asked, valueOf(s, fetch.HeaderRequestMethod))
	case policy.HeaderNotAllowed:
		a.headersRefused(rule, asked, valueOf(s, fetch.HeaderRequestHeaders))
	case policy.PathAmbiguous:
		a.add("", "the path can be read in two ways, to which different rules apply: let Envoy normalise paths (normalize_path, merge_slashes, path_with_escaped_slashes_action), and have clients send canonical ones")
	case policy.CrossSiteNotAllowed:
		a.add(a.policy.blockAt(rule, "fetchMetadata"), "the request comes from another site, and neither navigates nor is allowed by CORS: if the resource is meant for other sites, allow the origin in cors, or give it a rule with \"fetchMetadata\": null")
	case policy.SameSiteNotAllowed:
		a.add(a.policy.blockAt(rule, "fetchMetadata"), "the request comes from another origin of the same site: allow the origin in cors, or set allowSameSite to true")
	case policy.InternalError:
		a.add("", "deciding failed: report this as a fault")
	}
}

const maxShown = 128

// originRefused says where to list an origin, and which pattern nearly matches it.
func (a *advisor) originRefused(rule int, asked string) {
	groups := a.policy.groups(rule)
	if len(groups) == 0 {
		return
	}
	for _, g := range groups {
		for _, text := range patterns(g.cors) {
			if why := nearMiss(asked, text); why != "" {
				a.add(g.at+".allowOrigins", "%s is listed, but %s", fetch.Quoted(text, maxShown), why)
			}
		}
	}
	g := groups[len(groups)-1]
	if isInsecure(asked) && g.cors.AllowCredentials {
		a.insecure(g, asked)
		return
	}
	more := ""
	if len(groups) > 1 {
		more = ", or to that of the group which has what its pages may do"
	}
	a.add(g.at+".allowOrigins", "add %s to allowOrigins%s, if its pages may read this", fetch.Quoted(asked, maxShown), more)
}

func (a *advisor) insecure(g group, asked string) {
	a.add(g.at+".allowOrigins", "%s is no secure origin: whoever is on the way to it can put a script into its pages; serve them over https, and list that", fetch.Quoted(asked, maxShown))
}

// isInsecure reports whether an origin is one that the plugin does not allow with credentials.
func isInsecure(asked string) bool {
	p, err := origin.ParseExact(asked)
	return err == nil && p.AdmitsInsecure()
}

// patterns returns those patterns of a group that have one host, or the subdomains of one.
func patterns(c *policy.CORS) []string {
	all := slices.Clone(c.AllowOrigins.Exact)
	for i := range c.AllowOrigins.Patterns {
		if p := &c.AllowOrigins.Patterns[i]; p.Kind == origin.Subdomains {
			all = append(all, p.Scheme+"://*."+p.Host)
		}
	}
	return all
}

// nearMiss says how an origin differs from a pattern that was perhaps meant for it, "" where it was not.
func nearMiss(asked, pattern string) string {
	o, ok := origin.Parse(asked)
	if !ok {
		return ""
	}
	apex := strings.Replace(pattern, "://*.", "://", 1)
	p, ok := origin.Parse(apex)
	switch {
	case !ok:
		return ""
	case apex != pattern && p.Host == o.Host && p.Scheme == o.Scheme:
		return "a wildcard stands for one label or more: the domain itself has to be listed too"
	case apex != pattern:
		return ""
	case p.Host == o.Host && p.Scheme != o.Scheme:
		return "for " + p.Scheme + ", and the request comes from " + o.Scheme
	case p.Host == o.Host && p.Port != o.Port:
		return "with another port: ports are part of an origin"
	case p.Scheme == o.Scheme && (o.Host == "www."+p.Host || p.Host == "www."+o.Host):
		return "www is another host, and so another origin"
	}
	return ""
}

// grantor returns the group that allows an origin, the last one if none does.
func (a *advisor) grantor(rule int, asked string) (group, bool) {
	groups := a.policy.groups(rule)
	for _, g := range groups {
		if a.policy.allows(&g, asked) {
			return g, true
		}
	}
	if len(groups) == 0 {
		return group{}, false
	}
	return groups[len(groups)-1], true
}

func (a *advisor) methodRefused(rule int, asked, method string) {
	g, ok := a.grantor(rule, asked)
	if !ok {
		return
	}
	if fetch.IsForbiddenMethod(method) {
		a.add("", "pages cannot send %s, so no policy allows it: look at what made the request", method)
		return
	}
	for _, m := range g.cors.AllowMethods {
		if m != method && strings.EqualFold(m, method) {
			a.add(g.at+".allowMethods", "methods are case-sensitive: the page asks for %s and the policy lists %s; fetch() upper-cases only DELETE, GET, HEAD, OPTIONS, POST and PUT",
				fetch.Quoted(method, maxShown), m)
			return
		}
	}
	if upper := strings.ToUpper(method); upper != method {
		a.add("", "methods are case-sensitive, and fetch() upper-cases only DELETE, GET, HEAD, OPTIONS, POST and PUT: have the page ask for %s, if that is meant", fetch.Quoted(upper, maxShown))
	}
	a.add(g.at+".allowMethods", "add %s to allowMethods, if these pages may use it", fetch.Quoted(method, maxShown))
}

func (a *advisor) headersRefused(rule int, asked, list string) {
	g, ok := a.grantor(rule, asked)
	if !ok {
		return
	}
	var missing []string
	for _, name := range strings.Split(list, ",") {
		if name = fetch.TrimOWS(name); fetch.IsForbiddenRequestHeader(fetch.Lower(name)) {
			a.add("", "pages cannot set %s, so no policy allows it: look at what made the request", fetch.Quoted(name, maxShown))
			return
		}
		if name != "" && !listsHeader(g.cors.AllowHeaders, name) {
			missing = append(missing, fetch.Quoted(name, maxShown))
		}
	}
	switch {
	case len(missing) == 0:
		a.add("", "the list of asked headers is not one that a browser sends")
	case g.at != "":
		a.add(g.at+".allowHeaders", "add %s to allowHeaders, if these pages may send it", strings.Join(missing, ", "))
	}
}

// listsHeader reports whether a list of names has name; `*` stands for all but Authorization.
func listsHeader(list []string, name string) bool {
	name = fetch.Lower(name)
	return slices.ContainsFunc(list, func(have string) bool {
		return fetch.Lower(have) == name || have == fetch.Wildcard && name != fetch.HeaderAuthorization
	})
}

func valueOf(s *Step, name string) string {
	var values []string
	for _, h := range s.Headers {
		if fetch.Lower(h[0]) == name {
			values = append(values, h[1])
		}
	}
	return strings.Join(values, ",")
}
