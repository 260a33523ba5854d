package policy

// MaxCombinations bounds the hosts × paths × routes of all rules together, which is what finding unreachable rules costs.
const MaxCombinations = 1_000_000

// maxCoverSteps bounds what regular expressions cost on top of that.
const maxCoverSteps = 20_000_000

// Combinations returns hosts × paths × routes of m, where a part that is left out counts as one.
func (m *Match) Combinations() int64 {
	return int64(max(len(m.Hosts), 1)) * int64(max(len(m.Paths), 1)) * int64(max(len(m.Routes), 1))
}

// Unreachable is a rule that never decides.
type Unreachable struct {
	Rule int
	By   []int // the earlier rules that take all that it matches
}

// FindUnreachable returns the rules of which every combination of a host, a path and a route is matched by an earlier rule. What several rules match only
// together, of one combination, is not found, nor is what takes regular expressions too long. The rules must have no more than MaxCombinations combinations. It reports whether they fit into a table.
func FindUnreachable(rules []Rule) ([]Unreachable, bool) {
	t, ok := newTable(rules, nil)
	if !ok {
		return nil, false
	}
	c := &cover{table: t, steps: maxCoverSteps, known: map[askedPath]bool{}}
	var found []Unreachable
	for i := 1; i < len(rules); i++ {
		if by := c.coveredBy(&rules[i].Match, int32(i)); by != nil {
			found = append(found, Unreachable{i, by})
		}
	}
	return found, true
}

// cover finds out what is covered by what comes before.
type cover struct {
	*table
	steps int // left for regular expressions
	// known holds what expressions said of paths: the same ones are asked about under many hosts.
	known map[askedPath]bool
}

type askedPath struct{ regex, path string }

// coveredBy returns the rules before rule that take everything that m, its match, does; nil if they do not.
func (c *cover) coveredBy(m *Match, rule int32) []int {
	hosts, paths, routes := m.Hosts, m.Paths, m.Routes
	if len(hosts) == 0 {
		hosts = []Host{{}}
	}
	if m.anyPath() {
		paths = []Path{{Kind: PrefixPath, Value: "/"}}
	}
	if len(routes) == 0 {
		routes = []string{""}
	}
	var by []int
	seen, same := map[int32]bool{}, map[string]bool{}
	for i := range hosts {
		buckets := c.bucketsOver(&hosts[i])
		key := signature(buckets)
		if same[key] {
			continue
		}
		same[key] = true
		for j := range paths {
			for _, route := range routes {
				r := c.firstOver(buckets, &paths[j], route)
				if r >= rule {
					return nil
				}
				if !seen[r] {
					seen[r] = true
					by = append(by, int(r))
				}
			}
		}
	}
	return by
}

// bucketsOver returns the buckets that take all hosts that h does.
func (t *table) bucketsOver(h *Host) []int32 {
	switch {
	case h.Name == "":
		return []int32{t.anyHost}
	case h.Subdomains:
		// A name under it stands for all of them; no rule has it, for `*` is in no name.
		return t.bucketsOf("*."+h.Name, nil)
	}
	return t.bucketsOf(h.Name, nil)
}

// firstOver returns the first rule in buckets that takes all of p and route; a route of "" stands for all routes.
func (c *cover) firstOver(buckets []int32, p *Path, route string) int32 {
	t := c.table
	rule := noRule
	q := &lookup{path: p.Value, route: route}
	for _, b := range buckets {
		at := &t.buckets[b]
		rule = t.least(at.anyPath, route, rule)
		if p.matchesAll() {
			continue
		}
		switch p.Kind {
		case PrefixPath:
			rule = t.findPrefix(b, q, rule)
		case ExactPath:
			rule = t.findPath(b, q, rule)
		}
		for i := range at.regexes {
			re := &at.regexes[i]
			if re.first < rule && c.regexCovers(re, p) {
				rule = t.least(re.leaf, route, rule)
			}
		}
	}
	return rule
}

// regexCovers reports whether re takes all of p. Asked about a path, it may run out of steps and then does not.
func (c *cover) regexCovers(re *pathRegex, p *Path) bool {
	switch p.Kind {
	case RegexPath:
		return re.String() == p.Regex.String()
	case ExactPath:
		key := askedPath{re.String(), p.Value}
		takes, known := c.known[key]
		if !known && c.steps >= 0 {
			takes = re.MatchWithin(p.Value, &c.steps)
			c.known[key] = takes
		}
		return takes
	}
	return false
}
