package browser

import (
	"slices"
	"strconv"

	"corsguard/filter/fetch"
)

// firefoxBlocked is a message of Firefox's, which nearly all begin in one way.
func firefoxBlocked(r *Request, reason, rest string) outcome {
	return outcome{true, "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at " + href(r.URL) + ". (Reason: " + reason + ")." + rest}
}

func firefoxStatus(a *Answer) string { return " Status code: " + strconv.Itoa(a.Status) + "." }

// firefoxCORS is Firefox's CORS check.
func firefoxCORS(r *Request, a *Answer) outcome {
	values := a.values(fetch.HeaderAllowOrigin)
	value, _ := a.get(fetch.HeaderAllowOrigin)
	switch {
	case len(values) > 1:
		return firefoxBlocked(r, "Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed", "")
	case value == "": // an empty header is none
		return firefoxBlocked(r, "CORS header ‘Access-Control-Allow-Origin’ missing", firefoxStatus(a))
	case r.withCredentials() && value == fetch.Wildcard:
		return outcome{true, "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at ‘" + href(r.URL) +
			"’. (Reason: Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’)."}
	case value != fetch.Wildcard && value != r.Origin:
		return firefoxBlocked(r, "CORS header ‘Access-Control-Allow-Origin’ does not match ‘"+value+"’", "")
	}
	if value, _ := a.get(fetch.HeaderAllowCredentials); r.withCredentials() && value != "true" {
		return firefoxBlocked(r, "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’", "")
	}
	return outcome{}
}

func firefoxActual(r *Request, a *Answer) outcome {
	if o := firefoxCORS(r, a); o.blocked {
		return o
	}
	location, redirect := a.isRedirect()
	return outcome{blocked: redirect && hasCredentials(r.URL, location)} // without a word
}

func firefoxPreflight(r *Request, a *Answer) outcome {
	if o := firefoxCORS(r, a); o.blocked {
		return o
	}
	if _, redirect := a.isRedirect(); redirect {
		return firefoxBlocked(r, "CORS request external redirect not allowed", "")
	}
	if !a.isOK() {
		return firefoxBlocked(r, "CORS preflight response did not succeed", firefoxStatus(a))
	}
	methods, bad := a.list(fetch.HeaderAllowMethods)
	switch method := r.method(); {
	case bad != "":
		return firefoxBlocked(r, "invalid token ‘"+bad+"’ in CORS header ‘Access-Control-Allow-Methods’", "")
	case !fetch.IsSafelistedMethod(method) && !allows(methods, method, r):
		return firefoxBlocked(r, "Did not find method in CORS header ‘Access-Control-Allow-Methods’", "")
	}
	names, bad := a.list(fetch.HeaderAllowHeaders)
	if bad != "" {
		return firefoxBlocked(r, "invalid token ‘"+bad+"’ in CORS header ‘Access-Control-Allow-Headers’", "")
	}
	switch missing, byWildcard := missingHeaders(r, names); {
	case byWildcard:
		return outcome{false, "Cross-Origin Request Warning: The Same Origin Policy will disallow reading the remote resource at " + href(r.URL) +
			" soon. (Reason: When the `Access-Control-Allow-Headers` is `*`, the `Authorization` header is not covered. To include the `Authorization` header, it must be " +
			"explicitly listed in CORS header `Access-Control-Allow-Headers`)."}
	case missing != nil:
		return firefoxBlocked(r, "header ‘"+missing[0]+"’ is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight response", "")
	}
	return outcome{}
}

func firefoxResourcePolicy(r *Request, f Failure) string {
	if !slices.Contains([]Failure{ResourcePolicySameOrigin, ResourcePolicySameSite, ResourcePolicyMissing}, f) {
		return ""
	}
	return "The resource at “" + href(r.URL) + "” was blocked due to its Cross-Origin-Resource-Policy header (or lack thereof). See " +
		"https://developer.mozilla.org/docs/Web/HTTP/Cross-Origin_Resource_Policy_(CORP)#"
}
