package fetch

import "strings"

// PrefersJSON reports whether a client that sent value as its Accept header (RFC 9110, section 12.5.1) is better served with JSON than with plain text: it names application/json, and
// likes it no less. It reads no more than MaxListBytes; of elements that are malformed nothing is known.
func PrefersJSON(value string) bool {
	if len(value) > MaxListBytes {
		return false
	}
	json, text, textRank := -1, 0, 0
	for more := true; more; {
		var element string
		element, value, more = strings.Cut(value, ",")
		mediaRange, parameters, _ := strings.Cut(element, ";")
		mediaRange = TrimOWS(mediaRange)
		rank := 0
		switch {
		case EqualFold(mediaRange, "application/json"):
			json = max(json, quality(parameters))
			continue
		case EqualFold(mediaRange, "text/plain"):
			rank = 3
		case EqualFold(mediaRange, "text/*"):
			rank = 2
		case mediaRange == "*/*":
			rank = 1
		}
		// The most specific range counts.
		if q := quality(parameters); q >= 0 && rank > textRank {
			text, textRank = q, rank
		}
	}
	return json > 0 && json >= text
}

// quality returns the weight among parameters in thousandths (RFC 9110, section 12.4.2), 1000 where there is none, and -1 where it is malformed.
func quality(parameters string) int {
	const most = 1000
	for more := parameters != ""; more; {
		var p string
		p, parameters, more = strings.Cut(parameters, ";")
		name, weight, _ := strings.Cut(p, "=")
		if !EqualFold(TrimOWS(name), "q") {
			continue
		}
		weight = TrimOWS(weight)
		if weight == "" || weight[0] != '0' && weight[0] != '1' || len(weight) > len("0.000") || len(weight) > 1 && weight[1] != '.' {
			return -1
		}
		q, unit := int(weight[0]-'0')*most, most
		for i := 2; i < len(weight); i++ {
			if weight[i] < '0' || weight[i] > '9' {
				return -1
			}
			unit /= 10
			q += int(weight[i]-'0') * unit
		}
		if q > most {
			return -1
		}
		return q
	}
	return most
}
