package policy

import "strconv"

// builder makes a table. Rules are added in their order, so that what stands in a place first is the least.
type builder struct {
	table
	regexLeaves map[regexKey]int32
	strictness  []strictness // of each rule; nil where nobody asks
	full        bool
}

type regexKey struct {
	bucket int32
	text   string
}

// maxEntries bounds a table. A host that stands in several rules needs the paths of all of them, again for each set of rules that hosts stand in.
const maxEntries = 250_000

// newTable makes the table of rules, which are in order, and fewer than noRule, and reports whether it has no more than maxEntries. The strictness is that of
// each rule, or nil.
func newTable(rules []Rule, strict []strictness) (*table, bool) {
	b := &builder{
		table: table{
			hosts: map[string]int32{}, subHosts: map[string]int32{},
			edges: map[pathEdge]int32{}, exact: map[exactPath]int32{}, routes: map[leafRoute]int32{},
		},
		regexLeaves: map[regexKey]int32{},
		strictness:  strict,
	}
	// Hosts that stand in the same rules share a bucket. Otherwise a rule of many hosts and paths would take their product.
	var anyHost []int32
	named := map[Host][]int32{}
	var order []Host
	for i := range rules {
		hosts := rules[i].Match.Hosts
		if len(hosts) == 0 {
			anyHost = append(anyHost, int32(i))
		}
		for _, h := range hosts {
			if named[h] == nil {
				order = append(order, h)
			}
			named[h] = append(named[h], int32(i))
		}
	}
	b.asksHost = len(order) > 0
	b.anyHost = b.newBucket(rules, anyHost)
	shared := map[string]int32{}
	for _, h := range order {
		key := signature(named[h])
		bucket, ok := shared[key]
		if !ok {
			bucket = b.newBucket(rules, named[h])
			shared[key] = bucket
		}
		if h.Subdomains {
			b.subHosts[h.Name] = bucket
		} else {
			b.hosts[h.Name] = bucket
		}
	}
	t := b.table // lets go of what only building needs
	return &t, !b.full
}

func (b *builder) isFull() bool {
	b.full = b.full || len(b.pathNodes)+len(b.exact)+len(b.leaves)+len(b.routes) > maxEntries
	return b.full
}

func signature(rules []int32) string {
	var key []byte
	for _, r := range rules {
		key = append(strconv.AppendInt(key, int64(r), 36), ' ')
	}
	return string(key)
}

// newBucket makes the bucket of some rules.
func (b *builder) newBucket(rules []Rule, members []int32) int32 {
	id := int32(len(b.buckets))
	b.buckets = append(b.buckets, bucket{firstPath: noRule, anyPath: noLeaf, root: b.node(), strictness: leastStrict})
	for _, i := range members {
		m := &rules[i].Match
		at := &b.buckets[id]
		if b.strictness != nil {
			at.strictness = at.strictness.joined(b.strictness[i])
		}
		if m.anyPath() {
			b.setLeaf(&at.anyPath, m, i)
			continue
		}
		b.asksPath = true
		at.firstPath = min(at.firstPath, i)
		for j := 0; j < len(m.Paths) && !b.isFull(); j++ {
			b.addPath(id, m, &m.Paths[j], i)
		}
	}
	return id
}

// anyPath reports whether m takes every path.
func (m *Match) anyPath() bool {
	for i := range m.Paths {
		if m.Paths[i].matchesAll() {
			return true
		}
	}
	return len(m.Paths) == 0
}

func (p *Path) matchesAll() bool { return p.Kind == PrefixPath && p.Value == "/" }

func (b *builder) addPath(id int32, m *Match, p *Path, rule int32) {
	switch p.Kind {
	case ExactPath:
		b.longestPath = max(b.longestPath, len(p.Value))
		key := exactPath{id, p.Value}
		leaf, ok := b.exact[key]
		if !ok {
			leaf = noLeaf
		}
		b.setLeaf(&leaf, m, rule)
		b.exact[key] = leaf
	case PrefixPath:
		at := b.buckets[id].root
		for rest := p.Value; rest != ""; {
			var segment string
			segment, rest = cutSegment(rest, len(rest))
			b.longestSegment = max(b.longestSegment, len(segment))
			next, ok := b.edges[pathEdge{at, segment}]
			if !ok {
				next = b.node()
				b.edges[pathEdge{at, segment}] = next
			}
			at = next
		}
		b.setLeaf(&b.pathNodes[at], m, rule)
	case RegexPath:
		key := regexKey{id, p.Regex.String()}
		leaf, ok := b.regexLeaves[key]
		if !ok {
			leaf = noLeaf
		}
		b.setLeaf(&leaf, m, rule)
		if !ok {
			b.regexLeaves[key] = leaf
			at := &b.buckets[id]
			at.regexes = append(at.regexes, pathRegex{p.Regex, rule, leaf})
		}
	}
}

func (b *builder) node() int32 {
	b.pathNodes = append(b.pathNodes, noLeaf)
	return int32(len(b.pathNodes) - 1)
}

// setLeaf puts a rule into a leaf, which it makes if there is none.
func (b *builder) setLeaf(leaf *int32, m *Match, rule int32) {
	if *leaf == noLeaf {
		*leaf = int32(len(b.leaves))
		b.leaves = append(b.leaves, noRule)
	}
	if len(m.Routes) == 0 {
		b.leaves[*leaf] = min(b.leaves[*leaf], rule)
	}
	for _, route := range m.Routes {
		b.asksRoute = true
		key := leafRoute{*leaf, route}
		if _, ok := b.routes[key]; !ok {
			b.routes[key] = rule
		}
	}
}
