package filter

import (
	"corsguard/filter/fetch"
	"corsguard/filter/policy"
)

// appendRefusal returns the body of a denial, which names the reason, and headers with those that belong to it: JSON where the client would rather have that. A cache that kept
// the denial could give it to others.
func appendRefusal(headers []policy.Header, reason policy.Reason, accept string) ([]policy.Header, string) {
	headers = append(headers, policy.Header{"cache-control", "no-store"})
	if fetch.PrefersJSON(accept) {
		return append(headers, policy.Header{"content-type", "application/json"}),
			`{"error":"refused by the cross-origin policy","reason":"` + reason.String() + "\"}\n"
	}
	return append(headers, policy.Header{"content-type", "text/plain"}), "Refused by the cross-origin policy: " + reason.String() + "\n"
}
