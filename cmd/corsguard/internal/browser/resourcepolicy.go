package browser

import (
	"net/url"
)

// checkOpaque is for responses to requests without CORS: pages can use them, not read them, unless a policy keeps them away.
func checkOpaque(r *Request, a *Answer) Verdict {
	v := Verdict{Opaque: true}
	v.Failure, v.Value = resourcePolicyFailure(r, a)
	if v.Allowed = v.Failure == None; v.Allowed {
		v.Location, _ = a.isRedirect()
	}
	if !v.Allowed {
		v.consoles(chromiumResourcePolicy(v.Failure), firefoxResourcePolicy(r))
	}
	return v
}

// resourcePolicyFailure is the cross-origin resource policy check of the standard.
func resourcePolicyFailure(r *Request, a *Answer) (Failure, string) {
	policy, _ := a.get("cross-origin-resource-policy")
	switch policy {
	case "cross-origin":
		return None, ""
	case "same-origin": // the request is cross-origin
		return ResourcePolicySameOrigin, policy
	case "same-site":
		page, err := url.Parse(r.Origin)
		if err != nil || !sameSite(page, r.URL) || page.Scheme != "https" && r.URL.Scheme == "https" {
			return ResourcePolicySameSite, policy
		}
		return None, ""
	}
	// Any other value is none. Credentialless pages send no credentials without CORS, so they need none.
	if r.Embedder == RequireCORP {
		return ResourcePolicyMissing, policy
	}
	return None, ""
}
