package policy

import "corsguard/filter/fetch"

// judge returns why the resource isolation policy refuses r, and whether it does (Fetch Metadata Request Headers, section 2). Values that are none of the
// specification's are ignored, as it wants.
func (f *FetchMetadata) judge(r *Request) (Reason, bool) {
	var reason Reason
	switch r.FetchSite {
	case fetch.CrossSite:
		reason = CrossSiteNotAllowed
	case fetch.SameSite:
		reason = SameSiteNotAllowed
	}
	switch {
	case !f.mayRefuse(r.FetchSite):
		return 0, false
	case r.Method == connectMethod, r.isAsterisk():
		return 0, false // of no page
	case r.FetchMode == fetch.Navigate && r.FetchDest != fetch.Object && r.FetchDest != fetch.Embed &&
		(!f.RefuseUnsafeNavigations || r.Method == "GET" || r.Method == "HEAD"):
		return 0, false
	}
	return reason, true
}

// mayRefuse reports whether a request with this Sec-Fetch-Site may be refused.
func (f *FetchMetadata) mayRefuse(site string) bool {
	return site == fetch.CrossSite || site == fetch.SameSite && f.RefuseSameSite
}
