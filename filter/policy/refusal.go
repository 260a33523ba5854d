package policy

import "corsguard/filter/fetch"

// Refusal returns the body of a denial, which names the reason, and headers with those that belong to it: JSON where the client would rather have that. A cache that kept the
// denial could give it to others.
func Refusal(headers []Header, reason Reason, accept string) (all []Header, body string) {
	headers = append(headers, Header{"cache-control", "no-store"})
	if fetch.PrefersJSON(accept) {
		return append(headers, Header{"content-type", "application/json"}),
			`{"error":"refused by the cross-origin policy","reason":"` + reason.String() + "\"}\n"
	}
	return append(headers, Header{"content-type", "text/plain"}), "Refused by the cross-origin policy: " + reason.String() + "\n"
}
