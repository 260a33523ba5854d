package policy

import "corsguard/filter/fetch"

// AsksFetchMetadata reports whether d, made without knowing the Sec-Fetch headers, may change with them. What CORS allows is not asked about, nor same-origin requests;
// and a preflight gives nothing away.
func (p *Policy) AsksFetchMetadata(d *Decision) bool {
	return p.fetchMetadata.On && !p.anyOrigin && d.Status == 0 && d.Kind != Preflight && (d.Verdict() == Refused || d.Reason == NothingAsked || d.Reason == CORSOff)
}

// MayRefuseSite reports whether a request with this Sec-Fetch-Site may be refused for it.
func (p *Policy) MayRefuseSite(site string) bool { return p.fetchMetadata.mayRefuse(site) }

func (p *Policy) decideFetchMetadata(r *Request, d *Decision) {
	reason, refuses := p.fetchMetadata.judge(r)
	switch {
	case !refuses:
	case p.fetchMetadata.Report:
		d.Reports, d.Reported = true, reason
	default:
		*d = Decision{Kind: d.Kind, Reason: reason, Status: statusDenied, Vary: p.deniedVary}
	}
}

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
