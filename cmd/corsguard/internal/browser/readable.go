package browser

import (
	"slices"
	"strings"

	"corsguard/filter/fetch"
)

// safelistedResponseHeaders are the names of the CORS-safelisted response-headers, which are always readable, each between spaces.
const safelistedResponseHeaders = " cache-control content-language content-length content-type expires last-modified pragma "

// readable returns the names of the headers of an answer that the page of r can read.
func readable(r *Request, a *Answer) []string {
	if !r.isScripted() {
		return nil
	}
	exposed, _ := a.list(fetch.HeaderExposeHeaders)
	all := !r.IsCrossOrigin() || !r.withCredentials() && slices.Contains(exposed, fetch.Wildcard)
	var names []string
	for _, h := range a.Headers {
		name := fetch.Lower(h.Name)
		switch {
		case fetch.IsForbiddenResponseHeader(name):
		case all, strings.Contains(safelistedResponseHeaders, " "+name+" "), slices.ContainsFunc(exposed, func(e string) bool { return fetch.EqualFold(e, name) }):
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
