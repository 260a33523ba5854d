package headervalue

// Nearest returns the name of known that is the nearest one to name, or "" where none is so near that it can be meant: at most three letters differ, and
// fewer than half of them. The case of letters does not count.
func Nearest(name string, known []string) string {
	const near = 3
	best, distance := "", near+1
	for _, k := range known {
		if d := editDistance(name, k, distance-1); d < distance && 2*d < len(k) {
			best, distance = k, d
		}
	}
	return best
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
