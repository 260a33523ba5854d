package convert

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"corsguard/filter/origin"
)

// virtualHost is a set of hosts with routes of its own: a request for one of the hosts that fits no route gets nothing.
type virtualHost struct {
	at     *node
	name   string
	hosts  []string // "*" is every host
	lost   []string // hosts that cannot be said
	ported []string // those of hosts that stand for one port in the source
	scopes []scope  // without hosts
}

// hostClass orders hosts as proxies look them up: exact names, then wildcards, the longer first, then what takes every host.
func hostClass(host string) (class, length int) {
	switch {
	case host == "*":
		return 2, 0
	case strings.HasPrefix(host, "*."):
		return 1, -len(host)
	}
	return 0, 0
}

// addVirtualHost adds a host with scopes, to a virtual host that has the same where there is one.
func (c *converter) addVirtualHost(vhosts []virtualHost, n *node, host string, scopes []scope) []virtualHost {
	for i := range vhosts {
		if sameScopes(vhosts[i].scopes, scopes) {
			c.addHost(&vhosts[i], n, host)
			return vhosts
		}
	}
	v := virtualHost{at: n, name: objectName(n), scopes: scopes}
	c.addHost(&v, n, host)
	return append(vhosts, v)
}

// owned is a host of a virtual host.
type owned struct {
	host  string
	vhost int
	lost  bool
}

// order is by class, then by length.
func (o *owned) order() (class, length int) {
	const afterExact, afterWildcards = 1, 3
	switch {
	case o.lost && (strings.HasPrefix(o.host, "*") || o.host == ""):
		return afterExact, 0
	case o.lost:
		return afterWildcards, 0
	}
	class, length = hostClass(o.host)
	return 2 * class, length
}

// flatten returns the scopes of virtual hosts, in order.
func (c *converter) flatten(vhosts []virtualHost) []scope {
	all, conflicts := c.owners(vhosts)
	slices.SortStableFunc(all, func(a, b owned) int {
		classA, lengthA := a.order()
		classB, lengthB := b.order()
		return cmp.Or(classA-classB, lengthA-lengthB)
	})
	var scopes []scope
	for _, g := range groupHosts(all, conflicts) {
		v := &vhosts[g.vhost]
		switch {
		case g.lost:
			scopes = append(scopes, v.lostScope(g.hosts[0]))
		case conflicts[g.hosts[0]]:
			scopes = append(scopes, scope{name: v.name + "-conflict", at: v.at, hosts: hostList(g.hosts[0])})
		default:
			scopes = append(scopes, v.withHosts(withoutEvery(g.hosts))...)
		}
	}
	return scopes
}

// hostGroup is hosts of one virtual host, that are looked up one after the other.
type hostGroup struct {
	vhost int
	hosts []string
	lost  bool
	class int
}

// groupHosts joins hosts of a virtual host where no other that may take the same stands between them.
func groupHosts(all []owned, conflicts map[string]bool) []hostGroup {
	var groups []hostGroup
	for _, o := range all {
		class, _ := o.order()
		groups = append(groups, hostGroup{o.vhost, []string{o.host}, o.lost, class})
	}
	const every = 4
	for i := 0; i < len(groups); {
		a, joined := &groups[i], false
		for j := i + 1; j < len(groups) && !a.lost && !conflicts[a.hosts[0]] && !joined; j++ {
			b := &groups[j]
			if b.vhost == a.vhost && !b.lost && b.class < every && !conflicts[b.hosts[0]] {
				b.hosts = append(slices.Clone(a.hosts), b.hosts...)
				joined = true
			} else if b.lost || b.class == every || takesAny(b.hosts, a.hosts) {
				break
			}
		}
		if joined {
			groups = slices.Delete(groups, i, i+1)
		} else {
			i++
		}
	}
	return groups
}

// takesAny reports whether one of hosts takes what one of others does.
func takesAny(hosts, others []string) bool {
	return slices.ContainsFunc(hosts, func(h string) bool {
		return slices.ContainsFunc(others, func(k string) bool { return hostCovers(h, k) || hostCovers(k, h) })
	})
}

// withoutEvery returns hosts as a match has them.
func withoutEvery(hosts []string) []string {
	if slices.Contains(hosts, "*") {
		return nil
	}
	return hosts
}

// owners returns the hosts of vhosts, once each, and those that stand in several with different policies.
func (c *converter) owners(vhosts []virtualHost) (all []owned, conflicts map[string]bool) {
	owner := map[string]int{}
	conflicts = map[string]bool{}
	for i := range vhosts {
		v := &vhosts[i]
		for _, h := range v.hosts {
			if first, taken := owner[h]; !taken {
				owner[h] = i
				all = append(all, owned{host: h, vhost: i})
			} else if first != i && !sameScopes(vhosts[first].scopes, v.scopes) && !conflicts[h] {
				conflicts[h] = true
				c.add(scopeConflict, v.at, "the host "+strconv.Quote(h)+" stands in two places with different routes or policies; nothing is granted for it",
					"convert what is in force at the same place alone, or merge the two")
			}
		}
		for _, h := range v.lost {
			all = append(all, owned{h, i, true})
		}
	}
	for i := range vhosts {
		v := &vhosts[i]
		for _, h := range v.ported {
			if other := withoutPort(vhosts, i, h); other >= 0 && !sameScopes(vhosts[other].scopes, v.scopes) && !conflicts[h] {
				conflicts[h] = true
				c.add(scopeConflict, v.at, "the host "+strconv.Quote(h)+" has one policy with a port and another without; nothing is granted for it", "give it the same policy with every port")
			}
		}
	}
	return all, conflicts
}

// withoutPort returns which virtual host takes host without the port that the i-th has it with, -1 where none does.
func withoutPort(vhosts []virtualHost, i int, host string) int {
	best, rank := -1, 0
	for j := range vhosts {
		v := &vhosts[j]
		for _, h := range v.hosts {
			r := 0
			switch {
			case h == host && !slices.Contains(v.ported, h):
				r = 1 << 20
			case h == "*":
				r = 1
			case h != host && hostCovers(h, host):
				r = 1 + len(h)
			}
			if r > rank {
				best, rank = j, r
			}
		}
		for _, h := range v.lost {
			if j != i && rank < 2 && !strings.HasPrefix(h, "*:") {
				best, rank = j, 2 // it may
			}
		}
	}
	return best
}

// hostList returns host as the hosts of a match.
func hostList(host string) []string {
	if host == "*" {
		return nil
	}
	return []string{host}
}

// lostScope stands for all requests of v for a host that cannot be said. It takes more hosts than that.
func (v *virtualHost) lostScope(host string) scope {
	s := scope{name: v.name + "-lost", at: v.at, lost: "the host " + strconv.Quote(host) + " cannot be said", lostFix: "write a rule by hand", lostHost: true}
	for i := range v.scopes {
		if i == 0 {
			s.grant = v.scopes[i].grant
		} else if s.grant.key() != v.scopes[i].grant.key() {
			s.grant = nil
		}
	}
	if _, parent, ok := strings.Cut(host, "."); ok && strings.HasPrefix(host, "*") {
		if _, _, err := origin.ParseHost("*." + parent); err == nil {
			s.hosts = []string{"*." + parent}
		}
	}
	return s
}

// withHosts returns the scopes of v for hosts, and what holds where none of them fits.
func (v *virtualHost) withHosts(hosts []string) []scope {
	scopes := make([]scope, 0, len(v.scopes)+1)
	for _, s := range v.scopes {
		s.hosts = hosts
		scopes = append(scopes, s)
		if len(s.paths) == 0 && len(s.routes) == 0 && !s.isLoose() {
			return scopes
		}
	}
	return append(scopes, scope{name: v.name + "-rest", at: v.at, hosts: hosts, rest: true})
}

func sameScopes(a, b []scope) bool {
	return slices.EqualFunc(a, b, func(a, b scope) bool {
		return slices.Equal(a.paths, b.paths) && slices.Equal(a.routes, b.routes) && a.condition == b.condition && a.lost == b.lost && a.grant.key() == b.grant.key()
	})
}

// addHost adds a host of a source to v.
func (c *converter) addHost(v *virtualHost, n *node, text string) {
	text = strings.TrimSuffix(strings.ToLower(text), ".")
	host, hasPort := text, false
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, ']') {
		host, hasPort = text[:i], true
	}
	_, _, err := origin.ParseHost(host)
	switch {
	case !hasPort && (host == "*" || host == ""):
		v.hosts = append(v.hosts, "*")
	case err != nil:
		v.lost = append(v.lost, text)
	case hasPort:
		c.once(hostPort, n, "the port of "+strconv.Quote(text)+" is left away", "")
		if !slices.Contains(v.hosts, host) {
			v.hosts, v.ported = append(v.hosts, host), append(v.ported, host)
		}
	default:
		v.ported = slices.DeleteFunc(v.ported, func(h string) bool { return h == host })
		v.hosts = union(v.hosts, []string{host})
	}
}
