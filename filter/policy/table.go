package policy

import "corsguard/filter/regex"

// table finds the first rule that matches a request. It is an index: by host, then by path, then by route, so that a look-up costs the same for ten rules as for
// thousands. Only the regular expressions of a host are asked one by one. A table is immutable.
type table struct {
	// Buckets by host; hosts for which the same rules count share one.
	hosts     map[string]int32
	subHosts  map[string]int32 // by what stands to the right of `*.`
	anyHost   int32            // the bucket of the rules that name no host
	buckets   []bucket
	pathNodes []int32 // the leaf of each node of the trees over the segments of paths
	edges     map[pathEdge]int32
	exact     map[exactPath]int32
	leaves    []int32 // the first rule that names no route
	routes    map[leafRoute]int32

	// What is longer is not looked up.
	longestPath, longestSegment int

	asksHost, asksPath, asksRoute bool
}

type (
	bucket struct {
		firstPath  int32 // the first rule that names a path
		anyPath    int32 // leaf, or noLeaf
		root       int32 // node
		regexes    []pathRegex
		strictness strictness // of all its rules
	}
	pathRegex struct {
		*regex.Regexp
		first int32 // rule
		leaf  int32
	}
	pathEdge struct {
		from    int32
		segment string
	}
	exactPath struct {
		bucket int32
		path   string
	}
	leafRoute struct {
		leaf  int32
		route string
	}
)

const (
	noRule int32 = 1<<31 - 1 // behind all rules
	noLeaf int32 = -1
)

// maxRegexPath bounds the paths that regular expressions are asked about. They cost time for every byte.
const maxRegexPath = 2048

// lookup is one reading of a request: its host, path and route, "" for what it has not.
type lookup struct{ host, path, route string }

// finding is what a table says about a lookup.
type finding struct {
	rule int32 // noRule: none matches
	// pathCounts: with another path another rule could match.
	pathCounts bool
	// unclear: a regular expression that could win was not asked to its end, because that takes too long.
	unclear bool
	// regexes: regular expressions were asked.
	regexes bool
}

// find returns the first rule that matches q.
func (t *table) find(q *lookup) finding {
	var few [8]int32
	buckets := t.bucketsOf(q.host, few[:0])
	got := finding{rule: noRule}
	firstPath := noRule
	for _, b := range buckets {
		got.rule = t.least(t.buckets[b].anyPath, q.route, got.rule)
		firstPath = min(firstPath, t.buckets[b].firstPath)
	}
	if firstPath >= got.rule {
		return got
	}
	got.pathCounts = true
	if q.path == "" || q.path[0] != '/' {
		return got
	}
	for _, b := range buckets {
		if t.buckets[b].firstPath < got.rule {
			got.rule = t.findPath(b, q, got.rule)
		}
	}
	steps := regex.MaxSteps
	for _, b := range buckets {
		for i := range t.buckets[b].regexes {
			re := &t.buckets[b].regexes[i]
			if re.first >= got.rule {
				continue
			}
			got.regexes = true
			switch {
			case len(q.path) > maxRegexPath || steps < 0:
				got.unclear = true
			case re.MatchWithin(q.path, &steps):
				got.rule = t.least(re.leaf, q.route, got.rule)
			}
		}
	}
	got.unclear = got.unclear || steps < 0
	return got
}

// strictnessOf returns that of all rules that could be for host.
func (t *table) strictnessOf(host string) strictness {
	var few [8]int32
	all := leastStrict
	for _, b := range t.bucketsOf(host, few[:0]) {
		all = all.joined(t.buckets[b].strictness)
	}
	return all
}

// bucketsOf appends the buckets whose hosts take host.
func (t *table) bucketsOf(host string, buckets []int32) []int32 {
	if t.asksHost && host != "" {
		if b, ok := t.hosts[host]; ok {
			buckets = append(buckets, b)
		}
		if len(t.subHosts) > 0 {
			for i := 1; i < len(host)-1; i++ {
				if host[i] != '.' {
					continue
				}
				if b, ok := t.subHosts[host[i+1:]]; ok {
					buckets = append(buckets, b)
				}
			}
		}
	}
	return append(buckets, t.anyHost)
}

// least returns the lesser of rule and the first rule of leaf that takes route.
func (t *table) least(leaf int32, route string, rule int32) int32 {
	if leaf == noLeaf {
		return rule
	}
	rule = min(rule, t.leaves[leaf])
	if t.asksRoute && route != "" {
		if r, ok := t.routes[leafRoute{leaf, route}]; ok {
			rule = min(rule, r)
		}
	}
	return rule
}

// findPath looks for the path of q among the exact paths and the prefixes of bucket b, and returns the lesser of rule and the first that takes it.
func (t *table) findPath(b int32, q *lookup, rule int32) int32 {
	if len(q.path) <= t.longestPath {
		if leaf, ok := t.exact[exactPath{b, q.path}]; ok {
			rule = t.least(leaf, q.route, rule)
		}
	}
	return t.findPrefix(b, q, rule)
}

// findPrefix looks for the prefixes of the path of q.
func (t *table) findPrefix(b int32, q *lookup, rule int32) int32 {
	at := t.buckets[b].root
	for rest := q.path; rest != ""; {
		var segment string
		segment, rest = cutSegment(rest, t.longestSegment)
		next, ok := t.edges[pathEdge{at, segment}]
		if !ok {
			break
		}
		at = next
		rule = t.least(t.pathNodes[at], q.route, rule)
	}
	return rule
}

// cutSegment cuts path, which begins with a slash, behind its first segment. Of a segment that is longer than longest, so much is returned that it is too long.
func cutSegment(path string, longest int) (segment, rest string) {
	for i := 1; i < len(path); i++ {
		if path[i] == '/' || i > longest+1 {
			return path[1:i], path[i:]
		}
	}
	return path[1:], ""
}
