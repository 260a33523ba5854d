package advice

import (
	"fmt"
	"slices"

	"corsguard/cmd/corsguard/internal/finding"
	"corsguard/filter/config"
	"corsguard/filter/fetch"
)

// Names that browsers ask no permission for, whatever their values, or never ask for.
var (
	safeRequestHeaders  = []string{"accept", "accept-language", "content-language"}
	safeResponseHeaders = []string{"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"}
)

// names looks at the methods and headers of a group.
func (a *advisor) names(g *group) {
	severity, reflects := finding.Note, ""
	if g.AllowCredentials {
		severity, reflects = finding.Warning, ", with credentials"
	}
	methods := g.AllowMethods
	if slices.Contains(methods, fetch.Wildcard) {
		a.add(anyMethod, severity, config.Element(g.at("allowMethods"), 0), "every method is allowed"+reflects, `list the methods that pages use, such as ["GET", "HEAD", "POST", "PUT"]`)
	} else if len(methods) > 0 {
		a.methods(g, methods)
	}
	star := slices.Index(g.AllowHeaders, fetch.Wildcard)
	if star >= 0 {
		path := config.Element(g.at("allowHeaders"), star)
		a.add(anyHeader, severity, path, "every request header is allowed"+reflects, `list the headers that pages set, such as ["authorization", "content-type"]`)
		if !slices.ContainsFunc(g.AllowHeaders, func(name string) bool { return fetch.EqualFold(name, fetch.HeaderAuthorization) }) {
			a.note(uncoveredAuthorization, path, "authorization is not among them", `write ["*", "authorization"], if pages send tokens; it is no mistake if they do not`)
		}
	}
	a.needless(g, "allowHeaders", g.AllowHeaders, safeRequestHeaders, "pages may always set it")
	a.needless(g, "exposeHeaders", g.ExposeHeaders, safeResponseHeaders, "pages may always read it")
}

func (a *advisor) needless(g *group, key string, names, safe []string, message string) {
	isSafe := func(name string) bool { return slices.Contains(safe, fetch.Lower(name)) }
	all := !slices.ContainsFunc(names, func(name string) bool { return !isSafe(name) })
	for i, name := range names {
		if isSafe(name) {
			a.note(needlessName, config.Element(g.at(key), i), message, leaveOut(key, all))
		}
	}
}

// leaveOut says to leave a name of a list out, or if nothing else is in it the list: the plugin refuses an empty one.
func leaveOut(key string, all bool) string {
	if all {
		return "leave " + key + " out"
	}
	return "leave it out"
}

func (a *advisor) methods(g *group, methods []string) {
	if i := slices.Index(methods, "OPTIONS"); i >= 0 {
		a.note(needlessName, config.Element(g.at("allowMethods"), i), "preflights need no permission: it is for pages that send OPTIONS themselves", leaveOut("allowMethods", len(methods) == 1))
	}
	var missing []string
	for _, method := range []string{"GET", "POST"} {
		if !slices.Contains(methods, method) {
			missing = append(missing, method)
		}
	}
	if len(missing) > 0 {
		a.note(safelistedMethods, g.at("allowMethods"), fmt.Sprintf("%v is allowed all the same", missing), "refuse such requests in the service; or list the method, so that nobody is mistaken")
	}
}

// grants looks at the other keys of a group.
func (a *advisor) grants(g *group) {
	needsPreflight := len(g.AllowHeaders) > 0 || len(g.Presets) > 0
	for _, method := range g.AllowMethods {
		needsPreflight = needsPreflight || !fetch.IsSafelistedMethod(method)
	}
	const chromium = 7200
	switch {
	case g.MaxAge == nil && needsPreflight:
		a.note(noMaxAge, g.path, "has no maxAge", `add "maxAge": 7200`)
	case g.MaxAge != nil && *g.MaxAge == 0:
		a.note(noMaxAge, g.at("maxAge"), "browsers ask before each request", "write 7200, or less where the policy changes often")
	case g.MaxAge != nil && *g.MaxAge > chromium:
		a.note(longMaxAge, g.at("maxAge"), fmt.Sprintf("%g seconds are more than Chromium takes (7200), and Safari (600)", *g.MaxAge), "write 7200 or less")
	}
	hasToken := slices.ContainsFunc(g.AllowHeaders, func(name string) bool { return fetch.EqualFold(name, fetch.HeaderAuthorization) })
	if g.AllowCredentials && hasToken {
		what := "it"
		if len(g.Dangerously) > 0 { // it is for patterns with credentials alone
			what = "allowCredentials and dangerously"
		}
		a.note(credentialsBesideTokens, g.at("allowCredentials"), "allows cookies where pages may send tokens", "leave "+what+" out, if pages send no cookies, no client certificates and no HTTP authentication")
	}
	if g.AllowPrivateNetwork {
		a.note(privateNetwork, g.at("allowPrivateNetwork"), "answers what older versions of Chromium ask", "leave it out, unless older browsers are in use")
	}
	if g.UpstreamHeaders == "keep" {
		severity := finding.Warning
		if len(g.patterns) == 1 && g.patterns[0].IsLiteral() && !g.AllowCredentials {
			severity = finding.Note
		}
		a.add(keptHeaders, severity, g.at("upstreamHeaders"), "headers of the upstream take the place of this policy's, and of its Vary", "write replace once the services send none that are needed")
	}
	if g.OnRefusedPreflight == "forward" {
		a.note(forwardedPreflight, g.at("onRefusedPreflight"), "the upstream answers", "write answer or deny, unless services answer OPTIONS for other clients than pages")
	}
}
