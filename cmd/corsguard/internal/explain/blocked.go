package explain

import (
	"slices"
	"strings"

	"corsguard/cmd/corsguard/internal/browser"
	"corsguard/cmd/corsguard/internal/edge"
	"corsguard/filter/fetch"
	"corsguard/filter/policy"
)

// blocked adds what to change where the policy does not refuse, and the browser does all the same.
func (a *advisor) blocked(page *Page, s *Step, v *browser.Verdict) {
	if s.exchange.Effect != policy.Enforced {
		a.add(a.policy.blockAt(s.exchange.Rule, "mode"), "the mode is %s here: Corsguard changes nothing, and the answer is the upstream's own", s.Effect)
		return
	}
	if s.Decision == "refused" {
		return // the decision says it
	}
	g, ok := a.grantor(s.exchange.Rule, page.Origin)
	if !ok {
		a.add(a.policy.blockAt(s.exchange.Rule, "cors"), "CORS is switched off for this rule: the answer has what the upstream says; give the rule a cors block, if other origins may read it")
		return
	}
	if s.AnsweredBy == "upstream" && g.cors.UpstreamHeaders == policy.Keep && sendsCORS(page.Upstream.Headers) {
		a.upstreams(g)
		return
	}
	switch v.Failure {
	case browser.AllowCredentialsNotTrue, browser.WildcardWithCredentials:
		if policy.IsAnyOrigin(g.cors) {
			a.add(g.at+".allowOrigins", "any origin may read this, so it has no answer for requests with credentials: have the page leave them out (credentials: \"omit\"), or list the origins and set allowCredentials")
			return
		}
		a.withoutCredentials(g, page.Origin)
	case browser.AuthorizationByWildcard:
		a.add(g.at+".allowHeaders", "* does not stand for authorization: list it beside the *")
	case browser.HeaderNotAllowed:
		a.headersRefused(s.exchange.Rule, page.Origin, valueOf(s, fetch.HeaderRequestHeaders))
	case browser.MethodNotAllowed:
		a.methodRefused(s.exchange.Rule, page.Origin, valueOf(s, fetch.HeaderRequestMethod))
	case browser.MissingAllowOrigin, browser.MultipleAllowOrigin, browser.AllowOriginMismatch, browser.PreflightStatus, browser.PreflightRedirect,
		browser.InvalidAllowMethods, browser.InvalidAllowHeaders:
		a.upstreams(g)
	case browser.ResourcePolicySameOrigin, browser.ResourcePolicySameSite, browser.ResourcePolicyMissing:
		a.add(a.policy.blockAt(s.exchange.Rule, "isolation"), "set isolation.crossOriginResourcePolicy to what the resource is for: \"same-site\", or \"cross-origin\" where any site may embed it")
	case browser.RedirectWithCredentials, browser.RedirectScheme:
		a.add("", "the upstream redirects to an address with a user name or a password, or of another scheme than http and https: mend the upstream")
	case browser.None:
	}
}

func (a *advisor) upstreams(g group) {
	a.add(g.at+".upstreamHeaders", "what the browser objects to is the upstream's: leave upstreamHeaders at \"replace\", or mend the upstream")
}

// sendsCORS reports whether an upstream answers for CORS itself.
func sendsCORS(headers []edge.Header) bool {
	return slices.ContainsFunc(headers, func(h edge.Header) bool { return strings.HasPrefix(fetch.Lower(h[0]), "access-control-") })
}

// withoutCredentials says how an origin comes by credentials, which its group does not allow.
func (a *advisor) withoutCredentials(g group, asked string) {
	switch reason := a.policy.refusal(g.at, "allowCredentials", true); {
	case asked == fetch.NullOrigin:
		a.add(g.at+".allowNull", "anybody can have the origin null, so it is never allowed with credentials: have the page leave them out, or serve it from an origin of its own")
	case isInsecure(asked):
		a.insecure(g, asked)
	case reason != "":
		a.add(g.at, "put %s into a group of its own with allowCredentials, before this one, if its pages may read what the user's cookies open; else have the page leave credentials out. The plugin refuses them in this group: %s",
			fetch.Quoted(asked, maxShown), reason)
	default:
		a.add(g.at+".allowCredentials", "set allowCredentials to true, if these pages may read what the user's cookies open; else have the page leave credentials out")
	}
}
