package headervalue

import "corsguard/filter/fetch"

// Nearest returns the name of known that is the nearest one to name, or "" where none is so near that it can be meant: at most three letters differ, and
// fewer than half of them. The case of letters does not count.
func Nearest(name string, known []string) string {
	const near = 3
	best, distance := "", near+1
	for _, k := range known {
		if d := fetch.EditDistance(name, k, distance-1); d < distance && 2*d < len(k) {
			best, distance = k, d
		}
	}
	return best
}
