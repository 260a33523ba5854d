package browser

import (
	"strconv"
	"strings"

	"corsguard/filter/fetch"
)

// firefoxBlocked is a message of Firefox's, which nearly all begin in one way.
func firefoxBlocked(r *Request, reason string) string {
	return "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at " + href(r.URL) + ". (Reason: " + reason + ")."
}

func firefoxStatus(a *Answer) string { return " Status code: " + strconv.Itoa(a.Status) + "." }

// firefoxGaveUp is what Firefox says of a request that an earlier message, or none, is the reason of.
func firefoxGaveUp(r *Request) string {
	return firefoxBlocked(r, "CORS request did not succeed") + " Status code: (null)."
}

// firefoxValue returns a header's values as Firefox combines them: it leaves out what is empty.
func firefoxValue(a *Answer, name string) (value string, ok bool) {
	values := a.values(name)
	var some []string
	for _, value := range values {
		if value != "" {
			some = append(some, value)
		}
	}
	return strings.Join(some, ", "), values != nil
}

// firefoxCORS is Firefox's CORS check: it returns the message, or "" where it passes.
func firefoxCORS(r *Request, a *Answer) string {
	value, ok := firefoxValue(a, fetch.HeaderAllowOrigin)
	switch {
	case a.HTTP1 && len(a.values(fetch.HeaderAllowOrigin)) > 1:
		return firefoxBlocked(r, "Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed")
	case !ok:
		return firefoxBlocked(r, "CORS header ‘Access-Control-Allow-Origin’ missing") + firefoxStatus(a)
	case r.withCredentials() && value == fetch.Wildcard:
		return "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at ‘" + href(r.URL) +
			"’. (Reason: Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’)."
	case value != fetch.Wildcard && value != r.Origin:
		return firefoxBlocked(r, "CORS header ‘Access-Control-Allow-Origin’ does not match ‘"+value+"’")
	}
	if value, _ := firefoxValue(a, fetch.HeaderAllowCredentials); r.withCredentials() && value != "true" {
		return firefoxBlocked(r, "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’")
	}
	return ""
}

func firefoxActual(r *Request, a *Answer) outcome {
	_, redirect := a.isRedirect()
	if why := firefoxCORS(r, a); why != "" {
		o := outcome{true, []string{why}}
		if redirect {
			o.messages = append(o.messages, firefoxGaveUp(r))
		}
		return o
	}
	if f, _ := redirectFailure(r, a); f != None {
		return outcome{true, []string{firefoxGaveUp(r)}}
	}
	return outcome{}
}

func firefoxPreflight(r *Request, a *Answer) outcome {
	if r.skips(firefox) {
		return outcome{}
	}
	_, redirect := a.isRedirect()
	why := firefoxCORS(r, a)
	switch f, _ := redirectFailure(r, a); {
	case redirect && why != "":
		return outcome{true, []string{why, firefoxGaveUp(r), firefoxGaveUp(r)}}
	case f != None:
		return outcome{true, []string{firefoxGaveUp(r), firefoxGaveUp(r)}}
	case redirect:
		return outcome{true, []string{firefoxBlocked(r, "CORS request external redirect not allowed"), firefoxPreflightStatus(r, a), firefoxGaveUp(r)}}
	case why == "" && !a.isOK():
		why = firefoxPreflightStatus(r, a)
	}
	if why == "" {
		why = firefoxMethod(r, a)
	}
	if why != "" {
		return outcome{true, []string{why, firefoxGaveUp(r)}}
	}
	return firefoxHeaders(r, a)
}

func firefoxPreflightStatus(r *Request, a *Answer) string {
	return firefoxBlocked(r, "CORS preflight response did not succeed") + firefoxStatus(a)
}

// firefoxMethod returns why Firefox does not send the method, or "".
func firefoxMethod(r *Request, a *Answer) string {
	methods, bad := a.list(fetch.HeaderAllowMethods)
	switch method := r.method(); {
	case bad != "":
		return firefoxBlocked(r, "invalid token ‘"+bad+"’ in CORS header ‘Access-Control-Allow-Methods’")
	case !fetch.IsSafelistedMethod(method) && !allows(methods, method, r):
		return firefoxBlocked(r, "Did not find method in CORS header ‘Access-Control-Allow-Methods’")
	}
	return ""
}

// firefoxHeaders is what Firefox says to Access-Control-Allow-Headers, which it reads last.
func firefoxHeaders(r *Request, a *Answer) outcome {
	names, bad := a.list(fetch.HeaderAllowHeaders)
	if bad != "" {
		return outcome{true, []string{firefoxBlocked(r, "invalid token ‘"+bad+"’ in CORS header ‘Access-Control-Allow-Headers’"), firefoxGaveUp(r)}}
	}
	switch missing, byWildcard := missingHeaders(r, firefoxUnsafe(r.headers()), names); {
	case byWildcard: // the wildcard stands for it, yet
		return outcome{false, []string{"Cross-Origin Request Warning: The Same Origin Policy will disallow reading the remote resource at " + href(r.URL) +
			" soon. (Reason: When the `Access-Control-Allow-Headers` is `*`, the `Authorization` header is not covered. To include the `Authorization` header, it must be " +
			"explicitly listed in CORS header `Access-Control-Allow-Headers`)."}}
	case missing != nil:
		why := "header ‘" + missing[0] + "’ is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight response"
		return outcome{true, []string{firefoxBlocked(r, why), firefoxGaveUp(r)}}
	}
	return outcome{}
}

func firefoxResourcePolicy(r *Request) outcome {
	return outcome{true, []string{"The resource at “" + href(r.URL) + "” was blocked due to its Cross-Origin-Resource-Policy header (or lack thereof). See " +
		"https://developer.mozilla.org/docs/Web/HTTP/Cross-Origin_Resource_Policy_(CORP)#"}}
}
