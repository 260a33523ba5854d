package policy

import "corsguard/filter/origin"

// Source is where a group gets origins from at run time, beside those that it lists: an HTTP endpoint behind a cluster. Groups with equal sources share one.
type Source struct {
	Cluster, Authority, Path string
	Interval, Timeout        int // milliseconds
	MaxBytes                 int
	// What a document is checked for, as a list of the groups is.
	Credentials, InsecureOK, PublicSuffixOK bool
}

// Fetched is what a source gave: origins for every host, or for each host its own. It is immutable while it is in use. The zero value lists nothing.
type Fetched struct {
	_ [0]func() // not comparable

	byHost bool
	// hosts numbers the hosts of a document that has any, from 0. In a document without them, all is of everyHost.
	hosts    map[string]int32
	exact    map[hostOrigin]struct{}
	patterns map[int32]*origin.Set
	// forAll keeps the patterns of everyHost from one document to the next, and free those of other hosts that the last document had.
	forAll *origin.Set
	free   []*origin.Set
}

// hostOrigin is an origin that is listed to the letter, and the host that lists it. Few pointers, and no map for each host: there may be a hundred thousand of either.
type hostOrigin struct {
	host   int32
	origin string
}

const everyHost int32 = -1

// NewFetched returns an empty document with room for about n origins.
func NewFetched(n int) *Fetched { return &Fetched{exact: make(map[hostOrigin]struct{}, n)} }

// Reset empties the document. It keeps its memory, so that the next one of about that size and form needs hardly any.
func (f *Fetched) Reset() {
	// mostKept bounds what is kept of a host's patterns, for any host: in the end all would have room for those of the largest.
	const mostKept = 32
	f.byHost = false
	clear(f.hosts)
	clear(f.exact)
	clear(f.free) // what the last document had no use for
	f.free = f.free[:0]
	for host, set := range f.patterns {
		keeps := set.Len() <= mostKept
		if host == everyHost || keeps {
			set.Reset()
		}
		if host != everyHost && keeps {
			f.free = append(f.free, set)
		}
	}
	clear(f.patterns)
}

// newSet returns an empty set for the patterns of a host, where there may be one from documents before.
func (f *Fetched) newSet(host int32) (set *origin.Set) {
	last := len(f.free) - 1
	switch {
	case host == everyHost:
		if f.forAll == nil {
			f.forAll = &origin.Set{}
		}
		return f.forAll
	case last < 0:
		return &origin.Set{}
	}
	set, f.free[last] = f.free[last], nil
	f.free = f.free[:last]
	return set
}

// Host returns the number of a host, a name in lower case, and makes the document one that has hosts.
func (f *Fetched) Host(name string) int32 {
	f.byHost = true
	if f.hosts == nil {
		f.hosts = map[string]int32{}
	}
	n, ok := f.hosts[name]
	if !ok {
		n = int32(len(f.hosts))
		f.hosts[name] = n
	}
	return n
}

// Hosts returns how many hosts the document has.
func (f *Fetched) Hosts() int { return len(f.hosts) }

// EveryHost is the number for Add in a document without hosts.
func (f *Fetched) EveryHost() int32 { return everyHost }

// Add lists p for a host, and reports whether that is new. What is a pattern, and not an exact origin, always is.
func (f *Fetched) Add(host int32, p *origin.Pattern) bool {
	if p.IsLiteral() {
		key := hostOrigin{host, p.String()}
		_, known := f.exact[key]
		f.exact[key] = struct{}{}
		return !known
	}
	if f.patterns == nil {
		f.patterns = map[int32]*origin.Set{}
	}
	set := f.patterns[host]
	if set == nil {
		set = f.newSet(host)
		f.patterns[host] = set
	}
	set.Add(p, 0)
	return true
}

// ByHost reports whether the document has origins for each host.
func (f *Fetched) ByHost() bool { return f != nil && f.byHost }

// lists reports whether the document lists an origin, which is well-formed, for a request to an authority. Nothing is listed by no document.
func (f *Fetched) lists(from, authority string) bool {
	if f == nil {
		return false
	}
	host := everyHost
	if f.byHost {
		var ok bool
		if host, ok = f.hosts[hostOf(authority)]; !ok {
			return false
		}
	}
	if _, ok := f.exact[hostOrigin{host, from}]; ok {
		return true
	}
	if set := f.patterns[host]; set != nil {
		verdict, _ := set.Match(from)
		return verdict == origin.Listed
	}
	return false
}

// AsksAuthority reports whether what p decides about a request with an Origin depends on its authority, as long as inForce are the documents of the sources.
func (p *Policy) AsksAuthority(inForce []*Fetched) bool {
	for i := range p.groups {
		if s := p.groups[i].source; s > 0 && s <= len(inForce) && inForce[s-1].ByHost() {
			return true
		}
	}
	return false
}

// fetchedGroup returns the number of the first group before limit whose source lists the Origin of r, or limit.
func (p *Policy) fetchedGroup(r *Request, limit int32) int32 {
	for i := int32(0); i < limit; i++ {
		if s := p.groups[i].source; s > 0 && s <= len(r.InForce) && r.InForce[s-1].lists(r.Origin, r.Authority) {
			return i
		}
	}
	return limit
}
