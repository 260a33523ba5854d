package config

import "corsguard/filter/fetch"

// suggest returns what to write instead of an unknown key: the nearest one that there is, if one is near.
func suggest(key string, names []string) string {
	const near = 3
	best, distance := "", near+1
	for _, name := range names {
		if d := fetch.EditDistance(key, name, near); d < distance {
			best, distance = name, d
		}
	}
	if best != "" && distance < len(best) {
		return `did you mean "` + best + `"?`
	}
	return "write " + oneOf(names)
}
