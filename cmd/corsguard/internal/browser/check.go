package browser

import (
	"slices"

	"corsguard/filter/fetch"
)

// Verdict is what becomes of a response.
type Verdict struct {
	Allowed bool    // by the standard
	Failure Failure // what stands against it
	Value   string  // what does not fit: a header's value, a method or a header name

	// AllowedBy has the browsers that let through what the standard refuses. None refuses what the standard lets through.
	AllowedBy []string
	// Chromium and Firefox are what the consoles say: the complete message, or "" if they say nothing. Firefox may warn of what it allows. FirefoxMore is what
	// it says after that, which tells no more.
	Chromium, Firefox string
	FirefoxMore       []string

	// Of a preflight.
	Missing []string // all request headers that are not allowed; Chromium names any one of them
	Cache   Cache    // for how long browsers don't ask again, where it is allowed

	// Of an actual request that is allowed.
	Readable []string // the headers that the page can read, if a script gets the response: in lower case, sorted
	Opaque   bool     // the page reads nothing at all, neither status nor body
	Location string   // where it is redirected to, which is another request
}

// The browsers of which is known where they differ.
const (
	chromium = "Chromium"
	firefox  = "Firefox"
)

// CheckPreflight returns what browsers make of the answer to the preflight of r, which must have one.
func CheckPreflight(r *Request, a Answer) Verdict {
	var v Verdict
	v.Failure, v.Value, v.Missing = preflightFailure(r, &a, r.unsafeNames())
	if v.Allowed = v.Failure == None; v.Allowed {
		v.Cache = cacheOf(&a)
	}
	v.consoles(chromiumPreflight(r, &a), firefoxPreflight(r, &a))
	return v
}

// preflightFailure is what the CORS-preflight fetch of the standard does with a response to a preflight that asks for the headers unsafe. Redirects, which have
// no ok status like others, are told apart. Where ForcePreflight is set and Access-Control-Allow-Methods missing, the standard takes the method for allowed;
// browsers do not.
func preflightFailure(r *Request, a *Answer, unsafe []string) (f Failure, value string, missing []string) {
	if _, redirect := a.isRedirect(); redirect {
		return PreflightRedirect, "", nil
	}
	if f, value := corsFailure(r, a); f != None {
		return f, value, nil
	}
	if !a.isOK() {
		return PreflightStatus, "", nil
	}
	methods, badMethod := a.list(fetch.HeaderAllowMethods)
	names, badName := a.list(fetch.HeaderAllowHeaders)
	method := r.method()
	missing, byWildcard := missingHeaders(r, unsafe, names)
	switch {
	case badMethod != "":
		return InvalidAllowMethods, badMethod, nil
	case badName != "":
		return InvalidAllowHeaders, badName, nil
	case !fetch.IsSafelistedMethod(method) && !allows(methods, method, r):
		return MethodNotAllowed, method, missing
	case byWildcard:
		return AuthorizationByWildcard, fetch.HeaderAuthorization, missing
	case missing != nil:
		return HeaderNotAllowed, missing[0], missing
	}
	return None, "", nil
}

// allows reports whether names has name or, without credentials, the wildcard.
func allows(names []string, name string, r *Request) bool {
	return slices.Contains(names, name) || !r.withCredentials() && slices.Contains(names, fetch.Wildcard)
}

// missingHeaders returns which of the headers unsafe names does not allow; byWildcard tells that authorization is the only one, and would be allowed if a
// wildcard stood for it.
func missingHeaders(r *Request, unsafe, names []string) (missing []string, byWildcard bool) {
	wildcard := !r.withCredentials() && slices.Contains(names, fetch.Wildcard)
	for _, name := range unsafe {
		listed := slices.ContainsFunc(names, func(n string) bool { return fetch.EqualFold(n, name) })
		if !listed && (!wildcard || name == fetch.HeaderAuthorization) {
			missing = append(missing, name)
		}
	}
	return missing, wildcard && missing != nil
}

// CheckActual returns what a browser makes of the answer to the actual request.
func CheckActual(r *Request, a Answer) Verdict {
	switch {
	case r.Mode == NoCORS && r.IsCrossOrigin():
		return checkOpaque(r, &a)
	case r.Mode == Navigate:
		location, _ := a.isRedirect()
		return Verdict{Allowed: true, Opaque: r.IsCrossOrigin(), Location: location}
	}
	if !r.IsCrossOrigin() {
		v := Verdict{Allowed: true}
		if v.Location, _ = a.isRedirect(); v.Location == "" {
			v.Readable = readable(r, &a)
		}
		return v
	}
	var v Verdict
	v.Failure, v.Value = actualFailure(r, &a)
	if v.Allowed = v.Failure == None; v.Allowed {
		if v.Location, _ = a.isRedirect(); v.Location == "" {
			v.Readable = readable(r, &a)
		}
	}
	v.consoles(chromiumActual(r, &a), firefoxActual(r, &a))
	return v
}

// actualFailure is what the standard does with the response to an actual request. Redirects pass the CORS check too, before they are followed.
func actualFailure(r *Request, a *Answer) (Failure, string) {
	if f, value := corsFailure(r, a); f != None {
		return f, value
	}
	return redirectFailure(r, a)
}

// redirectFailure reports where a response redirects to that CORS does not allow.
func redirectFailure(r *Request, a *Answer) (Failure, string) {
	location, redirect := a.isRedirect()
	if !redirect {
		return None, ""
	}
	u, err := r.URL.Parse(location)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https":
		return RedirectScheme, location
	case u.User != nil && u.User.String() != "" && u.User.String() != ":":
		return RedirectWithCredentials, location
	}
	return None, ""
}

// corsFailure is the CORS check of the standard.
func corsFailure(r *Request, a *Answer) (Failure, string) {
	value, ok := a.get(fetch.HeaderAllowOrigin)
	switch {
	case !ok:
		return MissingAllowOrigin, ""
	case value == fetch.Wildcard && !r.withCredentials():
		return None, ""
	case value == fetch.Wildcard:
		return WildcardWithCredentials, value
	case value != r.Origin && (len(a.values(fetch.HeaderAllowOrigin)) > 1 || isSeveral(value)):
		return MultipleAllowOrigin, value
	case value != r.Origin:
		return AllowOriginMismatch, value
	}
	if value, _ := a.get(fetch.HeaderAllowCredentials); r.withCredentials() && value != "true" {
		return AllowCredentialsNotTrue, value
	}
	return None, ""
}

// outcome is what one browser does with a response, which need not be what the standard says.
type outcome struct {
	blocked  bool
	messages []string // for the console; warnings have them where nothing is blocked
}

func (v *Verdict) consoles(ofChromium, ofFirefox outcome) {
	if len(ofChromium.messages) > 0 {
		v.Chromium = ofChromium.messages[0]
	}
	if len(ofFirefox.messages) > 0 {
		v.Firefox, v.FirefoxMore = ofFirefox.messages[0], ofFirefox.messages[1:]
	}
	if !v.Allowed && !ofChromium.blocked {
		v.AllowedBy = append(v.AllowedBy, chromium)
	}
	if !v.Allowed && !ofFirefox.blocked {
		v.AllowedBy = append(v.AllowedBy, firefox)
	}
}
