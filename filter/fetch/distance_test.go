package fetch

import (
	"strings"
	"testing"
)

// distance is the textbook's.
func distance(a, b string) int {
	if a == "" || b == "" {
		return len(a) + len(b)
	}
	cost := 1
	if strings.EqualFold(a[:1], b[:1]) {
		cost = 0
	}
	return min(distance(a[1:], b)+1, distance(a, b[1:])+1, distance(a[1:], b[1:])+cost)
}

func TestDistancesAreThoseOfTheTextbook(t *testing.T) {
	words := []string{"", "a", "ab", "ba", "abc", "acb", "xabc", "ABC", "abcd", "bcda", "-a-b", "aaaa", "zzzz", "abab", "baba"}
	for _, a := range words {
		for _, b := range words {
			for limit := 0; limit < 6; limit++ {
				want := distance(a, b)
				if got := EditDistance(a, b, limit); got != want && (want <= limit || got <= limit) {
					t.Errorf("%q %q within %d: %d, want %d", a, b, limit, got, want)
				}
			}
		}
	}
}
