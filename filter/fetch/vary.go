package fetch

// MergeVary returns the value of a Vary header (RFC 9110, section 12.5.5) that holds the elements of value and those of want, and whether it
// differs from value. Elements compare without regard to case; what is there keeps its spelling and order, what is missing is appended in
// the order of want. A value with the element `*` holds everything. It allocates only where something is appended.
func MergeVary(value string, want []string) (merged string, changed bool) {
	if hasElement(value, Wildcard) {
		return value, false
	}
	for _, w := range want {
		if hasElement(value, w) {
			continue
		}
		if !changed {
			merged, changed = TrimOWS(value), true
		}
		if merged != "" {
			merged += ", "
		}
		merged += w
	}
	if !changed {
		return value, false
	}
	return merged, true
}

// hasElement reports whether the list value holds element. Values come from upstreams: no element of them is judged, and the scan is linear.
func hasElement(value, element string) bool {
	for start := 0; start <= len(value); {
		end := start
		for end < len(value) && value[end] != ',' {
			end++
		}
		if EqualFold(TrimOWS(value[start:end]), element) {
			return true
		}
		start = end + 1
	}
	return false
}
