package config

// suggest returns what to write instead of an unknown key: the nearest one that there is, if one is near.
func suggest(key string, names []string) string {
	const near = 3
	best, distance := "", near+1
	for _, name := range names {
		if d := editDistance(key, name, near); d < distance {
			best, distance = name, d
		}
	}
	if best != "" && distance < len(best) {
		return `did you mean "` + best + `"?`
	}
	return "write " + oneOf(names)
}

// editDistance returns the Levenshtein distance of a and b without regard to the case of letters, or more than limit where it is more.
func editDistance(a, b string, limit int) int {
	if len(a) > len(b)+limit || len(b) > len(a)+limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1]|0x20 == b[j-1]|0x20 {
				cost = 0
			}
			next := min(row[j]+1, row[j-1]+1, diagonal+cost)
			diagonal, row[j] = row[j], next
		}
	}
	return row[len(b)]
}
