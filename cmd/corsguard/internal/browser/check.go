package browser

import (
	"net/url"
	"slices"

	"corsguard/filter/fetch"
)

// Verdict is what becomes of a response.
type Verdict struct {
	Allowed bool    // by the standard
	Failure Failure // what stands against it
	Value   string  // what does not fit: a header's value, a method or a header name

	// Chromium and Firefox are what the consoles say: the complete message, or "" if they say nothing. A browser that does not follow the standard is named in
	// AllowedBy, if it lets through what the standard refuses, or in RefusedBy.
	Chromium, Firefox    string
	AllowedBy, RefusedBy []string

	// Missing, of a preflight, has all request headers that are not allowed. Cache, of one that is allowed, is how long browsers don't ask again.
	Missing []string
	Cache   Cache

	// Of an actual request that is allowed: the headers that the page can read, in lower case, sorted; whether it reads nothing at all, neither status nor body; and
	// where it is redirected to, which is another request.
	Readable []string
	Opaque   bool
	Location string
}

// CheckPreflight returns what a browser makes of the answer to the preflight of r, which must have one.
func CheckPreflight(r *Request, a Answer) Verdict {
	var v Verdict
	v.Failure, v.Value, v.Missing = preflightFailure(r, &a)
	if v.Allowed = v.Failure == None; v.Allowed {
		v.Cache = cacheOf(&a)
	}
	v.consoles(r, chromiumPreflight(r, &a), firefoxPreflight(r, &a))
	return v
}

// preflightFailure is what the CORS-preflight fetch of the standard does with a response. The standard's redirects have no ok status, like any other.
func preflightFailure(r *Request, a *Answer) (f Failure, value string, missing []string) {
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
	missing, byWildcard := missingHeaders(r, names)
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

// missingHeaders returns the CORS-unsafe request-header names that names does not allow; byWildcard tells that authorization is the only one, and would be allowed
// if a wildcard stood for it.
func missingHeaders(r *Request, names []string) (missing []string, byWildcard bool) {
	lower := make([]string, len(names))
	for i, name := range names {
		lower[i] = fetch.Lower(name)
	}
	wildcard := !r.withCredentials() && slices.Contains(names, fetch.Wildcard)
	for _, name := range unsafeNames(r.headers()) {
		if !slices.Contains(lower, name) && (!wildcard || name == fetch.HeaderAuthorization) {
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
	var v Verdict
	if r.IsCrossOrigin() {
		v.Failure, v.Value = corsFailure(r, &a)
	}
	if location, redirect := a.isRedirect(); redirect && v.Failure == None {
		v.Location = location
		if r.IsCrossOrigin() && hasCredentials(r.URL, location) {
			v.Failure, v.Value, v.Location = RedirectWithCredentials, location, ""
		}
	}
	if v.Allowed = v.Failure == None; v.Allowed && v.Location == "" {
		v.Readable = readable(r, &a)
	}
	if r.IsCrossOrigin() {
		v.consoles(r, chromiumActual(r, &a), firefoxActual(r, &a))
	}
	return v
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

// hasCredentials reports whether a Location, relative to base, has a user name or a password.
func hasCredentials(base *url.URL, location string) bool {
	u, err := base.Parse(location)
	return err == nil && u.User != nil && u.User.String() != ""
}

// outcome is what one browser does with a response, which need not be what the standard says.
type outcome struct {
	blocked bool
	message string // for the console; warnings have one where nothing is blocked
}

func (v *Verdict) consoles(r *Request, chromium, firefox outcome) {
	v.Chromium, v.Firefox = chromium.message, firefox.message
	for _, b := range []struct {
		name string
		outcome
	}{{"Chromium", chromium}, {"Firefox", firefox}} {
		switch {
		case v.Allowed && b.blocked:
			v.RefusedBy = append(v.RefusedBy, b.name)
		case !v.Allowed && !b.blocked:
			v.AllowedBy = append(v.AllowedBy, b.name)
		}
	}
}
